// The explorer's picture: the network as a strip of layers and, on the same layers, curves with
// their names at the ends.

import { frameOf, words } from "../chart/axes.js";
import { discPath, linePath, trianglePath } from "../chart/curve.js";
import { make, set } from "../chart/elements.js";
import { drawStrip, fillOf } from "../chart/strip.js";
import { power, twoDigits } from "../chart/words.js";
import { farLayer, isForward, layerAt } from "./guess.js";

/** @typedef {import("../chart/axes.js").Frame & {marks: number[]}} Frame marks in decades */
/** @typedef {import("../chart/curve.js").Curve} Curve */
/** @typedef {import("../chart/curve.js").Point} Point */
/** @typedef {import("../chart/curve.js").Value} Value */
/** @typedef {import("../chart/scale.js").Ends} Ends */
/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {"plain" | "residual" | "guess" | "class" | "kept"} Tone */
/**
 * @typedef {object} Drawn a curve
 * @property {Curve} curve
 * @property {Tone} tone
 * @property {string} name at its end; "" for none
 * @property {number} [dash] which of the kept ones it is
 */
/**
 * What is to be seen.
 *
 * @typedef {object} View
 * @property {number} width
 * @property {Setting} setting
 * @property {Curve | null} strip the curve that the strip of layers shows
 * @property {Drawn[]} curves the last on top
 * @property {Curve | null} now the one whose value at the end is written
 * @property {{from: number, to: Value, words: string} | null} miss of a guess, in decades
 * @property {boolean} reveal whether the measured curve grows as it is shown
 * @property {Frame} frame
 */

export const HEIGHT = 340;
const TOP = 78;
const BOTTOM = 30;
const STRIP = { top: 22, height: 20 };
const DASHES = 7; // in the style sheet
const LINE = 15; // pixels from one name to the next, at least
/** @type {Record<string, string>} */
const AXIS_WORDS = {
  signal_gradient: "size of the gradient",
  weight_gradient: "size of the gradient of the weights",
  signal: "size of the signal",
};

/** @param {Curve} curve */
const numbers = ({ values }) => values.filter((value) => typeof value === "number");

/**
 * The axis, grown in steps of ten decades where a curve leaves it. It never shrinks: a curve that
 * falls has to look as if it fell.
 *
 * @param {Ends} axis in decades
 * @param {Curve[]} curves
 * @returns {Ends}
 */
export function grown([low, high], curves) {
  const all = curves.flatMap(numbers);
  const [least, most] = [Math.min(low, ...all), Math.max(high, ...all)];
  return [
    least < low ? 10 * Math.floor(least / 10) : low,
    most > high ? 10 * Math.ceil(most / 10) : high,
  ];
}

/** Powers of ten at round exponents, five or six. @param {Ends} ends */
export function powerTicks([low, high]) {
  const steps = [1, 2, 3, 5, 10, 20, 50];
  const step = steps.find((one) => (high - low) / one <= 6) ?? 50;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, at) => (first + at) * step);
}

/**
 * @param {number} width
 * @param {number} depth of the deepest network that is drawn
 * @param {Ends} axis
 * @returns {Frame}
 */
export function frameFor(width, depth, axis) {
  const names = Math.min(118, Math.max(84, width / 4.5));
  const margins = { left: 44 + names, right: 18, top: TOP, bottom: BOTTOM };
  const across = /** @type {Ends} */ ([0.5, depth + 0.5]);
  const frame = frameOf({ width, height: HEIGHT }, margins, across, axis);
  return { ...frame, marks: powerTicks(axis) };
}

/** @param {View} view */
export function drawPicture(view) {
  const { setting, strip, curves, now, miss, frame, reveal } = view;
  return [
    ...drawNetwork(strip, setting, frame),
    ...drawAxes(setting, frame),
    ...curves.map((one) => drawCurve(one, setting, frame, reveal)),
    ...drawNames(view),
    ...(now ? drawEnd(now, setting, frame) : []),
    ...(miss ? drawMiss(miss, setting, frame) : []),
  ];
}

