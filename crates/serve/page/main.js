// The page: what is drawn is read while it is drawn.

import * as answers from "./answer.js";
import * as inside from "./inside.js";
import * as theme from "./look.js";
import * as pictures from "./picture.js";
import * as runs from "./runs.js";
import * as service from "./service.js";
import { Sketch } from "./sketch.js";
import * as teaching from "./teach.js";
import * as words from "./words.js";

const { t, translated } = words;
const $ = (id) => document.getElementById(id);

/** How long the pen rests before what costs more is asked for, in milliseconds. */
const REST = 120;
/** How long it waits between two readings while somebody draws: the server is idle when the stroke ends. */
const PACE = 45;

let model = null;
let answer = null;
let chosen = 0;
let ended = 0;
let rest = 0;
let frame = 0;
let asked = 0;
let drawing = 0;

const sketch = new Sketch($("sketch"), $("paper"), (over) => {
  if (over) ended = performance.now();
  $("undo").disabled = !sketch.canUndo;
  $("redo").disabled = !sketch.canRedo;
  $("clear").disabled = sketch.empty;
  clearTimeout(rest);
  if (over && sketch.empty) return nothing();
  reading(true);
  // The end of a stroke does not wait.
  cancelAnimationFrame(frame);
  frame = 0;
  if (over) read();
  else frame = requestAnimationFrame(pace);
});

/** Reads what is being drawn, now and then. */
function pace() {
  frame = 0;
  if (performance.now() - asked < PACE) frame = requestAnimationFrame(pace);
  else read();
}

/** Whether the answer that is shown is not yet that of the paper; for whoever waits for it. */
function reading(is) {
  $("answer").setAttribute("aria-busy", String(is));
}

function nothing() {
  answer = null;
  reading(false);
  show();
}

const read = service.latest(async (_, isLatest) => {
  if (sketch.empty || !model) return;
  const since = ended;
  asked = performance.now();
  try {
    const wishes = { model: model.name, item: chosen, show: "maps" };
    const subject = sketch.subject();
    const got = await service.look(subject, wishes);
    if (sketch.empty) return;
    answer = Object.assign(got, { part: subject.part });
    if (chosen >= answer.items.length) chosen = 0;
    show();
    const detail = { answer, ms: performance.now() - since, server: answer.ms };
    document.dispatchEvent(new CustomEvent("maobi:answer", { detail }));
    if (isLatest() && frame === 0) {
      reading(false);
      rest = setTimeout(more, REST);
    }
  } catch (error) {
    reading(false);
    say(t("failed", { message: error.message }), true);
  }
});

/** Stages and heat, once the pen rests. */
async function more() {
  const of = answer;
  if (!of || of.blank) return;
  try {
    const [stages] = await Promise.all([service.look(sketch.subject(), { model: model.name, show: "stages" }), warm()]);
    if (of === answer) {
      answer.shown = stages;
      inside.stages(stages);
    }
  } catch (error) {
    say(t("failed", { message: error.message }), true);
  }
}

/** The heat of the chosen digit. */
async function warm(withMaps = false) {
  const [of, index] = [answer, chosen];
  const item = of?.items[index];
  if (!item) return;
  const pixels = glyphOf(of, index);
  const got = await service.inside(pixels, { model: model.name, class: item.digit, show: withMaps ? "heat,maps" : "heat" });
  if (of !== answer || index !== chosen) return;
  of.warm = { got, pixels, name: item.class, index };
  inside.heat(got, pixels, of.frame, item.class);
  if (withMaps) {
    Object.assign(answer, { maps: got.maps, bytesOfMaps: got.bytes });
    inside.featureMaps(got);
  }
}

function glyphOf(of, index) {
  const [height, width] = of.frame;
  return of.bytes(of.glyphs[index], width * height);
}

function show() {
  answers.show(answer, chosen);
  answers.boxes(answer, chosen, (box) => sketch.place(box, answer), choose);
  const seen = Boolean(answer) && !answer.blank;
  $("seen").hidden = !seen;
  if (!seen) return;
  // The answer comes first, pictures with the next frame.
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(picture);
}

