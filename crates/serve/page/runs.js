// Training runs: a list, live curves, and what an evaluation found.

import { charts } from "./curves.js";
import { events, get } from "./service.js";
import { percent, t, translated } from "./words.js";

const $ = (id) => document.getElementById(id);
let listed = null;
let shown = null;
let close = null;

function stateOf(run) {
  return t(run.finished ? "finished" : run.at_work ? "at_work" : "unfinished");
}

function drawList() {
  if (!listed) return;
  $("runs-folder").textContent = !listed.folder ? t("runs_off") : listed.runs.length > 0 ? t("runs_folder", { folder: listed.folder }) : t("no_runs");
  const items = listed.runs.map((run) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const accuracy = run.last.val_accuracy ?? run.last.accuracy;
    const facts = [run.dataset, t("epochs", { count: run.epochs }), accuracy == null ? null : percent(accuracy), stateOf(run)];
    const [name, about] = [document.createElement("b"), document.createElement("span")];
    name.textContent = run.name;
    about.className = "quiet";
    about.textContent = facts.filter(Boolean).join(" · ");
    button.append(name, about);
    button.setAttribute("aria-pressed", String(shown?.name === run.name));
    button.addEventListener("click", () => select(run.name));
    item.append(button);
    return item;
  });
  $("runs-list").replaceChildren(...items);
}

function select(name) {
  // What is shown of another run is not this one's.
  if (shown?.name !== name) shown = { name };
  leave();
  const told = (run) => {
    shown = run;
    drawRun();
    if (!run.at_work) leave();
  };
  const lost = () => {
    shown = { ...shown, lost: true };
    drawRun();
  };
  close = events(`/page/runs/${encodeURIComponent(name)}/events`, told, lost);
  drawList();
  drawRun();
}

function drawRun() {
  $("run").hidden = !shown?.rows && !shown?.lost;
  if ($("run").hidden) return;
  const facts = () => [shown.recipe, shown.dataset, t("epochs", { count: shown.epochs }), stateOf(shown)];
  $("run-name").textContent = shown.name;
  $("run-state").textContent = shown.lost ? t("run_lost") : facts().filter(Boolean).join(" · ");
  $("run-curves").replaceChildren(...charts(shown.columns ?? [], shown.rows ?? []));
  $("run-report").replaceChildren(...report(shown));
}

function heading(text) {
  const made = document.createElement("h4");
  made.textContent = text;
  return made;
}

function paragraph(text) {
  const made = document.createElement("p");
  made.className = "quiet";
  made.textContent = text;
  return made;
}

function report({ name, report, pictures }) {
  if (!report) {
    const folder = listed?.folder ? `${listed.folder}/${name}` : name;
    return shown.finished ? [paragraph(t("no_report", { folder }))] : [];
  }
  const parts = [];
  const { classes, confusion, mistakes, wrong, images } = report;
  if (confusion && classes.length > 0) parts.push(heading(t("confusion")), paragraph(t("confusion_what")), matrix(classes, confusion));
  parts.push(heading(t("mistakes")), paragraph(t("wrong_count", { count: wrong, images: images ?? "?" })));
  if (pictures.includes("mistakes.png")) {
    const image = document.createElement("img");
    image.src = `/page/runs/${encodeURIComponent(name)}/files/mistakes.png`;
    image.alt = mistakes.map((m) => `${m.class ?? m.truth ?? "?"} → ${m.predicted ?? m.read ?? "?"}`).join(", ");
    parts.push(image);
  }
  return parts;
}

function matrix(classes, counts) {
  const holder = document.createElement("div");
  holder.className = "wide";
  holder.tabIndex = 0;
  holder.setAttribute("role", "region");
  holder.setAttribute("aria-label", t("confusion"));
  const table = document.createElement("table");
  table.className = "confusion";
  const cell = (tag, text, scope) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (scope) made.scope = scope;
    return made;
  };
  const most = Math.max(1, ...counts.flatMap((row, i) => row.filter((_, j) => i !== j)));
  const head = document.createElement("tr");
  head.append(document.createElement("td"), ...classes.map((name) => cell("th", name, "col")));
  table.createTHead().append(head);
  const body = table.createTBody();
  counts.forEach((row, i) => {
    const line = document.createElement("tr");
    line.append(cell("th", classes[i] ?? i, "row"));
    row.forEach((count, j) => {
      const one = cell("td", count === 0 && i !== j ? "" : count);
      one.className = i === j ? "right" : count > 0 ? "wrong" : "";
      if (i !== j) one.style.setProperty("--w", (count / most).toFixed(2));
      line.append(one);
    });
    body.append(line);
  });
  holder.append(table);
  return holder;
}

/** The view was opened. */
export async function open() {
  try {
    listed = await get("/page/runs");
    if (!listed.runs.some((run) => run.name === shown?.name)) shown = null;
    drawList();
    drawRun();
    if (shown) select(shown.name);
  } catch (error) {
    $("runs-folder").textContent = t("failed", { message: error.message });
  }
}

/** The view was left: nobody looks at what is live. */
export function leave() {
  close?.();
  close = null;
}

export function start() {
  translated(() => {
    drawList();
    drawRun();
  });
}
