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
/** Where the key of a digit says what it is; elsewhere it may mean something else to whoever presses it. */
const HEARS = "#sketch, #bars button, #boxes button";

let model = null;
let answer = null;
let chosen = 0;
/** Counts the papers, and models, that there were: an answer has the number of the one it is of. */
let edition = 0;
let ended = 0;
let rest = 0;
let frame = 0;
let asked = 0;
let drawing = 0;

const sketch = new Sketch($("sketch"), $("paper"), (over) => {
  edition++;
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

/** Whether the answer is that of the paper as it is. */
const isCurrent = () => answer?.edition === edition;

function nothing() {
  answer = null;
  reading(false);
  show();
}

const read = service.latest(async (isLatest) => {
  if (sketch.empty || !model) return;
  const since = ended;
  const of = edition;
  asked = performance.now();
  try {
    const wishes = { model: model.name, item: chosen, show: "maps" };
    const subject = sketch.subject();
    const got = await service.look(subject, wishes);
    if (sketch.empty) return;
    answer = Object.assign(got, { part: subject.part, edition: of });
    if (chosen >= answer.items.length) chosen = 0;
    show();
    wellAgain();
    const detail = { answer, ms: performance.now() - since, server: answer.ms };
    document.dispatchEvent(new CustomEvent("maobi:answer", { detail }));
  } catch (error) {
    // What is shown was the answer to something else.
    answer = null;
    show();
    failed(error);
  }
  if (isLatest() && frame === 0) {
    reading(false);
    rest = setTimeout(more, REST);
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
    if (of === answer) failed(error);
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
  answers.show(answer, chosen, sketch.empty);
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
  if (!isCurrent()) return say(t("unread"), true);
  chosen = index;
  show();
  try {
    await warm(true);
    wellAgain();
  } catch (error) {
    failed(error);
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

function failed(error) {
  say(t("failed", { message: error.message }), true);
}

/** What went wrong is over. */
function wellAgain() {
  if ($("said").classList.contains("toast-error")) say("");
}

/** The chosen digit is a `name`. */
async function teach(name) {
  if (sketch.empty) return;
  if (!isCurrent()) return say(t("unread"), true);
  if (!answer.items[chosen] || answer.blank) return;
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
  const says = event.target.matches(HEARS);
  // Held down, a key says it once; Enter on a bar, too.
  if (event.repeat && says && !control && /^([0-9n]|enter)$/.test(key)) return event.preventDefault();
  let act = null;
  if (control && key === "z") act = () => (event.shiftKey ? sketch.redo() : sketch.undo());
  else if (control && key === "y") act = () => sketch.redo();
  else if (control) return;
  else if (event.key === "Delete" || event.key === "Escape") act = () => sketch.clear();
  else if (says && /^[0-9]$/.test(key) && model?.classes.includes(key)) act = () => teach(key);
  else if (says && key === "n" && model?.none) act = () => teach("none");
  if (act) {
    event.preventDefault();
    act();
  }
}

function useModel(found) {
  model = found;
  chosen = 0;
  edition++;
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
    // Where keys say which digit it is, as after a stroke.
    $("sketch").focus({ preventScroll: true });
  });
  runs.start();
  let served;
  try {
    served = await service.get("/page/models");
  } catch (error) {
    return failed(error);
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
