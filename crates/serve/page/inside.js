// What the network sees: the glyph, the stages before it, feature maps, and which pixels spoke.

import { grey, maps, warmth } from "./shades.js";
import { stageTitle, t } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Most pixels of the screen that maps take side by side, and those of one. */
const WIDEST = 1100;
const shown = (width) => Math.max(28, Math.min(2 * width, 56));

/** Channels side by side on this screen. */
function columns(count, width) {
  const room = Math.min($("maps").clientWidth || 600, WIDEST);
  return Math.max(1, Math.min(count, Math.floor(room / shown(width))));
}

export function glyph(answer, chosen) {
  const [height, width] = answer.frame;
  const at = answer.glyphs[chosen] ?? answer.glyphs[0];
  if (at !== undefined) grey($("glyph"), answer.bytes(at, width * height), width, height);
}

export function heat(answer, pixels, frame, name) {
  const [height, width] = frame;
  const values = answer.bytes(answer.heat.at, width * height);
  grey($("heat"), pixels, width, height, (ink, i) => warmth(ink, values[i]));
  $("heat").nextElementSibling.textContent = t("heat_caption", { name });
}

/** Until the heat is there, its glyph alone. */
export function noHeat(pixels, [height, width]) {
  grey($("heat"), pixels, width, height, (ink) => warmth(ink, 128));
  $("heat").nextElementSibling.textContent = t("heat_none");
}

export function featureMaps(answer) {
  const holder = $("maps");
  const layers = answer.maps ?? [];
  while (holder.children.length > layers.length) holder.lastChild.remove();
  layers.forEach((layer, index) => {
    const figure = holder.children[index] ?? holder.appendChild(newFigure());
    const [canvas, caption] = figure.children;
    const [height, width, count] = layer.shape;
    const flat = height === 1 && count === 1;
    const key = !flat && layer.kept < count ? "map_of" : flat ? "map_flat" : "map";
    const text = t(key, { layer: layer.layer, count: flat ? width : count, kept: layer.kept, height, width });
    if (caption.textContent !== text) caption.textContent = text;
    canvas.setAttribute("aria-label", text);
    const values = answer.bytes(layer.at, layer.kept * height * width);
    if (flat) {
      const across = Math.min(width, 64);
      maps(canvas, values, width, 1, 1, across);
      canvas.style.width = `${Math.min(100, across * 2)}%`;
    } else {
      const side = columns(layer.kept, width);
      maps(canvas, values, layer.kept, width, height, side);
      canvas.style.width = `${Math.min(side * shown(width), WIDEST)}px`;
    }
  });
}

function newFigure() {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  figure.append(canvas, document.createElement("figcaption"));
  return figure;
}

export function stages(answer) {
  const figures = (answer.stages ?? []).map((stage) => {
    const figure = newFigure();
    const [canvas, caption] = figure.children;
    grey(canvas, answer.bytes(stage.at, stage.width * stage.height), stage.width, stage.height);
    const context = canvas.getContext("2d");
    context.strokeStyle = "#ff6a3d";
    context.lineWidth = Math.max(1, stage.width / 150);
    for (const [x, y, width, height] of stage.boxes) context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    if (stage.width <= 64) canvas.style.imageRendering = "pixelated";
    const title = stageTitle(stage.title);
    canvas.setAttribute("aria-label", title);
    caption.textContent = title;
    return figure;
  });
  $("stages").replaceChildren(...figures);
}
