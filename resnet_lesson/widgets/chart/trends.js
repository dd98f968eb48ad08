// How norms change from layer to layer, in the terms that the sentences have places for: what
// trends.py of the package does, whose words these are filled into.

import { power } from "./words.js";

const LEVEL = 10; // norms within such a factor are called level

/**
 * Norms by layer, input side first, in the order in which the quantity travels.
 *
 * @param {number[]} norms
 * @param {string} quantity
 * @returns {import("../explorer/setting.js").Described}
 */
export function describe(norms, quantity) {
  const travelled = quantity === "signal" ? norms : norms.toReversed();
  const [start, end] = [travelled[0], travelled[norms.length - 1]];
  const [distance, logs] = [[], []].map(() => /** @type {number[]} */ ([]));
  for (const [at, norm] of travelled.entries()) {
    if (!isPositive(norm)) continue;
    distance.push(at + 1);
    logs.push(Math.log10(norm));
  }
  return {
    ...shape(distance, logs),
    share: isPositive(start) && isPositive(end) ? share(Math.log10(end) - Math.log10(start)) : "",
    depth: norms.length,
    zero: norms.filter((norm) => norm === 0).length,
    odd: norms.filter((norm) => !Number.isFinite(norm)).length,
  };
}

const isPositive = (/** @type {number} */ norm) => norm > 0 && Number.isFinite(norm);

/** So many decades as a share. @param {number} decades */
function share(decades) {
  const ratio = 10 ** decades;
  if (ratio > 0.95 && ratio < 1.05) return "about as large as";
  if (Math.abs(decades) >= 3) {
    return `about ${power(Math.round(decades))} ${decades > 0 ? "times" : "of"}`;
  }
  return ratio > 1 ? `${figure(ratio)} times` : `${figure(100 * ratio)} % of`;
}

/**
 * @param {number[]} distance @param {number[]} logs
 * @returns {{shape: string} & Record<string, string>}
 */
function shape(distance, logs) {
  if (logs.length < 2) return { shape: "few" };
  const span = Math.max(...logs) - Math.min(...logs);
  const change = logs[logs.length - 1] - logs[0];
  if (span < Math.log10(LEVEL)) return { shape: "level", ratio: figure(10 ** span) };
  const { slope, exponential } = trend(distance, logs);
  if (exponential) {
    const factor = 10 ** slope; // near one, its second digit says nothing
    const near = factor > 0.9 && factor < 1.1;
    const text = near ? `${Number(factor.toPrecision(3))}` : figure(factor);
    return { shape: slope > 0 ? "grows" : "shrinks", factor: text };
  }
  if (Math.abs(change) < 0.8 * span) return { shape: "wanders", ratio: figure(10 ** span) };
  return { shape: change > 0 ? "rises" : "falls" };
}

/** Decades a layer, and whether they are constant. @param {number[]} x @param {number[]} logs */
function trend(x, logs) {
  const { slope, left, all } = line(x, logs);
  const ofPower = line(x.map(Math.log), logs).left;
  return { slope, exponential: left < ofPower && left < 0.02 * all };
}

/**
 * The least-squares line: its slope, the sum of squares that it leaves, and the one it found.
 *
 * @param {number[]} x
 * @param {number[]} y
 */
function line(x, y) {
  const mean = (/** @type {number[]} */ of) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const [middle, height] = [mean(x), mean(y)];
  const [across, up] = [x.map((one) => one - middle), y.map((one) => one - height)];
  const dot = (/** @type {number[]} */ one, /** @type {number[]} */ other) =>
    one.reduce((sum, value, at) => sum + value * other[at], 0);
  const slope = dot(across, up) / dot(across, across);
  const left = up.map((value, at) => value - slope * across[at]);
  return { slope, left: dot(left, left), all: dot(up, up) };
}

/** With two significant digits; a large one by its power of ten. @param {number} value */
function figure(value) {
  if (value >= 1e4) return power(Math.round(Math.log10(value)));
  const two = Number(value.toPrecision(2));
  return two < 1e-4 ? pythonic(two) : two.toLocaleString("en", { maximumSignificantDigits: 6 });
}

/** A small number as Python writes it: 5e-05. @param {number} value */
const pythonic = (value) => value.toExponential().replace(/e-(\d)$/, "e-0$1");
