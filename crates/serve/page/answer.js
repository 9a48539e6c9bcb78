// The answer: what was read, how likely each digit is, boxes over the drawing.

import { percent, t } from "./words.js";

const $ = (id) => document.getElementById(id);

/** One bar for each class, and one for no digit; they are buttons that teach. */
export function bars(classes, knowsNone, teach) {
  const rows = classes.map((name, index) => bar(name, index, () => teach(name)));
  if (knowsNone) rows.push(bar(t("none"), -1, () => teach("none")));
  $("bars").replaceChildren(...rows);
}

function bar(name, index, teach) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.index = index;
  button.dataset.name = name;
  const [label, track, fill, share] = ["span", "span", "i", "span"].map((tag) => document.createElement(tag));
  label.className = "name";
  label.textContent = name;
  track.className = "track";
  track.append(fill);
  share.className = "share";
  const what = document.createElement("span");
  what.className = "hidden";
  what.textContent = t(index < 0 ? "bar_none" : "bar", { name });
  button.append(label, track, share, what);
  button.addEventListener("click", teach);
  row.append(button);
  return row;
}

function setBars(item) {
  for (const button of $("bars").querySelectorAll("button")) {
    const index = Number(button.dataset.index);
    // Of a picture, what is no digit leaves the others less.
    const p = !item ? 0 : index < 0 ? item.none : item.probabilities[index] * (1 - item.none);
    button.querySelector("i").style.setProperty("--p", p.toFixed(4));
    button.querySelector(".share").textContent = item ? percent(p) : "";
    button.parentElement.classList.toggle("best", Boolean(item) && (index < 0 ? item.rejected : !item.rejected && index === item.digit));
  }
}

/** Lines of digits within a sentence. */
const inline = (digits) => digits.replaceAll("\n", " / ");

/** Shows an answer; `null` while there is none, for an empty paper or for what could not be read. */
export function show(answer, chosen, empty) {
  const digits = $("digits");
  if (!answer || answer.blank) {
    digits.textContent = "";
    $("sentence").textContent = answer ? t("blank") : empty ? t("empty") : "";
    digits.className = "";
    setBars(null);
    return;
  }
  const several = answer.items.length > 1;
  const text = answer.digits;
  set(digits, text);
  digits.classList.toggle("rejected", answer.rejected);
  digits.classList.toggle("long", text.length > 6);
  const share = percent(answer.confidence);
  const sentences = [];
  if (answer.rejected) sentences.push(t("rejected", { digits: inline(text) }));
  else if (answer.confidence < 0.6) sentences.push(t("unsure", { digits: inline(text), share }));
  else sentences.push(t("reads", { share }));
  if (several && !answer.rejected) sentences.unshift(t("several", { count: answer.items.filter((item) => !item.rejected).length }));
  const other = answer.others?.[0];
  if (!answer.rejected && other && other.confidence >= 0.01) {
    sentences.push(t("second", { digits: inline(other.digits), share: percent(other.confidence) }));
  }
  set($("sentence"), sentences.join(" "));
  setBars(answer.items[chosen] ?? answer.items[0]);
}

/** Only what differs, so that screen readers are not told the same again. */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Boxes around the digits; `choose(index)` when one is pressed. */
export function boxes(answer, chosen, place, choose) {
  const holder = $("boxes");
  const items = answer && !answer.blank && (answer.items.length > 1 || !answer.rejected) ? answer.items : [];
  // The same buttons stay as long as their number does: who is on one with the keyboard stays there.
  while (holder.children.length > items.length) holder.lastChild.remove();
  items.forEach((item, index) => {
    const button = holder.children[index] ?? holder.appendChild(box(index, choose));
    const at = place(item.box);
    for (const [key, value] of [["left", at.x], ["top", at.y], ["width", at.width], ["height", at.height]]) {
      button.style[key] = `${(100 * value).toFixed(2)}%`;
    }
    const share = percent(item.probability * (1 - item.none));
    const text = item.rejected ? t("box_rejected") : t("box", { name: item.class, share });
    set(button.firstChild, items.length > 1 || item.rejected ? (item.rejected ? "?" : item.class) : `${item.class} · ${share}`);
    button.setAttribute("aria-label", text);
    button.title = text;
    button.classList.toggle("rejected", item.rejected);
    button.classList.toggle("low", at.y < 0.09);
    button.setAttribute("aria-pressed", String(items.length > 1 && index === chosen));
  });
}

function box(index, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(document.createElement("span"));
  button.addEventListener("click", () => choose(index));
  button.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = step && button.parentElement.children[index + step];
    if (next) {
      event.preventDefault();
      next.focus();
      choose(index + step);
    }
  });
  return button;
}
