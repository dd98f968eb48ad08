// A widget stays in sight while its section scrolls: small, and at the top of the window.

import { button } from "../../resnet_lesson/widgets/chart/elements.js";

const SPARE = 120; // pixels of the section that are still to be seen below the widget

/**
 * @param {HTMLElement} place whose height stays, so that the text does not jump
 * @param {HTMLElement} inner what moves
 */
export function keepInSight(place, inner) {
  const section = place.closest("section");
  if (!section) return;
  let closed = false;
  const close = button("Let it scroll away", () => {
    closed = true;
    update();
  });
  close.className = "close";
  place.append(close);
  const update = () => {
    const [box, end] = [place.getBoundingClientRect(), section.getBoundingClientRect().bottom];
    const height = innerHeight * 0.45;
    if (box.bottom > height * 0.5) closed = closed && box.bottom < innerHeight;
    const docked = !closed && box.bottom < 0 && end > height + SPARE;
    if (docked === place.classList.contains("docked")) return;
    place.style.minHeight = docked ? `${box.height}px` : "";
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