function picture() {
  if (!answer || answer.blank) return;
  inside.glyph(answer, chosen);
  const warmth = answer.warm;
  if (warmth?.index === chosen) inside.heat(warmth.got, warmth.pixels, answer.frame, warmth.name);
  else inside.noHeat(glyphOf(answer, Math.min(chosen, answer.items.length - 1)), answer.frame);
  if (answer.maps) inside.featureMaps(answer.bytesOfMaps ? { ...answer, bytes: answer.bytesOfMaps } : answer);
}

/** Looks at another of several digits. */
async function choose(index) {
  if (!answer?.items[index]) return;
  chosen = index;
  show();
  try {
    await warm(true);
  } catch (error) {
    say(t("failed", { message: error.message }), true);
  }
}

/** Says something below the answer, with a button if there is something to do about it. */
function say(text, bad = false, action = null) {
  const said = $("said");
  said.classList.toggle("toast-error", bad);
  said.replaceChildren(text);
  if (!action) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = action.text;
  button.addEventListener("click", action.run);
  said.append(button);
}

/** The chosen digit is a `name`. */
async function teach(name) {
  if (!answer?.items[chosen] || answer.blank) return;
  const glyph = glyphOf(answer, chosen).slice();
  say("");
  try {
    const sample = await teaching.add({ label: name, glyph, picture: await sketch.png() });
    const takeBack = async () => {
      try {
        await teaching.remove(sample);
        say(t("taken_back"));
      } catch (error) {
        say(error.message, true);
      }
    };
    say(name === "none" ? t("taught_none") : t("taught", { name }), false, { text: t("take_back"), run: takeBack });
  } catch (error) {
    say(error.message, true);
  }
}

const VIEWS = { read: { open() {}, leave() {} }, teach: { open: teaching.open, leave() {} }, runs };
let view = "read";

function turn(to) {
  if (!VIEWS[to]) return;
  if (to !== view) VIEWS[view].leave();
  view = to;
  for (const button of document.querySelectorAll("nav button")) {
    if (button.dataset.view === to) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== to;
  VIEWS[to].open();
}

function keys(event) {
  const control = event.ctrlKey || event.metaKey;
  if (view !== "read" || event.altKey || event.target.matches("select, input:not([type=file])")) return;
  const key = event.key.toLowerCase();
  let act = null;
  if (control && key === "z") act = () => (event.shiftKey ? sketch.redo() : sketch.undo());
  else if (control && key === "y") act = () => sketch.redo();
  else if (control) return;
  else if (event.key === "Delete" || event.key === "Escape") act = () => sketch.clear();
  else if (/^[0-9]$/.test(key) && model?.classes.includes(key)) act = () => teach(key);
  else if (key === "n" && model?.none) act = () => teach("none");
  if (act) {
    event.preventDefault();
    act();
  }
}

function useModel(found) {
  model = found;
  chosen = 0;
  answers.bars(model.classes, model.none, teach);
  teaching.choose(model);
  if (sketch.empty) nothing();
  else read();
}

async function start() {
  theme.start($("theme"));
  words.start($("language"));
  $("undo").addEventListener("click", () => sketch.undo());
  $("redo").addEventListener("click", () => sketch.redo());
  $("clear").addEventListener("click", () => sketch.clear());
  for (const button of document.querySelectorAll("nav button")) button.addEventListener("click", () => turn(button.dataset.view));
  document.addEventListener("keydown", keys);
  pictures.start($("paper"), [$("file"), $("camera")], (picture) => {
    turn("read");
    sketch.show(picture);
  });
  runs.start();
  let served;
  try {
    served = await service.get("/page/models");
  } catch (error) {
    return say(t("failed", { message: error.message }), true);
  }
  const options = served.models.map((one) => new Option(one.name, one.name));
  $("model").replaceChildren(...options);
  $("model").addEventListener("change", () => useModel(served.models.find((one) => one.name === $("model").value)));
  teaching.start(served.samples, () => {
    if (!sketch.empty) read();
  });
  if (served.models.length > 0) useModel(served.models[0]);
  translated(() => {
    if (model) answers.bars(model.classes, model.none, teach);
    show();
    if (answer?.shown) inside.stages(answer.shown);
  });
  document.documentElement.dataset.ready = "yes";
}

start();