/** @param {Curve | null} curve @param {Setting} setting @param {Frame} frame */
function drawNetwork(curve, setting, frame) {
  const { depth } = setting;
  const fills = curve ? byLayer(curve, depth).map(fillOf) : Array(depth).fill("none");
  const travels = isForward(setting)
    ? "the signal travels this way →"
    : "← the gradient travels this way";
  const [left, right] = [frame.x(0.5), frame.x(depth + 0.5)];
  const room = right - left;
  return [
    ...drawStrip(fills, frame, STRIP),
    words(left, STRIP.top - 8, "input", "start"),
    words((left + right) / 2, STRIP.top - 8, room > 330 ? travels : arrow(setting, room)),
    words(right, STRIP.top - 8, "loss", "end"),
  ];
}

/**
 * The same, for a short strip.
 *
 * @param {Setting} setting
 * @param {number} room in pixels
 */
function arrow(setting, room) {
  if (isForward(setting)) return room > 160 ? "signal →" : "→";
  return room > 160 ? "← gradient" : "←";
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

/** @param {Setting} setting @param {Frame} frame */
function drawAxes({ quantity }, { right, top, bottom, across, marks, x, y }) {
  const from = 44;
  const depth = across[1] - 0.5;
  const lines = marks.map((mark) => `M${from} ${y(mark)}H${right}`).join("");
  const middle = depth < 20 ? Math.ceil(depth / 2) : 5 * Math.round(depth / 10);
  const layers = [...new Set([1, middle, depth])];
  return [
    make("path", { class: "line", d: lines }),
    ...marks.map((mark) => words(from - 6, y(mark) + 4, mark ? power(mark) : "1", "end")),
    ...layers.map((layer, at) => words(x(layer), bottom + 20, at ? `${layer}` : `layer ${layer}`)),
    make("text", { x: 4, y: top - 18 }, [AXIS_WORDS[quantity]]),
  ];
}

/** @param {Drawn} drawn @param {Setting} setting @param {Frame} frame @param {boolean} reveal */
function drawCurve({ curve, tone, dash }, setting, frame, reveal) {
  const { layers, values } = curve;
  const every = Math.max(1, Math.round(layers.length / 20));
  const isMarked = (/** @type {number} */ at) => at % every === 0 || at === layers.length - 1;
  const points = values.map((value, at) =>
    typeof value === "number" ? /** @type {Point} */ ([frame.x(layers[at]), frame.y(value)]) : null,
  );
  const odd = values.map((value, at) =>
    isMarked(at) && typeof value !== "number"
      ? trianglePath(frame.x(layers[at]), frame, value === "zero", 8)
      : "",
  );
  const grows = reveal && (tone === "plain" || tone === "residual");
  const way = isForward(setting) ? "forward" : "back";
  const kind = tone === "kept" ? `kept kept-${(dash ?? 0) % DASHES}` : tone;
  return make("g", { class: `curve ${kind}${grows ? ` grows-${way}` : ""}` }, [
    make("path", { class: "stroke", d: linePath(points) }),
    make("path", { class: "odd", d: odd.join("") }),
  ]);
}

/**
 * Where a curve ends, in pixels.
 *
 * @param {Value} value
 * @param {Frame} frame
 */
export function heightOf(value, { y, top, bottom }) {
  if (typeof value === "number") return Math.min(bottom, Math.max(top, y(value)));
  return value === "zero" ? bottom - 4 : top + 4;
}

/**
 * Places of labels, as near to the wanted ones as can be without one on another.
 *
 * @param {{wanted: number, lines: number}[]} labels
 * @param {Ends} within
 */
export function apart(labels, [top, bottom]) {
  const order = labels.map((_, at) => at);
  order.sort((one, other) => labels[one].wanted - labels[other].wanted);
  const places = labels.map(({ wanted }) => wanted);
  let free = top;
  for (const at of order) {
    places[at] = Math.max(free, places[at]);
    free = places[at] + LINE * labels[at].lines;
  }
  let room = bottom;
  for (const at of order.toReversed()) {
    places[at] = Math.min(room - LINE * (labels[at].lines - 1), places[at]);
    room = places[at] - LINE;
  }
  return places;
}

/**
 * Names at the curves' ends; that of the present one with its value there.
 *
 * @param {View} view
 */
function drawNames({ curves, now, frame }) {
  const labels = curves.map((drawn) => {
    const value = drawn.curve === now ? endText(now.values[0]) : "";
    const texts = lines(drawn.name, value, frame.left - 54);
    const end = heightOf(drawn.curve.values[0], frame);
    return { ...drawn, texts, end, wanted: end, lines: texts.length };
  });
  const named = labels.filter(({ lines }) => lines);
  const places = apart(named, [frame.top, frame.bottom]);
  return named.flatMap(({ texts, tone, curve, end, name }, at) => {
    const x = frame.x(curve.layers[0]);
    const away = Math.abs(places[at] - end) > 4;
    const lead = away ? `M${frame.left - 5} ${places[at]}L${x - 3} ${end}` : "";
    const said = texts.map((text, line) => {
      const element = words(frame.left - 8, places[at] + 4 + LINE * line, text, "end");
      set(element, { class: `name ${tone}` });
      element.append(make("title", {}, [name]));
      return element;
    });
    return [make("path", { class: "lead", d: lead }), ...said];
  });
}

/** A name and a value, on one line where that is short. @param {number} width in pixels */
function lines(/** @type {string} */ name, /** @type {string} */ value, width) {
  const most = Math.floor(width / 7.2);
  const both = [name, value].filter(Boolean).join(": ");
  if (both.length <= most) return both ? [both] : [];
  const fitted = name.length > most ? `${name.slice(0, most - 1)}…` : name;
  return [fitted, value].filter(Boolean);
}

/** A number of decades as it is written at a curve's end. @param {Value} value */
export function endText(value) {
  if (typeof value !== "number") return value === "zero" ? "exactly 0" : "overflows";
  if (Math.abs(value) >= 3) return power(Math.round(value));
  return `${twoDigits(10 ** value)}`;
}

/**
 * Where it arrives, as a dot; and its value on the right, where names have no place.
 *
 * @param {Curve} curve
 * @param {Setting} setting
 * @param {Frame} frame
 */
function drawEnd({ layers, values }, setting, frame) {
  const at = layers.indexOf(farLayer(setting));
  const place = /** @type {Point} */ ([frame.x(layers[at]), heightOf(values[at], frame)]);
  const disc = make("path", { class: `disc ${toneOf(setting)}`, d: discPath(place, 4) });
  const last = values[values.length - 1];
  const above = Math.max(frame.top, heightOf(last, frame) - 10);
  const text = words(frame.right + 14, above, values.length > 1 ? endText(last) : "", "end");
  set(text, { class: `name ${toneOf(setting)}` });
  return [disc, text];
}

/** Whose colour a network has. @param {{shortcut: boolean}} setting @returns {Tone} */
export const toneOf = ({ shortcut }) => (shortcut ? "residual" : "plain");

/** @param {NonNullable<View["miss"]>} miss @param {Setting} setting @param {Frame} frame */
function drawMiss({ from, to, words: said }, setting, frame) {
  const x = frame.x(layerAt(1, setting));
  const [start, end] = [heightOf(from, frame), heightOf(to, frame)];
  const side = isForward(setting) ? -1 : 1;
  // Beside the miss, or under it where it is small: not on the curves.
  const beside = Math.abs(start - end) > 30;
  const height = beside ? (start + end) / 2 + 4 : Math.max(start, end) + 20;
  const text = words(x + 10 * side, height, said, side > 0 ? "start" : "end");
  set(text, { class: "miss" });
  return [make("path", { class: "missed", d: `M${x} ${start}V${end}` }), text];
}
