// Everything here is a convenience: without it links, forms and close-ups work the same.

// Stickers move under the mouse, unless the reader asked for stillness.
const still = matchMedia("(prefers-reduced-motion: reduce)");

for (const sticker of document.querySelectorAll("button[data-preview]")) {
  const image = sticker.querySelector("img");
  const poster = image.src;
  let over = false;
  const play = async () => {
    if (still.matches) return;
    over = true;
    const preview = new Image();
    preview.src = sticker.dataset.preview;
    await preview.decode().catch(() => {});
    if (over && preview.naturalWidth > 0) image.src = preview.src;
  };
  const stop = () => {
    over = false;
    image.src = poster;
  };
  sticker.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && play());
  sticker.addEventListener("pointerleave", stop);
}

// The play button of a close-up, which only readers who asked for stillness see.
for (const link of document.querySelectorAll("a.play")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    link.parentElement.querySelector("img").src = link.href;
  });
}

// A second tap on a button that is already at work does nothing.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.target.method !== "post") return;
  if (button.getAttribute("aria-disabled") === "true") return event.preventDefault();
  button.setAttribute("aria-disabled", "true");
});

// Copying: the buttons are there where a script can do it, and the text can be marked everywhere.
for (const copy of navigator.clipboard ? document.querySelectorAll("button[data-copy]") : []) {
  copy.hidden = false;
  const label = copy.querySelector("span");
  const usual = label.textContent;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    label.textContent = copy.dataset.done;
    setTimeout(() => (label.textContent = usual), 2000);
  });
}

// Coming back to a page that the browser kept: ownership may have changed since.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector('meta[name="store-refresh"]')) location.reload();
});
