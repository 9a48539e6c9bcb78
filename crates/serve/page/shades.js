// Grey values as pictures.

/** Draws grey values `[height, width]`, one pixel each. */
export function grey(canvas, values, width, height, colour = (v) => [v, v, v]) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = colour(values[i], i);
    image.data.set([r, g, b, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Draws maps `[count, height, width]` side by side, a gap between them. */
export function maps(canvas, values, count, width, height, columns) {
  const rows = Math.ceil(count / columns);
  const [w, h] = [columns * (width + 1) - 1, rows * (height + 1) - 1];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const image = new ImageData(w, h);
  const pixels = new Uint32Array(image.data.buffer);
  for (let map = 0; map < count; map++) {
    const [left, top] = [(map % columns) * (width + 1), Math.floor(map / columns) * (height + 1)];
    for (let y = 0; y < height; y++) {
      let from = (map * height + y) * width;
      let to = (top + y) * w + left;
      for (let x = 0; x < width; x++) {
        const v = values[from++];
        pixels[to++] = 0xff000000 | (v << 16) | (v << 8) | v;
      }
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The colour of a pixel of a glyph and what it spoke: 128 is nothing, above it for, below it against. */
export function warmth(ink, value) {
  const strength = Math.min(1, Math.abs(value - 128) / 100);
  const base = 40 + ink * 0.45;
  if (ink === 0) return [0, 0, 0];
  const mix = (from, to) => from + (to - from) * strength;
  return value >= 128 ? [mix(base, 255), mix(base, 70), mix(base, 50)] : [mix(base, 50), mix(base, 130), mix(base, 255)];
}
