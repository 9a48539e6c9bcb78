// Requests to the server.

import { t } from "./words.js";

async function checked(response) {
  if (response.ok) return response;
  if (response.status === 503 || response.status === 504) throw new Error(t("busy"));
  let message = String(response.status);
  try {
    message = (await response.json()).error ?? message;
  } catch {
    // The status has to do.
  }
  throw new Error(message);
}

export async function get(path) {
  return (await checked(await fetch(path))).json();
}

export async function post(path, value = {}) {
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
  return (await checked(await fetch(path, request))).json();
}

export async function postForm(path, form) {
  return (await checked(await fetch(path, { method: "POST", body: form }))).json();
}

/** The object of an answer with pixels; `bytes(at, length)` are those it refers to. */
async function parts(response) {
  const buffer = await (await checked(response)).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const object = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  object.bytes = (at, count) => new Uint8Array(buffer, 4 + length + at, count);
  return object;
}

/** Reads a picture: `{ width, height, grey }` of a drawing, or `{ file }`. */
export async function look(subject, wishes) {
  const query = new URLSearchParams(wishes);
  if (subject.grey) {
    query.set("width", subject.width);
    query.set("height", subject.height);
  }
  const body = subject.grey ?? subject.file;
  const headers = { "content-type": subject.grey ? "application/octet-stream" : subject.file.type || "application/octet-stream" };
  return parts(await fetch(`/page/look?${query}`, { method: "POST", headers, body }));
}

/** Maps and heat of a glyph. */
export async function inside(glyph, wishes) {
  const headers = { "content-type": "application/octet-stream" };
  return parts(await fetch(`/page/inside?${new URLSearchParams(wishes)}`, { method: "POST", headers, body: glyph }));
}

/** Runs `work` for the latest call only, one at a time: what came while it ran is done next, once. */
export function latest(work) {
  let running = false;
  let waiting = null;
  return async function call(argument) {
    waiting = { argument };
    if (running) return;
    running = true;
    try {
      while (waiting) {
        const { argument } = waiting;
        waiting = null;
        await work(argument, () => waiting === null);
      }
    } finally {
      running = false;
    }
  };
}

/** Listens to events of a path until the returned function is called. */
export function events(path, listener) {
  const source = new EventSource(path);
  source.addEventListener("message", (event) => listener(JSON.parse(event.data)));
  return () => source.close();
}
