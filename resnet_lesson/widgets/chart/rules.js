// Rules for what a kernel sends, as the package's Python has them for what a page sends.

/** @typedef {(value: any) => boolean} Is */

/** @type {Is} */
export const isFlag = (value) => typeof value === "boolean";

/** @type {Is} */
export const isText = (value) => typeof value === "string";

/** @type {Is} */
export const isName = (value) => isText(value) && value !== "";

/** @type {Is} */
export const isNumber = (value) => Number.isFinite(value);

/** @param {number} least @param {number} [most] @returns {Is} */
export const isWhole =
  (least, most = Number.MAX_SAFE_INTEGER) =>
  (value) =>
    Number.isInteger(value) && least <= value && value <= most;

/** @param {readonly unknown[]} values @returns {Is} */
export const isOneOf = (values) => (value) => values.includes(value);

/** @param {Is} is @returns {Is} */
export const isNullOr = (is) => (value) => value === null || is(value);

/** @param {Is} is @param {number} [most] items @returns {Is} */
export const isListOf =
  (is, most = Infinity) =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every((one) => is(one));

/** @type {Is} */
export const isTexts = isListOf(isText);

/**
 * A dict that has at least these entries.
 *
 * @param {Record<string, Is>} rules of each
 * @returns {Is}
 */
export const isDictOf = (rules) => (value) =>
  isDict(value) &&
  Object.entries(rules).every(([name, is]) => Object.hasOwn(value, name) && is(value[name]));

/** @type {Is} */
export const isDict = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {Is} is of each entry @returns {Is} */
export const isEach = (is) => (value) => isDict(value) && Object.values(value).every(is);
