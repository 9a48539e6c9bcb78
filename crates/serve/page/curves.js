// Curves of a run, drawn as SVG.

import { t } from "./words.js";

const NS = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [420, 220];
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 10, 26, 24];

function element(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const short = (value) => (Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 0.001) ? value.toExponential(1) : Number(value.toPrecision(4)).toString());

/** Columns of a history as charts: each figure with its validation. */
export function charts(columns, rows) {
  const skipped = ["epoch", "step", "seconds", "images_per_second"];
  const x = ["epoch", "step"].map((name) => columns.indexOf(name)).find((at) => at >= 0) ?? 0;
  const figures = columns.filter((name) => !skipped.includes(name) && !name.startsWith("val_"));
  const order = (name) => (name === "accuracy" ? 0 : name === "loss" ? 1 : 2);
  figures.sort((a, b) => order(a) - order(b));
  const line = (name) => {
    const at = columns.indexOf(name);
    return at < 0 ? [] : rows.map((row) => [row[x], row[at]]).filter(([a, b]) => a !== null && b !== null);
  };
  return figures.map((name) => chart(name, line(name), line(`val_${name}`))).filter(Boolean);
}

function chart(name, one, two) {
  const all = [...one, ...two];
  if (all.length === 0) return null;
  const range = (values) => [Math.min(...values), Math.max(...values)];
  const [x0, x1] = range(all.map(([x]) => x));
  let [y0, y1] = range(all.map(([, y]) => y));
  if (y0 === y1) [y0, y1] = [y0 - 0.5 * Math.abs(y0 || 1), y1 + 0.5 * Math.abs(y1 || 1)];
  const px = (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (y) => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const values = (two.length > 0 ? two : one).map(([, y]) => y);
  const best = name.includes("accuracy") ? Math.max(...values) : Math.min(...values);
  const label = t("curve", { name, last: short(values.at(-1)), best: short(best) });
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  svg.append(element("text", { x: LEFT, y: 16 }, label));
  svg.append(element("path", { class: "axis", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }));
  for (const y of [y0, (y0 + y1) / 2, y1]) {
    svg.append(element("text", { x: LEFT - 4, y: py(y) + 4, "text-anchor": "end" }, short(y)));
    svg.append(element("path", { class: "axis", d: `M${LEFT} ${py(y)}H${WIDTH - RIGHT}` }));
  }
  for (const x of x1 > x0 ? [x0, x1] : [x0]) {
    svg.append(element("text", { x: px(x), y: HEIGHT - 8, "text-anchor": x === x0 ? "start" : "end" }, short(x)));
  }
  for (const [points, name] of [[one, "one"], [two, "two"]]) {
    if (points.length === 1) svg.append(element("circle", { class: name, cx: px(points[0][0]), cy: py(points[0][1]), r: 3 }));
    else if (points.length > 1) svg.append(element("path", { class: name, d: `M${points.map(([x, y]) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("L")}` }));
  }
  if (two.length > 0) {
    svg.append(element("path", { class: "one", d: `M${LEFT + 120} ${HEIGHT - 12}h22` }), element("text", { x: LEFT + 146, y: HEIGHT - 8 }, t("training")));
    svg.append(element("path", { class: "two", d: `M${LEFT + 220} ${HEIGHT - 12}h22` }), element("text", { x: LEFT + 246, y: HEIGHT - 8 }, t("validation")));
  }
  return svg;
}
