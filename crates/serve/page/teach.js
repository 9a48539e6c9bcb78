// Teaching: samples kept, a network that learns from them, kept or dropped.

import { events, get, post, postForm } from "./service.js";
import { percent, t, translated } from "./words.js";

const $ = (id) => document.getElementById(id);
const FINAL = ["done", "kept", "dropped", "undone", "stopped", "failed", "idle"];

let samples = { total: 0, counts: {}, latest: [], folder: null };
let enabled = false;
let state = { phase: "idle" };
let model = null;
let close = null;
/** The next look at a lesson whose events were lost. */
let again = 0;
/** How long that waits, in milliseconds. */
const AGAIN = 3000;
/** Called when another network answers from now on. */
let changed = () => {};

const label = (name) => (name === "none" ? t("none_long") : name);

/** Keeps a sample: `{ label, glyph, picture }`. */
export async function add({ label, glyph, picture }) {
  if (!enabled) throw new Error(t("teach_off"));
  const form = new FormData();
  form.set("label", label);
  form.set("glyph", new Blob([glyph]), "glyph");
  if (picture) form.set("picture", picture, "picture.png");
  samples = await postForm("/page/samples", form);
  drawSamples();
  return samples.added;
}

export async function remove(sample) {
  samples = await post("/page/samples/remove", sample);
  drawSamples();
}

/** Which model is to learn. */
export function choose(chosen) {
  model = chosen;
  draw();
}

function drawSamples() {
  $("folder").textContent = !enabled ? t("teach_off") : t("folder", { folder: samples.folder });
  const counts = Object.entries(samples.counts).map(([name, count]) => {
    const one = document.createElement("span");
    const bold = document.createElement("b");
    bold.textContent = label(name);
    one.append(bold, `× ${count}`);
    return one;
  });
  $("counts").replaceChildren(...(counts.length > 0 ? counts : [enabled ? t("no_samples") : ""]));
  $("latest").replaceChildren(...samples.latest.map(sampleItem));
  draw();
}

function sampleItem(sample) {
  const item = document.createElement("li");
  const image = document.createElement("img");
  image.src = `/page/samples/${sample.label}/${sample.id}`;
  image.alt = t("sample", { name: label(sample.label) });
  image.loading = "lazy";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `${label(sample.label)} ×`;
  button.setAttribute("aria-label", `${label(sample.label)} ×: ${t("remove", { name: label(sample.label) })}`);
  button.addEventListener("click", () => attempt(() => remove(sample)));
  item.append(image, button);
  return item;
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    state = { ...state, phase: "failed", message: error.message };
    draw();
  }
}

function draw() {
  const busy = !FINAL.includes(state.phase);
  $("learn").disabled = !enabled || busy || samples.total === 0 || !model?.teachable;
  $("stop").hidden = !busy;
  $("tuning").hidden = state.phase === "idle" && !state.undo && model?.teachable !== false;
  const values = { ...state, loss: state.loss == null ? "–" : Number(state.loss).toFixed(3), seconds: state.seconds?.toFixed(1) };
  const phase = state.phase === "done" && state.worse ? "worse" : state.phase;
  $("phase").textContent = model && !model.teachable ? t("cannot_learn") : phase === "idle" ? "" : t(`phase_${phase}`, values);
  $("phase").classList.toggle("toast-error", state.phase === "failed");
  $("progress").hidden = !busy;
  $("progress").max = state.steps || 1;
  $("progress").value = state.step || 0;
  $("keep").hidden = state.phase !== "done";
  $("drop").hidden = state.phase !== "done";
  $("back").hidden = !state.undo || busy || state.phase === "done";
  drawComparison();
}

function drawComparison() {
  $("compare").hidden = !state.before;
  if (!state.before) return;
  const held = state.of === "builtin" ? t("builtin") : state.of;
  const lines = [
    [t("own", { count: state.samples }), state.before.own, state.after?.own],
    [t("held", { count: state.held, name: held }), state.before.held, state.after?.held],
  ];
  const rows = lines.map(([name, before, after]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    const cells = [before, after].map((share) => {
      const cell = document.createElement("td");
      cell.textContent = share == null ? "…" : share === 1 ? "100 %" : percent(share);
      return cell;
    });
    if (after != null && after < before) cells[1].className = "worse";
    row.append(head, ...cells);
    return row;
  });
  $("compare").tBodies[0].replaceChildren(...rows);
}

function follow() {
  close?.();
  clearTimeout(again);
  const told = (now) => {
    state = now;
    draw();
    if (FINAL.includes(now.phase)) {
      close?.();
      close = null;
    }
  };
  // Asking says what became of it, or that the server has gone.
  const lost = () => (again = setTimeout(open, AGAIN));
  close = events("/page/tune/events", told, lost);
}

/** Fetches what is there; the view was opened. */
export async function open() {
  if (!enabled) return drawSamples();
  await attempt(async () => {
    [samples, state] = await Promise.all([get("/page/samples"), get("/page/tune")]);
    drawSamples();
    if (!FINAL.includes(state.phase)) follow();
  });
}

export function start(isEnabled, whenChanged) {
  enabled = isEnabled;
  changed = whenChanged;
  const press = (id, work) => $(id).addEventListener("click", () => attempt(work));
  press("learn", async () => {
    state = await post("/page/tune", { model: model.name });
    draw();
    follow();
  });
  press("stop", () => post("/page/tune/stop"));
  const decide = (path) => async () => {
    state = await post(path);
    draw();
    changed();
  };
  press("keep", decide("/page/tune/keep"));
  press("drop", decide("/page/tune/undo"));
  press("back", decide("/page/tune/undo"));
  translated(drawSamples);
}
