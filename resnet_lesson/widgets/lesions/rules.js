// What the lesion explorer's traits may be.

import { isListOf, isName, isOneOf, isWhole } from "../chart/rules.js";

/** @typedef {import("../chart/readable.js").Get} Get */

const isNames = isListOf(isName);
const isCounts = isListOf(isWhole(0));

/** Different names, at least one. @param {any} value */
const areNames = (value) =>
  isNames(value) && value.length > 0 && new Set(value).size === value.length;

/**
 * For each set of modules, two lists of counts by class.
 *
 * @param {any} text
 * @param {Get} get
 */
function areCounts(text, get) {
  const [modules, names] = [get("modules"), get("class_names")];
  try {
    const counts = JSON.parse(text);
    const isByClass = (/** @type {any} */ one) => isCounts(one) && one.length === names.length;
    const isSet = (/** @type {any} */ one) => isListOf(isByClass)(one) && one.length === 2;
    return isListOf(isSet)(counts) && counts.length === 2 ** modules.length;
  } catch {
    return false;
  }
}

/** @param {any} value @param {Get} get */
const areModules = (value, get) => isListOf(isOneOf(get("modules") ?? []))(value);

/** @type {import("../chart/readable.js").Rules} */
export const RULES = {
  modules: { is: areNames, fixed: true },
  class_names: { is: areNames, fixed: true },
  images: {
    is: (value, get) => isCounts(value) && value.length === get("class_names")?.length,
    fixed: true,
  },
  counts: { is: areCounts, fixed: true },
  deleted: { is: areModules, usual: [] },
  tried: { is: areModules, usual: [] },
};
