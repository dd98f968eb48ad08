// A widget stays in sight while its section scrolls: small, and at the top of the window.

import { button, set } from "../../resnet_lesson/widgets/chart/elements.js";

const SHARE = 0.45; // of the window's height, as the style sheet has it
const HEADER = ".bd-header-article"; // of the theme, which stays at the top
const SPARE = 120; // pixels of the section that are still to be seen below the widget

/**
 * @param {HTMLElement} place whose height stays, so that the text does not jump
 * @param {HTMLElement} inner what moves
 */
export function keepInSight(place, inner) {
  const section = place.closest("section");
  if (!section) return;
  let closed = false;
  const close = button("×", () => {
    closed = true;
    update();
  });
  set(close, { class: "close", "aria-label": "Let it scroll away" });
  place.append(close);
  const update = () => {
    const [box, end] = [place.getBoundingClientRect(), section.getBoundingClientRect().bottom];
    const header = document.querySelector(HEADER)?.getBoundingClientRect().bottom ?? 0;
    const height = header + innerHeight * SHARE;
    // It begins where as much of the widget is left as stays: no text is covered at once.
    closed = closed && box.bottom < height;
    const docked = !closed && box.bottom < height && end > height + SPARE;
    if (docked === place.classList.contains("docked")) return;
    place.style.minHeight = docked ? `${box.height}px` : "";
    place.style.setProperty("--header", `${header}px`);
    place.style.setProperty("--left", `${box.left}px`);
    place.style.setProperty("--width", `${box.width}px`);
    place.classList.toggle("docked", docked);
    if (docked) inner.scrollTop = pictureTop(inner);
  };
  addEventListener("scroll", update, { passive: true });
  addEventListener("resize", () => {
    place.classList.remove("docked");
    place.style.minHeight = "";
    update();
  });
}

/** How far to scroll so that the picture stands at the top. @param {HTMLElement} inner */
function pictureTop(inner) {
  const picture = inner.querySelector("svg, canvas");
  if (!picture) return 0;
  return picture.getBoundingClientRect().top - inner.getBoundingClientRect().top - 8;
}
