// A guess is a curve of two numbers, both in decades: `end`, from where the gradient sets out (for
// the signal: from the input) to where it ends up, and `bend`, half-way above the straight line.

import { linear } from "../chart/scale.js";
import { power, twoDigits } from "../chart/words.js";
import { GUESSED, label, pick } from "./setting.js";

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("../chart/curve.js").Curve} Curve */
/** @typedef {import("../chart/curve.js").Value} Value */
/** @typedef {{end: number, bend: number}} Shape */
/** @typedef {Shape & {setting: Setting}} Guess with the network that it is about */
/** @typedef {{t: number, fallen: number | null}} Fallen how far, a share t of the way on */

export const LOWEST = -45; // the decade in which float32 ends

/**
 * The axis of a picture with a guess. It holds what networks of this depth do: the fastest fall by
 * three quarters of a decade a layer, the fastest rise by less than half of one.
 *
 * @param {{depth: number}} setting
 * @returns {import("../chart/scale.js").Ends}
 */
export const guessAxis = ({ depth }) => [
  Math.max(LOWEST, -5 * Math.ceil((0.75 * depth) / 5)),
  Math.min(20, 5 * Math.ceil((0.15 * depth) / 5)),
];

/** @param {Setting} setting */
export const isForward = (setting) => setting.quantity === "signal";

/** @param {Setting} setting */
export const farEnd = (setting) => (isForward(setting) ? "last layer" : "first layer");

/** The layer at which the quantity arrives. @param {Setting} setting */
export const farLayer = (setting) => (isForward(setting) ? setting.depth : 1);

/** @param {Partial<Guess>} guess @param {Setting} setting @returns {guess is Guess} */
export const isOf = (guess, setting) =>
  GUESSED.every((name) => guess.setting?.[name] === setting[name]);

/** With the network that it is about. @param {Shape} shape @param {Setting} setting */
export const stamped = ({ end, bend }, setting) => ({
  setting: pick(GUESSED, (name) => setting[name]),
  end,
  bend,
});

/** Decades, a share t of the way from where it sets out. @param {Shape} shape @param {number} t */
export const guessedAt = ({ end, bend }, t) => end * t + 4 * bend * t * (1 - t);

/** Layer by the share of the way that lies behind. @param {number} t @param {Setting} setting */
export const layerAt = (t, setting) =>
  linear(isForward(setting) ? [0, 1] : [1, 0], [1, setting.depth])(t);

/**
 * The decade of a value: nothing is smaller than float32's smallest; null above all.
 *
 * @param {Value} value
 */
function decade(value) {
  if (value === "zero") return LOWEST;
  return typeof value === "number" ? value : null;
}

/**
 * Measured decades by share of the way, from where it sets out, which is `start`.
 *
 * @param {Curve} curve
 * @param {Setting} setting
 */
export function measured(curve, setting) {
  const decades = curve.values.map(decade);
  const start = decades.at(isForward(setting) ? 0 : -1) ?? 0;
  const points = curve.layers.map((layer, at) => {
    const t = (layer - 1) / Math.max(1, setting.depth - 1);
    const value = decades[at];
    return { t: isForward(setting) ? t : 1 - t, fallen: value === null ? null : value - start };
  });
  return { start, points: points.sort((one, other) => one.t - other.t) };
}

/** @param {Shape} guess @param {Curve} curve what was measured @param {Setting} setting */
export function guessCurve(guess, curve, setting) {
  const { start } = measured(curve, setting);
  const steps = Math.min(40, setting.depth - 1);
  const points = Array.from({ length: steps + 1 }, (_, at) => {
    const t = steps ? at / steps : 0;
    return { layer: layerAt(t, setting), value: start + guessedAt(guess, t) };
  });
  points.sort((one, other) => one.layer - other.layer);
  return { layers: points.map(({ layer }) => layer), values: points.map(({ value }) => value) };
}

/** So many decades as a share: "20 %", "10⁻⁹", "140 times". @param {number} decades */
export function share(decades) {
  const size = Math.abs(decades) < 3 ? `${twoDigits(10 ** decades)}` : power(Math.round(decades));
  if (decades >= 0) return `${size} times`;
  return decades > -3 ? `${twoDigits(100 * 10 ** decades)} %` : size;
}

/** The same before what it is a share of. @param {number} decades */
export const shareOf = (decades) => (decades >= 0 ? share(decades) : `${share(decades)} of`);

/** What the reader guesses, while they drag. @param {Shape} guess @param {Setting} setting */
export function guessWords({ end, bend }, setting) {
  const [far, near] = isForward(setting) ? ["last", "first"] : ["first", "last"];
  const size = Math.abs(end) < 0.05 ? "as much as" : `${shareOf(end)} what`;
  const shape = Math.abs(bend) < 0.05 ? "" : `, on a line that bends ${bend > 0 ? "up" : "down"}`;
  return `Your guess: the ${far} layer gets ${size} the ${near} one has${shape}.`;
}

/**
 * A guessed number in words, for who cannot see the handle.
 *
 * @param {keyof Shape} name
 * @param {number} decades
 */
export function handleWords(name, decades) {
  if (name === "end") return decades === 0 ? "as large as where it sets out" : shareOf(decades);
  const size = `${Math.abs(decades)} powers of ten`;
  return decades === 0
    ? "straight"
    : `${size} ${decades > 0 ? "above" : "below"} the straight line`;
}

/** What a reader who guesses is asked. @param {Setting} setting */
export const task = (setting) =>
  isForward(setting)
    ? `${capital(label(setting))}: how large is the signal at the last?`
    : `${capital(label(setting))}: how much gradient reaches the first?`;

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);
