// Requests to the server.

import { t } from "./words.js";

/** Seconds until a request is given up: reading takes less than one, writing files may take longer. */
const [SOON, LATE] = [20, 120];

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

/** Asks, and takes from the answer what `take` takes. */
async function ask(path, seconds, take, request = {}) {
  try {
    const signal = AbortSignal.timeout(1000 * seconds);
    return await take(await checked(await fetch(path, { ...request, signal })));
  } catch (error) {
    throw error.name === "TimeoutError" ? new Error(t("late", { seconds })) : error;
  }
}

const json = (response) => response.json();

export function get(path) {
  return ask(path, LATE, json);
}

export function post(path, value = {}) {
  return ask(path, LATE, json, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
}

export function postForm(path, form) {
  return ask(path, LATE, json, { method: "POST", body: form });
}

/** The object of an answer with pixels; `bytes(at, length)` are those it refers to. */
async function parts(response) {
  const buffer = await response.arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const object = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  object.bytes = (at, count) => new Uint8Array(buffer, 4 + length + at, count);
  return object;
}

/** Reads a picture: `{ width, height, grey }` of a drawing, or `{ file }`. */
export function look(subject, wishes) {
  const query = new URLSearchParams(wishes);
  if (subject.grey) {
    query.set("width", subject.width);
    query.set("height", subject.height);
  }
  const body = subject.grey ?? subject.file;
  const headers = { "content-type": subject.grey ? "application/octet-stream" : subject.file.type || "application/octet-stream" };
  return ask(`/page/look?${query}`, SOON, parts, { method: "POST", headers, body });
}

/** Maps and heat of a glyph. */
export function inside(glyph, wishes) {
  const headers = { "content-type": "application/octet-stream" };
  return ask(`/page/inside?${new URLSearchParams(wishes)}`, SOON, parts, { method: "POST", headers, body: glyph });
}

/** Runs `work` for the latest call only, one at a time: what came while it ran is done next, once. It is told how to ask whether nothing has. */
export function latest(work) {
  let running = false;
  let waiting = false;
  return async function call() {
    waiting = true;
    if (running) return;
    running = true;
    try {
      while (waiting) {
        waiting = false;
        await work(() => !waiting);
      }
    } finally {
      running = false;
    }
  };
}

/** Listens to events of a path until the returned function is called. Calls `lost` when the browser does not try again by itself. */
export function events(path, listener, lost) {
  const source = new EventSource(path);
  source.addEventListener("message", (event) => listener(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) lost();
  });
  return () => source.close();
}
