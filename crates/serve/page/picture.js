// Pictures: chosen, photographed, pasted or dropped.

/** What cannot be shown by the browser is read all the same. */
async function opened(file) {
  try {
    const image = await createImageBitmap(file, { imageOrientation: "from-image" });
    return { file, image, width: image.width, height: image.height };
  } catch {
    const image = document.createElement("canvas");
    image.width = image.height = 1;
    return { file, image, width: 1, height: 1 };
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
