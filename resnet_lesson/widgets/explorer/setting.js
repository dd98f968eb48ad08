// What the explorer shows: its traits, and their names.

import { explorer, order as usual } from "../chart/constants.js";
import { asPython, plain } from "../chart/words.js";

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
/**
 * A pin of an earlier version has no setting. What the page drew says so.
 *
 * @typedef {import("../chart/curve.js").Curve &
 *   {label: string, setting?: Setting, page?: boolean}} LabelledCurve
 */
/** @typedef {import("./guess.js").Guess} Guess */
/**
 * The words of curves that the package's Python has (trends.py).
 *
 * @typedef {object} Words
 * @property {Record<string, string>} seen by quantity
 * @property {Record<string, string>} nothing by quantity
 * @property {string} zero
 * @property {string} odd
 * @property {string} alone
 * @property {Record<string, string>} how by shape
 * @property {Record<string, string>} quantities as a label names them
 */
/** @typedef {Record<string, string | number> & {shape: string}} Described as trends.py describes */
/**
 * @typedef {object} Question
 * @property {string} question
 * @property {string} control that it speaks of
 * @property {Setting} setting
 * @property {string} why the answer is what it is
 */
/**
 * All traits of the widget.
 *
 * @typedef {Setting & {
 *   curve: LabelledCurve, described: Described, answers: number, pins: LabelledCurve[],
 *   guessing: boolean, guess: Guess | {}, guesses: Guess[], grid: string, words: Words,
 *   question: number, questions: Question[], axis: import("../chart/scale.js").Ends,
 *   hide: string[],
 * }} Traits
 */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */

/** What tells the recorded networks apart, besides depth. */
export const SETTING = /** @type {Trait[]} */ (explorer.setting);
/** All that a curve depends on. */
export const TRAITS = /** @type {Trait[]} */ (explorer.traits);
/** What a guess is of. */
export const GUESSED = /** @type {Trait[]} */ (explorer.guessed);

/** The values that the trait takes, but for the seed, whose are too many. @param {Trait} name */
export function valuesOf(name) {
  if (name === "depth") return Array.from({ length: explorer.most }, (_, at) => at + 1);
  const choices = /** @type {Record<string, unknown[]>} */ (explorer.choices);
  return choices[name] ?? [false, true];
}

/** The traits that have a control, and its name. */
export const NAMES = {
  depth: "Depth",
  activation: "Activation",
  normalization: "Batch normalisation",
  shortcut: "Shortcut",
  initializer: "Starting weights",
  order: "Order",
  kind: "Layers",
  quantity: "What is drawn",
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

/** @type {Record<string, string>} */
const WORDS = explorer.words;

/**
 * A value of a control as its option says it.
 *
 * @param {string} name
 * @param {string} value
 */
export function valueWords(name, value) {
  if (name === "quantity") return QUANTITIES[value];
  if (name === "order") return `${letter(value)} ${WORDS[value]}`;
  return WORDS[value] ?? plain(value);
}

/** @type {Record<string, string>} */
const WITHOUT_BN = explorer.without_bn;

/** The orders as He et al. 2016 letter them: (a) to (e). @param {string} order */
const letter = (order) => `(${"abcde"[explorer.choices.order.indexOf(order)]})`;

/** @type {Record<string, string>} */
const QUANTITIES = {
  signal_gradient: "gradient",
  weight_gradient: "weights",
  signal: "signal",
};

/**
 * Controls that change nothing at present, and why.
 *
 * @param {Setting} setting
 * @returns {Partial<Record<Controlled, string>>}
 */
export const noEffect = ({ normalization, shortcut }) =>
  normalization || shortcut ? {} : { order: "Off: no shortcut and no BN." };

/** What a trait is, in a word or two. @param {Trait} name @param {Setting} setting */
function traitWords(name, setting) {
  const value = `${setting[name]}`;
  /** @type {Partial<Record<Trait, string>>} */
  const words = {
    depth: `${value} layers`,
    normalization: setting.normalization ? "BN" : "no BN",
    order: `order ${letter(value)}`,
    shortcut: setting.shortcut ? "shortcut" : "no shortcut",
    seed: `draw ${setting.seed + 1}`,
  };
  return words[name] ?? valueWords(name, value);
}

/** @param {Setting} one @param {Setting | undefined} other */
export const differing = (one, other) =>
  other ? TRAITS.filter((name) => one[name] !== other[name]) : [];

/**
 * Short names of curves in the order in which they were made: what each has changed.
 *
 * @param {LabelledCurve[]} curves
 */
export const shortNames = (curves) =>
  curves.map(({ setting, page, label: whole }, at) => {
    if (!setting) return whole;
    const other = curves[at - 1] ?? curves[at + 1];
    const changed = differing(setting, other?.setting).map((name) => traitWords(name, setting));
    if (other && page !== other.page) changed.push(page ? "your browser's" : "the kernel's");
    return changed.join(", ");
  });

/**
 * The line of Python that shows this view again.
 *
 * @param {Setting} setting
 * @param {LabelledCurve[]} pins
 * @param {string[]} hide
 */
export function call(setting, pins, hide) {
  const kept = pins.flatMap((pin) => (pin.setting ? [pin.setting] : []));
  const compared = kept.map(
    (one) =>
      `{${changes(one, setting)
        .map(([name, value]) => `"${name}": ${value}`)
        .join(", ")}}`,
  );
  const parts = changes(setting, /** @type {Setting} */ (explorer.defaults)).map(
    ([name, value]) => `${name}=${value}`,
  );
  if (compared.length) parts.push(`compare=[${compared.join(", ")}]`);
  if (hide.length) parts.push(`hide=${asPython(hide)}`);
  return `GradientExplorer(${parts.join(", ")})`;
}

/** @param {Setting} setting @param {Setting} from @returns {[Trait, string][]} */
const changes = (setting, from) =>
  differing(setting, from).map((name) => [name, asPython(setting[name])]);

/**
 * The order; of those that come to the same without BN or shortcut, the one that names none.
 *
 * @param {Setting} setting
 */
function orderOf({ order, normalization, shortcut }) {
  if (!shortcut && order.includes("addition")) return "original";
  return (normalization ? undefined : WITHOUT_BN[order]) ?? order;
}

/**
 * The setting in words, and which random weights it has: those of the kernel or of the page.
 *
 * @param {Setting} setting
 * @param {boolean} [page]
 */
export function label(setting, page) {
  const { kind, depth, seed } = setting;
  const order = orderOf(setting);
  const layers = /** @type {Record<string, string>} */ (explorer.layers)[kind] ?? `${kind} module`;
  return [
    `${depth} ${valueWords("activation", setting.activation)} ${layers}${depth > 1 ? "s" : ""}`,
    `${valueWords("initializer", setting.initializer)} weights`,
    ...(setting.normalization ? ["BN"] : []),
    ...(setting.shortcut ? ["shortcuts"] : []),
    ...(order === usual ? [] : [WORDS[order]]),
    ...(page ? [`draw ${seed + 1} of your browser`] : seed ? [`draw ${seed + 1}`] : []),
  ].join(", ");
}
