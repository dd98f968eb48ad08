// Curves computed beforehand, as the widget's trait `grid` holds them.

import { bytes, unpacked } from "../chart/data.js";
import { filled } from "../chart/words.js";
import { SETTING } from "./setting.js";

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("../chart/curve.js").Value} Value */
/** @typedef {import("./setting.js").Described} Described */
/**
 * @typedef {object} Packed
 * @property {Record<string, string[]>} choices of each control
 * @property {number[]} depths that are recorded
 * @property {number} most layers that the engine takes
 * @property {number} layers kept of each curve, at most
 * @property {number} steps codes in a decade
 * @property {string[]} settings the recorded ones, as text
 * @property {Described[]} descriptions
 * @property {number[]} described which description each curve has
 */
/** @typedef {Packed & {codes: DataView, words: Record<number, Value>}} Grid `words` by code */

/** The grid, unpacked. @param {string} packed @returns {Promise<Grid>} */
export async function readGrid(packed) {
  const grid = JSON.parse(new TextDecoder().decode(await unpacked(packed)));
  const words = Object.fromEntries(Object.entries(grid.words).map(([word, code]) => [code, word]));
  return { ...grid, codes: new DataView(bytes(grid.codes).buffer), words };
}

/** What the grid has for a setting that it holds. @param {Grid} grid @param {Setting} setting */
export function lookUp(grid, setting) {
  const index = indexOf(grid, setting);
  const layers = keptLayers(setting.depth, grid.layers);
  const values = layers.map((_, at) => {
    const code = grid.codes.getInt16(2 * (index * grid.layers + at), true);
    return grid.words[code] ?? code / grid.steps;
  });
  return { curve: { layers, values }, described: grid.descriptions[grid.described[index]] };
}

/**
 * Curves lie in the order of settings, depths and quantities, the last changing fastest.
 *
 * @param {Grid} grid
 * @param {Setting} setting
 */
function indexOf({ settings, depths, choices }, setting) {
  const place = settings.indexOf(SETTING.map((name) => setting[name]).join(","));
  const deep = depths.indexOf(setting.depth);
  const { quantity } = choices;
  return (place * depths.length + deep) * quantity.length + quantity.indexOf(setting.quantity);
}

/**
 * As NumPy has it: evenly spread, halves rounded to even.
 *
 * @param {number} depth
 * @param {number} most
 */
export function keptLayers(depth, most) {
  const count = Math.min(depth, most);
  const even = (/** @type {number} */ x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  const spread = Array.from({ length: count }, (_, at) =>
    even(count === 1 ? 1 : 1 + (at * (depth - 1)) / (count - 1)),
  );
  return [...new Set(spread)];
}

/**
 * The recorded setting nearest to the one that is wanted. What the reader has just changed stays
 * as they want it, and a depth moves on in the direction in which they moved it.
 *
 * @param {Pick<Grid, "settings" | "depths">} grid
 * @param {Setting} wanted
 * @param {Setting} before
 * @returns {Setting}
 */
export function nearestRecorded({ settings, depths }, wanted, before) {
  const prices = SETTING.map((name) => (wanted[name] === before[name] ? 1 : SETTING.length));
  const cost = (/** @type {string[]} */ values) =>
    SETTING.reduce((sum, name, at) => sum + (`${wanted[name]}` === values[at] ? 0 : prices[at]), 0);
  const best = settings
    .map((key) => key.split(","))
    .reduce((one, other) => (cost(other) < cost(one) ? other : one));
  const recorded = SETTING.map((name, at) => [
    name,
    typeof wanted[name] === "boolean" ? best[at] === "true" : best[at],
  ]);
  const depth = nearestDepth(depths, wanted.depth, before.depth);
  return { ...wanted, ...Object.fromEntries(recorded), seed: 0, depth };
}

/** @param {number[]} depths @param {number} depth @param {number} before */
function nearestDepth(depths, depth, before) {
  const ahead = depths.filter((one) => (depth > before ? one > before : one < before));
  const among = ahead.length && depth !== before ? ahead : depths;
  const distance = (/** @type {number} */ one) => Math.abs(one - depth);
  return among.reduce((best, one) => (distance(one) < distance(best) ? one : best));
}

/**
 * A described curve in words: what is seen, and how it comes to that.
 *
 * @param {import("./setting.js").Words} words
 * @param {Described} described
 * @param {string} quantity
 */
export function sentences(words, described, quantity) {
  const measured = described.share ? words.seen[quantity] : words.zero;
  const compared = described.depth === 1 ? words.alone : measured;
  const values = { ...described, nothing: words.nothing[quantity] };
  return {
    seen: filled(described.odd ? words.odd : compared, values),
    how: filled(words.how[described.shape], values),
  };
}
