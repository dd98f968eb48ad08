// A network as a strip of layers, each as bright as its value is great among the others.

import { make } from "./elements.js";

const SHADES = 24; // layers of one shade are one element: a browser draws few faster than many

/**
 * The shade of a value, from 0 to SHADES: of zero the first, of what is not finite the last.
 *
 * @param {import("./curve.js").Value} value
 * @param {import("./scale.js").Ends} ends
 */
export function shadeOf(value, [low, high]) {
  if (typeof value !== "number") return value === "zero" ? 0 : SHADES;
  const share = (value - low) / (high - low || 1);
  return Math.round(1 + (SHADES - 1) * Math.min(1, Math.max(0, share)));
}

/**
 * A row of boxes, one a layer.
 *
 * @param {number[]} shades of the layers
 * @param {{x: (layer: number) => number}} frame
 * @param {{top: number, height: number}} place
 */
export function drawStrip(shades, { x }, { top, height }) {
  const cell = x(1) - x(0);
  const wide = Math.max(0.5, cell - (cell > 4 ? 1 : 0)).toFixed(1);
  /** @type {Record<number, string>} */
  const boxes = {};
  shades.forEach((shade, at) => {
    const box = `M${x(at + 0.5).toFixed(1)} ${top}h${wide}v${height}h-${wide}z`;
    boxes[shade] = (boxes[shade] ?? "") + box;
  });
  return Object.entries(boxes).map(([shade, d]) =>
    make("path", { class: "layers", d, "fill-opacity": (Number(shade) / SHADES).toFixed(3) }),
  );
}
