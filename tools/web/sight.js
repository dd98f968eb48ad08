// A widget stays in sight while its section scrolls: small, and at the top of the window.

import { button, set } from "../../resnet_lesson/widgets/chart/elements.js";

const SHARE = 0.45; // of the window's height, as the style sheet has it
const HEADER = ".bd-header-article"; // of the theme, which stays at the top
const GAP = 16;
const SPARE = 120; // pixels of the section that are still to be seen below the widget

/**
 * What is returned ends it.
 *
 * @param {HTMLElement} place whose height stays, so that the text does not jump
 * @param {HTMLElement} inner what moves
 */
export function keepInSight(place, inner) {
  const section = place.closest("section");
  if (!section) return () => {};
  let closed = false;
  const close = button("×", () => {
    closed = true;
    update();
    place.focus({ preventScroll: true }); // the next Tab goes on in the text
  });
  set(close, { class: "close", "aria-label": "Let it scroll away" });
  set(place, { tabindex: -1 });
  place.append(close);
  const update = () => {
    const [box, end] = [place.getBoundingClientRect(), section.getBoundingClientRect().bottom];
    const header = document.querySelector(HEADER)?.getBoundingClientRect().bottom ?? 0;
    const height = header + innerHeight * SHARE;
    // It begins where as much of the widget is left as stays: no text is covered at once.
    const docked = !closed && box.bottom < height && end > height + SPARE;
    if (docked) put(place, { header, left: box.left, width: box.width });
    if (docked === place.classList.contains("docked")) return;
    place.style.minHeight = docked ? `${box.height}px` : "";
    // What is scrolled to, by a link or by Tab, must not lie below it.
    document.documentElement.style.scrollPaddingTop = docked ? `${height + GAP}px` : "";
    place.classList.toggle("docked", docked);
    if (docked) inner.scrollTop = pictureTop(inner);
  };
  const ending = new AbortController();
  const { signal } = ending;
  addEventListener("scroll", update, { passive: true, signal });
  addEventListener("resize", update, { signal });
  const resized = new ResizeObserver(update);
  resized.observe(place);
  return () => {
    ending.abort();
    resized.disconnect();
  };
}

/** Where it stands, for the style sheet. @param {HTMLElement} place @param {object} sizes */
function put(place, sizes) {
  for (const [name, size] of Object.entries(sizes)) {
    place.style.setProperty(`--${name}`, `${size}px`);
  }
}

/**
 * How far to scroll so that the picture stands at the top; of several, the text speaks of the maps.
 *
 * @param {HTMLElement} inner
 */
function pictureTop(inner) {
  const picture = inner.querySelector("figure") ?? inner.querySelector("svg");
  if (!picture) return 0;
  const below = picture.getBoundingClientRect().top - inner.getBoundingClientRect().top;
  return inner.scrollTop + below - 8;
}
