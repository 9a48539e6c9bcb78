// Pictures: chosen, photographed, pasted or dropped.

/** Longest side of what is kept to be shown: the paper has no more. A photo in full is 48 MB, and each stays as long as undo may want it. */
const SIDE = 480;

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  return canvas;
}

/** What cannot be shown by the browser is read all the same. */
async function opened(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const { width, height } = bitmap;
    const scale = Math.min(1, SIDE / Math.max(width, height));
    const image = canvasOf(width * scale, height * scale);
    const context = image.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, image.width, image.height);
    bitmap.close();
    return { file, image, width, height };
  } catch {
    return { file, image: canvasOf(1, 1), width: 1, height: 1 };
  }
}

/** Calls `show` with each picture that comes. */
export function start(paper, inputs, show) {
  const take = async (files) => {
    const file = [...files].find((file) => file.type.startsWith("image/") || file.type === "");
    if (file) show(await opened(file));
  };
  for (const input of inputs) {
    input.addEventListener("change", async () => {
      await take(input.files);
      input.value = "";
    });
  }
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length > 0) take(files);
  });
  // Anywhere on the page, so that a picture that misses the paper does not replace the page.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    paper.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) paper.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    paper.classList.remove("over");
    take(event.dataTransfer?.files ?? []);
  });
}
