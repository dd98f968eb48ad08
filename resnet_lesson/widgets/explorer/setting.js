// What the explorer shows: its traits, and their names.

import { explorer, order as usual } from "../chart/constants.js";
import { plain } from "../chart/words.js";

/**
 * @typedef {object} Setting
 * @property {string} kind
 * @property {string} order
 * @property {string} activation
 * @property {string} initializer
 * @property {boolean} normalization
 * @property {boolean} shortcut
 * @property {number} depth
 * @property {string} quantity
 * @property {number} seed
 */
/** @typedef {keyof Setting} Trait */
/** @typedef {import("../chart/curve.js").Curve & {label: string}} LabelledCurve */
/** @typedef {import("./guess.js").Guess} Guess */
/**
 * The words of curves that the package's Python has.
 *
 * @typedef {object} Words
 * @property {Record<string, string>} subjects by quantity
 * @property {Record<string, string>} sentences by shape
 * @property {Record<string, string>} endings by what is counted
 * @property {Record<string, string>} quantities as a label names them
 */
/**
 * All traits of the widget.
 *
 * @typedef {Setting & {
 *   curve: LabelledCurve, status: string, answers: number, pins: LabelledCurve[],
 *   guessing: boolean, guess: Guess | {}, guesses: Guess[], grid: string, words: Words,
 *   presets: {question: string, setting: Setting}[], preset_axis: import("../chart/scale.js").Ends,
 * }} Traits
 */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */

/** What tells the recorded networks apart, besides depth. */
export const SETTING = /** @type {Trait[]} */ (explorer.setting);
/** All that a curve depends on. */
export const TRAITS = /** @type {Trait[]} */ (explorer.traits);
/** What a guess is of. */
export const GUESSED = /** @type {Trait[]} */ (explorer.guessed);

/** The traits that have a control, and its name. */
export const NAMES = {
  depth: "Depth",
  activation: "Activation",
  shortcut: "Shortcut",
  initializer: "Initialiser",
  normalization: "Batch normalisation",
  order: "Order",
  kind: "Kind",
  quantity: "Show",
};

/** @typedef {keyof typeof NAMES} Controlled */

/**
 * These traits of a setting.
 *
 * @param {Trait[]} names
 * @param {(name: Trait) => unknown} get
 */
export const pick = (names, get) =>
  /** @type {Setting} */ (Object.fromEntries(names.map((name) => [name, get(name)])));

/** The setting in words. @param {Setting} setting */
export function label(setting) {
  const { kind, depth, order, seed } = setting;
  const layers = /** @type {Record<string, string>} */ (explorer.layers)[kind] ?? `${kind} module`;
  return [
    `${depth} ${setting.activation} ${layers}${depth > 1 ? "s" : ""}`,
    `${setting.initializer} weights`,
    ...(setting.normalization ? ["BN"] : []),
    ...(setting.shortcut ? ["shortcuts"] : []),
    ...(order === usual ? [] : [plain(order)]),
    ...(seed ? [`draw ${seed + 1}`] : []),
  ].join(", ");
}
