// A network as a strip of layers, each in the colour of its value.

import { colourOf, ODD } from "./colour.js";
import { make } from "./elements.js";
import { linear } from "./scale.js";

/** The same for every network, or two strips could not be compared. */
export const STRIP_ENDS = /** @type {import("./scale.js").Ends} */ ([-20, 10]); // decades
const SHADES = 30; // layers of one shade are one element: a browser draws few faster than many

/** @param {import("./colour.js").Colour} colour */
const rgb = (colour) => `rgb(${colour.join(" ")})`;

/**
 * The colour of a value; a layer whose value is zero is empty.
 *
 * @param {import("./curve.js").Value} value
 */
export function fillOf(value) {
  if (typeof value !== "number") return value === "zero" ? "none" : rgb(ODD);
  const shade = Math.round(linear(STRIP_ENDS, [0, SHADES])(value));
  return rgb(colourOf(linear([0, SHADES], STRIP_ENDS)(shade), STRIP_ENDS));
}

/** The colours of the scale, from its low end to its high one, as CSS draws a ramp. */
export const ramp = () => {
  const stops = Array.from({ length: 9 }, (_, at) => fillOf(linear([0, 8], STRIP_ENDS)(at)));
  return `linear-gradient(to right, ${stops.join(", ")})`;
};

/**
 * A row of boxes, one a layer.
 *
 * @param {string[]} fills of the layers
 * @param {{x: (layer: number) => number}} frame
 * @param {{top: number, height: number}} place
 */
export function drawStrip(fills, { x }, { top, height }) {
  const cell = x(1) - x(0);
  const wide = Math.max(0.5, cell - (cell > 4 ? 1 : 0)).toFixed(1);
  /** @type {Record<string, string>} */
  const boxes = {};
  fills.forEach((fill, at) => {
    const box = `M${x(at + 0.5).toFixed(1)} ${top}h${wide}v${height}h-${wide}z`;
    boxes[fill] = (boxes[fill] ?? "") + box;
  });
  return Object.entries(boxes).map(([fill, d]) => make("path", { class: "layers", d, fill }));
}
