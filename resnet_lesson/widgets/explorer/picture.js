// The explorer's picture: the network as a strip of layers, and curves by layer.

import { frameOf, words } from "../chart/axes.js";
import { discPath, linePath, polygonPath, trianglePath } from "../chart/curve.js";
import { make } from "../chart/elements.js";
import { decadeTicks } from "../chart/scale.js";
import { drawStrip, shadeOf } from "../chart/strip.js";
import { LOWEST } from "./guess.js";

/** @typedef {import("../chart/axes.js").Frame & {marks: number[]}} Frame marks in decades */
/** @typedef {import("../chart/curve.js").Curve} Curve */
/** @typedef {import("../chart/curve.js").Point} Point */
/**
 * @typedef {"now" | "guess" | "class" | number} Kind the one shown, guesses, or which of the pins
 */
/**
 * What is to be seen.
 *
 * @typedef {object} View
 * @property {number} width
 * @property {number} depth of the network
 * @property {Curve} strip the curve that the strip of layers shows
 * @property {{kind: Kind, curve: Curve}[]} curves the last on top
 * @property {string} quantity
 * @property {Frame} frame
 */

export const HEIGHT = 340;
const MARGINS = { left: 52, right: 14, top: 64, bottom: 40 };
const STRIP = { top: 22, height: 20 };
const TICKS = 7; // at most
const COLOURS = 7; // of pins, in the style sheet
/** @type {Record<string, string>} */
const AXIS_WORDS = {
  signal_gradient: "norm of the signal's gradient",
  weight_gradient: "norm of the weights' gradient",
  signal: "root mean square of the signal",
};

/** @param {Curve} curve */
const numbers = (curve) => curve.values.filter((value) => typeof value === "number");

/**
 * The frame that holds these curves of networks, and these decades at least.
 *
 * @param {number} width
 * @param {number} depth
 * @param {Curve[]} curves
 * @param {import("../chart/scale.js").Ends} floor
 * @returns {Frame}
 */
export function frameFor(width, depth, curves, floor) {
  const all = [...floor, ...curves.flatMap(numbers)];
  const marks = decadeTicks([Math.min(...all), Math.max(...all)], TICKS, true);
  const size = { width, height: HEIGHT };
  const across = /** @type {[number, number]} */ ([0.5, depth + 0.5]);
  return { ...frameOf(size, MARGINS, across, [marks[0], marks[marks.length - 1]]), marks };
}

/** @param {View} view */
export function drawPicture({ depth, strip, curves, quantity, frame }) {
  return [
    ...drawNetwork(strip, depth, frame),
    ...drawAxes(frame, quantity),
    ...curves.map(({ kind, curve }) => drawCurve(kind, curve, frame)),
  ];
}

/** @param {Curve} curve @param {number} depth @param {Frame} frame */
function drawNetwork(curve, depth, frame) {
  const own = numbers(curve);
  const low = Math.max(LOWEST, Math.min(...own, 0));
  const high = Math.max(...own, 0);
  const shades = byLayer(curve, depth).map((value) => shadeOf(value, [low, high]));
  const y = STRIP.top - 7;
  return [
    ...drawStrip(shades, frame, STRIP),
    words(frame.left, y, "input", "start"),
    words((frame.left + frame.right) / 2, y, "← gradient ←"),
    words(frame.right, y, "loss", "end"),
  ];
}

/**
 * A value for each layer: that of the last one that the curve has.
 *
 * @param {Curve} curve
 * @param {number} depth
 */
export function byLayer({ layers, values }, depth) {
  let at = 0;
  return Array.from({ length: depth }, (_, index) => {
    while (layers[at + 1] <= index + 1) at++;
    return values[at];
  });
}

/** @param {Frame} frame @param {string} quantity */
function drawAxes({ left, right, top, across, marks, x, y }, quantity) {
  const lines = marks.map((mark) => `M${left} ${y(mark)}H${right}`).join("");
  const depth = across[1] - 0.5;
  const layers = new Set([1, Math.ceil(depth / 2), depth]);
  return [
    make("path", { class: "line", d: lines }),
    ...marks.map((mark) => words(left - 6, y(mark) + 4, `1e${mark}`, "end")),
    ...[...layers].map((layer) => words(x(layer), HEIGHT - 22, `${layer}`)),
    make("text", { x: left, y: top - 8 }, [AXIS_WORDS[quantity]]),
    words((left + right) / 2, HEIGHT - 5, "layer (1 is nearest the input)"),
  ];
}

/** @param {Kind} kind @param {Curve} curve @param {Frame} frame */
function drawCurve(kind, { layers, values }, frame) {
  const every = Math.max(1, Math.round(layers.length / 20));
  const isMarked = (/** @type {number} */ at) => at % every === 0 || at === layers.length - 1;
  const points = values.map((value, at) =>
    typeof value === "number" ? /** @type {Point} */ ([frame.x(layers[at]), frame.y(value)]) : null,
  );
  // A guess is a line without marks: nothing was measured.
  const marked = kind === "guess" || kind === "class" ? [] : points.filter((_, at) => isMarked(at));
  const marks = marked.map((point) => (point ? markPath(point, kind) : ""));
  const odd = values.map((value, at) =>
    isMarked(at) && typeof value !== "number"
      ? trianglePath(frame.x(layers[at]), frame, value === "zero", 8)
      : "",
  );
  return make("g", { class: `curve ${colourClass(kind)}` }, [
    make("path", { class: "stroke", d: linePath(points) }),
    make("path", { class: "mark", d: marks.join("") }),
    make("path", { class: "odd", d: odd.join("") }),
  ]);
}

/** @param {Kind} kind */
export const colourClass = (kind) => `curve-${typeof kind === "number" ? kind % COLOURS : kind}`;

/**
 * Each curve has its own mark as well as its own colour and dashes.
 *
 * @param {Point} middle
 * @param {Kind} kind
 */
const markPath = (middle, kind) =>
  typeof kind === "number" ? polygonPath(middle, 3.5, 3 + (kind % 4)) : discPath(middle, 3);

/** A line with its mark, for the legend. @param {number} pin */
export const drawSwatch = (pin) =>
  make("svg", { class: "swatch", viewBox: "0 0 36 12", "aria-hidden": "true" }, [
    make("path", { class: "stroke", d: "M1 6H35" }),
    make("path", { class: "mark", d: markPath([18, 6], pin) }),
  ]);
