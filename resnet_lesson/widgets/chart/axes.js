// The frame of a picture, and what stands at its edges.

import { make } from "./elements.js";
import { linear } from "./scale.js";

/**
 * Where things stand in a picture, in pixels: its box, and what turns numbers into places.
 *
 * @typedef {object} Frame
 * @property {number} left
 * @property {number} right
 * @property {number} top
 * @property {number} bottom
 * @property {import("./scale.js").Ends} across the numbers at the box's left and right edge
 * @property {import("./scale.js").Ends} ends those at its bottom and top edge
 * @property {(number: number) => number} x
 * @property {(value: number) => number} y
 * @property {(y: number) => number} valueAt the inverse of `y`
 */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Margins */

/**
 * @param {{width: number, height: number}} size of the picture
 * @param {Margins} margins around the box
 * @param {import("./scale.js").Ends} across
 * @param {import("./scale.js").Ends} ends
 * @returns {Frame}
 */
export function frameOf({ width, height }, margins, across, ends) {
  const { left, top } = margins;
  const right = width - margins.right;
  const bottom = height - margins.bottom;
  return {
    left,
    right,
    top,
    bottom,
    across,
    ends,
    x: linear(across, [left, right]),
    y: linear(ends, [bottom, top]),
    valueAt: linear([bottom, top], ends),
  };
}

/** @typedef {"start" | "middle" | "end"} Anchor */

/** @param {number} x @param {number} y @param {string} text @param {Anchor} anchor */
export const words = (x, y, text, anchor = "middle") =>
  make("text", { x, y, "text-anchor": anchor }, [text]);

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {string} kind
 */
export const line = (x1, y1, x2, y2, kind = "line") =>
  make("line", { class: kind, x1, y1, x2, y2 });

/**
 * Lines across the frame, with what they say.
 *
 * @param {Frame} frame
 * @param {import("./scale.js").Mark[]} marks
 */
export const drawMarks = ({ left, right, y }, marks) =>
  marks.map(([value, text]) =>
    make("g", {}, [
      line(left, y(value), right, y(value)),
      words(left - 5, y(value) + 4.5, text, "end"),
    ]),
  );
