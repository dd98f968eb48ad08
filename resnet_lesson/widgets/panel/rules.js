// What the panel's traits and its kernel's messages may be, as recording.py has it for files.

import { panel } from "../chart/constants.js";
import { bytes } from "../chart/data.js";
import {
  isDictOf,
  isFlag,
  isListOf,
  isName,
  isNullOr,
  isNumber,
  isOneOf,
  isText,
  isWhole,
} from "../chart/rules.js";
import { MEASURES } from "./recording.js";

/** @typedef {import("./recording.js").Columns} Columns */
/** @typedef {import("./recording.js").Scale} Scale */
/** @typedef {import("../chart/readable.js").Get} Get */

const isCount = isWhole(1);
const isLog = isListOf(isNullOr(isNumber));
const isBad = isDictOf({ layer: isName, step: isWhole(0), what: isName, where: isName });
const isStrip = isDictOf({
  ...{ stride: isCount, from: isWhole(0), codes: isText, loss: isLog, accuracy: isLog },
});
const isShaped = isDictOf({
  ...{ name: isName, layers: isListOf(isName), every: isCount, total: isNullOr(isCount) },
  ...{ metric: isNullOr(isName), steps: isCount, bad: isNullOr(isBad) },
  ...{ whole: isStrip, opening: isStrip },
});

/** How many bytes base64 holds; none where it is not that. @param {string} text */
function sizeOf(text) {
  try {
    return bytes(text).length;
  } catch {
    return null;
  }
}

/** @param {Columns} strip @param {number} capacity @param {number} layers */
const fits = ({ from, codes, loss, accuracy }, capacity, layers) =>
  from + loss.length <= capacity &&
  loss.length === accuracy.length &&
  sizeOf(codes) === 2 * MEASURES.length * layers * loss.length;

/** What is new of a run. @param {any} part @param {Scale} scale */
const isPart = (part, { columns, opening }) =>
  isShaped(part) &&
  part.layers.length > 0 &&
  fits(part.whole, columns, part.layers.length) &&
  fits(part.opening, opening, part.layers.length);

/** Two at most, of different names. @param {any} value @param {Scale} scale */
function areParts(value, scale) {
  const are = isListOf((part) => isPart(part, scale), 2)(value);
  return are && new Set(value.map((/** @type {any} */ { name }) => name)).size === value.length;
}

const STATES = ["ready", "stopped", "finished", "failed", ...panel.live];
const isSaid = isDictOf({
  ...{ training: isWhole(0), state: isOneOf(STATES), error: isText },
  ...{ seconds: isNullOr(isNumber), left: isNullOr(isNumber) },
});

/** A message of the kernel: how the training stands, and what is new. @param {Scale} scale */
export const isFrame = (scale) => (/** @type {any} */ message) =>
  isSaid(message) && areParts(message.runs, scale);

const isScale = isDictOf({
  ...{ columns: isCount, opening: isCount, per_decade: isCount },
  ...{ zero: isNumber, nan: isNumber, infinite: isNumber },
});

/** @param {any} value */
const areNames = (value) => isListOf(isName, 2)(value) && new Set(value).size === value.length;

/** None only where there is something to train. @param {any} value @param {Get} get */
const areRuns = (value, get) =>
  get("scale") !== undefined &&
  areParts(value, get("scale")) &&
  value.length + get("networks").length > 0;

/** @type {import("../chart/readable.js").Rules} */
export const RULES = {
  scale: { is: isScale, fixed: true },
  networks: { is: areNames, usual: [], fixed: true },
  runs: { is: areRuns },
  quantity: { is: isOneOf(MEASURES), usual: MEASURES[0] },
  zoom: { is: isFlag, usual: false },
};
