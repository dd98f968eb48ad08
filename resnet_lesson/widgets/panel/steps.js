// The steps along the foot of a picture, and the one that is looked at.

import { line, words } from "../chart/axes.js";
import { make } from "../chart/elements.js";
import { roundTicks } from "../chart/scale.js";
import { grouped } from "../chart/words.js";

/** @typedef {import("../chart/axes.js").Frame} Frame */
/**
 * The steps that a picture has room for, the one that is looked at, and the last one.
 *
 * @typedef {{extent: number, step: number, last: number}} View
 */

const APART = 80; // pixels between two numbers, at least
const MOST = 4; // intervals

/** Steps at both ends, and round ones between, as far as there is room. @param {Frame} frame */
export function drawSteps({ across, left, right, bottom, x }) {
  const y = bottom + 17;
  const most = Math.max(1, Math.min(MOST, Math.floor((right - left) / APART)));
  const inner = roundTicks(across, most).filter(
    (step) => Number.isInteger(step) && x(step) - left >= APART && right - x(step) >= APART,
  );
  return [
    words(left, y, "step 0", "start"),
    ...inner.map((step) => words(x(step), y, grouped(step))),
    words(right, y, grouped(across[1]), "end"),
  ];
}

/**
 * A line at a step, and a veil over those that come later; nothing at the last one.
 *
 * @param {Frame} frame
 * @param {Pick<View, "step" | "last">} view
 */
export function drawPlayhead({ top, bottom, x }, { step, last }) {
  if (step === last) return [];
  const at = Math.round(x(step));
  const veil = { x: at, y: top, width: x(last) - at, height: bottom - top };
  return [
    make("rect", { class: "veil", ...veil }),
    line(at, top, at, bottom, "playhead-edge"),
    line(at, top, at, bottom, "playhead"),
  ];
}
