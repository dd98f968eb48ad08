// What the explorer's traits may be.

import { explorer } from "../chart/constants.js";
import {
  isDict,
  isDictOf,
  isEach,
  isFlag,
  isListOf,
  isNumber,
  isOneOf,
  isText,
  isTexts,
  isWhole,
} from "../chart/rules.js";
import { GUESSED, NAMES, TRAITS, valuesOf } from "./setting.js";

/** @typedef {import("./setting.js").Trait} Trait */

const VALUES = ["zero", "infinite", "undefined"]; // of norms that have no logarithm
const DECADES = 150; // of any other, either way
export const LARGEST_SEED = 2 ** 32 - 1;

/** @param {Trait} name */
const ruleOf = (name) => (name === "seed" ? isWhole(0, LARGEST_SEED) : isOneOf(valuesOf(name)));

/** @param {Trait[]} names */
const isSettingOf = (names) =>
  isDictOf(Object.fromEntries(names.map((name) => [name, ruleOf(name)])));

const isSetting = isSettingOf(TRAITS);
const isLayer = isWhole(1, explorer.most);
const isValue = (/** @type {any} */ value) =>
  VALUES.includes(value) || (isNumber(value) && Math.abs(value) <= DECADES);

/** @type {import("../chart/rules.js").Is} */
const isLabelled = isDictOf({
  label: isText,
  layers: isListOf(isLayer),
  values: isListOf(isValue),
});

/** A curve, with its setting or without. @param {any} value */
export const isCurve = (value) =>
  isLabelled(value) &&
  value.layers.length > 0 &&
  value.layers.length === value.values.length &&
  value.layers.every((/** @type {number} */ one, /** @type {number} */ at) => {
    return at === 0 || one > value.layers[at - 1];
  }) &&
  (value.setting === undefined || isSetting(value.setting));

const isDecades = (/** @type {any} */ value) =>
  isNumber(value) && Math.abs(value) <= explorer.decades;
const isGuess = isDictOf({ setting: isSettingOf(GUESSED), end: isDecades, bend: isDecades });

const isQuestion = isDictOf({
  question: isText,
  control: isOneOf(Object.keys(NAMES)),
  setting: isSetting,
  why: isText,
});

const QUANTITIES = /** @type {string[]} */ (valuesOf("quantity"));
const isByQuantity = isDictOf(Object.fromEntries(QUANTITIES.map((name) => [name, isText])));
const isWords = isDictOf({
  ...{ seen: isByQuantity, nothing: isByQuantity, how: isEach(isText), quantities: isEach(isText) },
  ...{ zero: isText, odd: isText, alone: isText },
});
const isDescribed = isEach(
  (value) => isText(value) || isNumber(value) || isFlag(value) || value === null,
);

const areEnds = (/** @type {any} */ value) =>
  isListOf(isNumber)(value) && value.length === 2 && value[0] < value[1];
const isNothing = (/** @type {any} */ value) => isDict(value) && Object.keys(value).length === 0;

/** @type {import("../chart/readable.js").Rules} */
export const RULES = {
  ...Object.fromEntries(
    TRAITS.map((name) => [name, { is: ruleOf(name), usual: Object(explorer.defaults)[name] }]),
  ),
  words: { is: isWords, fixed: true },
  questions: { is: isListOf(isQuestion), fixed: true },
  axis: { is: areEnds, fixed: true },
  grid: { is: isText, fixed: true },
  curve: { is: (value) => isCurve(value) && value.setting !== undefined },
  described: {
    is: (value, get) => isDescribed(value) && Object.hasOwn(get("words")?.how ?? {}, value.shape),
  },
  answers: { is: isNumber, usual: 0 },
  pins: { is: isListOf(isCurve), usual: [] },
  guessing: { is: isFlag, usual: false },
  guess: { is: (value) => isNothing(value) || isGuess(value), usual: {} },
  guesses: { is: isListOf(isGuess), usual: [] },
  question: { is: (value, get) => isWhole(0, get("questions")?.length ?? 0)(value), usual: 0 },
  hide: { is: isTexts, usual: [] },
};
