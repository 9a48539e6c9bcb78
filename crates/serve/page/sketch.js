// The paper: strokes by mouse, pen or finger, a picture under them, and the way back.

/** Width of the pen in the paper's pixels, at middle pressure. */
const PEN = 15;
/** Pixels of what is sent, and the ground around the ink: enough to read it by, and quick. */
const AREA = 160 * 160;
const MARGIN = 0.2;
/** Steps that can be undone. */
const STEPS = 200;

/** The two ends of a stroke's middle piece: points halfway between those that were seen, so that it is round. */
function half(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

export class Sketch {
  #canvas;
  #context;
  #paper;
  #strokes = [];
  #picture = null;
  #past = [];
  #future = [];
  #current = null;
  #pointer = null;
  #small = document.createElement("canvas");

  /** `changed(ended)` is called when something was drawn or taken away; `ended` tells whether a stroke, or all of it, is over. */
  constructor(canvas, paper, changed) {
    this.#canvas = canvas;
    this.#paper = paper;
    this.changed = changed;
    this.#context = canvas.getContext("2d", { willReadFrequently: true });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  get empty() {
    return this.#strokes.length === 0 && !this.#picture;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  undo() {
    this.#travel(this.#past, this.#future);
  }

  redo() {
    this.#travel(this.#future, this.#past);
  }

  clear() {
    if (this.empty) return;
    this.#remember();
    this.#strokes = [];
    this.#picture = null;
    this.#draw();
    this.changed(true);
  }

  /** Puts a picture onto the paper: `{ file, image, width, height }`, the sides those of the file, the image perhaps smaller. */
  show(picture) {
    this.#remember();
    this.#strokes = [];
    this.#picture = picture;
    this.#draw();
    this.changed(true);
  }

  /** What to read: dark ink on white, the part of the paper with ink on it; or the picture's file. */
  subject() {
    if (this.#picture) return { file: this.#picture.file };
    const part = this.#inked();
    const scale = Math.min(1, Math.sqrt(AREA / (part.width * part.height)));
    const [width, height] = [Math.max(1, Math.round(part.width * scale)), Math.max(1, Math.round(part.height * scale))];
    this.#small.width = width;
    this.#small.height = height;
    const context = this.#small.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#canvas, part.x, part.y, part.width, part.height, 0, 0, width, height);
    const data = context.getImageData(0, 0, width, height).data;
    const grey = new Uint8Array(width * height);
    for (let i = 0; i < grey.length; i++) grey[i] = 255 - data[4 * i + 3];
    return { width, height, grey, part };
  }

  /** The same as a PNG file, dark on white. */
  async png() {
    const copy = document.createElement("canvas");
    copy.width = this.#canvas.width;
    copy.height = this.#canvas.height;
    const context = copy.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, copy.width, copy.height);
    context.drawImage(this.#canvas, 0, 0);
    return new Promise((done) => copy.toBlob(done, "image/png"));
  }

  /** Where a rectangle of what was read lies on the paper, in shares of its width and height. */
  place([x, y, width, height], of) {
    const { width: w, height: h } = this.#canvas;
    // Of a picture all was read, whatever is on the paper by now.
    const box = of.part ?? this.#fitted(of);
    const [sx, sy] = [box.width / of.width, box.height / of.height];
    return { x: (box.x + x * sx) / w, y: (box.y + y * sy) / h, width: (width * sx) / w, height: (height * sy) / h };
  }

  /** The ink's box with ground around it. */
  #inked() {
    const { width: w, height: h } = this.#canvas;
    let [left, top, right, bottom] = [w, h, 0, 0];
    for (const { x, y, pressure } of this.#strokes.flat()) {
      const pen = (PEN * pressure) / 2 + 1;
      [left, top, right, bottom] = [Math.min(left, x - pen), Math.min(top, y - pen), Math.max(right, x + pen), Math.max(bottom, y + pen)];
    }
    const margin = 8 + MARGIN * Math.max(right - left, bottom - top);
    const x = Math.floor(Math.max(0, left - margin));
    const y = Math.floor(Math.max(0, top - margin));
    return { x, y, width: Math.max(1, Math.ceil(Math.min(w, right + margin)) - x), height: Math.max(1, Math.ceil(Math.min(h, bottom + margin)) - y) };
  }

  #fitted({ width, height }) {
    const { width: w, height: h } = this.#canvas;
    const scale = Math.min(w / width, h / height);
    return { x: (w - width * scale) / 2, y: (h - height * scale) / 2, width: width * scale, height: height * scale };
  }

  #state() {
    return { strokes: [...this.#strokes], picture: this.#picture };
  }

  #remember() {
    this.#past.push(this.#state());
    if (this.#past.length > STEPS) this.#past.shift();
    this.#future = [];
  }

  #travel(from, to) {
    if (this.#current || from.length === 0) return;
    to.push(this.#state());
    const state = from.pop();
    this.#strokes = state.strokes;
    this.#picture = state.picture;
    this.#draw();
    this.changed(true);
  }

  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure > 0 ? 0.6 + 0.8 * event.pressure : 1;
    const x = ((event.clientX - box.left) / box.width) * this.#canvas.width;
    const y = ((event.clientY - box.top) / box.height) * this.#canvas.height;
    return { x, y, pressure };
  }

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#remember();
    if (this.#picture) {
      // A stroke on a picture begins a drawing; undo brings the picture back.
      this.#picture = null;
      this.#strokes = [];
    }
    this.#current = [this.#at(event)];
    this.#strokes.push(this.#current);
    this.#draw();
    this.changed(false);
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) {
      this.#current.push(this.#at(one));
      this.#piece(this.#current, this.#current.length - 1);
    }
    this.changed(false);
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#finish(this.#current);
    this.#pointer = null;
    this.#current = null;
    this.changed(true);
  }

  #pen(point) {
    const context = this.#context;
    context.strokeStyle = context.fillStyle = "#000";
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = PEN * point.pressure;
  }

  /** The piece of a stroke up to halfway to point `i`. */
  #piece(stroke, i) {
    if (i < 1) return;
    this.#pen(stroke[i]);
    const [before, last, now] = [stroke[i - 2] ?? stroke[i - 1], stroke[i - 1], stroke[i]];
    const [from, to] = [half(before, last), half(last, now)];
    this.#context.beginPath();
    this.#context.moveTo(from.x, from.y);
    this.#context.quadraticCurveTo(last.x, last.y, to.x, to.y);
    this.#context.stroke();
  }

  /** From the last middle to the last point; a tap is a dot. */
  #finish(stroke) {
    const last = stroke[stroke.length - 1];
    const from = half(stroke[stroke.length - 2] ?? last, last);
    this.#pen(last);
    this.#context.beginPath();
    this.#context.moveTo(from.x, from.y);
    this.#context.lineTo(last.x, last.y);
    this.#context.stroke();
    if (stroke.length === 1) {
      this.#context.beginPath();
      this.#context.arc(last.x, last.y, (PEN * last.pressure) / 2, 0, 2 * Math.PI);
      this.#context.fill();
    }
  }

  #draw() {
    const { width, height } = this.#canvas;
    this.#context.clearRect(0, 0, width, height);
    if (this.#picture) {
      const box = this.#fitted(this.#picture);
      this.#context.imageSmoothingQuality = "high";
      this.#context.drawImage(this.#picture.image, box.x, box.y, box.width, box.height);
    }
    for (const stroke of this.#strokes) {
      for (let i = 1; i < stroke.length; i++) this.#piece(stroke, i);
      if (stroke !== this.#current || stroke.length === 1) this.#finish(stroke);
    }
    this.#paper.classList.toggle("inked", !this.empty);
    this.#paper.classList.toggle("pictured", this.#picture !== null);
  }
}
