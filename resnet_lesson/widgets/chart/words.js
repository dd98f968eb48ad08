// Names and numbers as readers see them.

/** @param {string} name */
export const plain = (name) => name.replaceAll("_", " ");

/** @param {number} value */
export const grouped = (value) => value.toLocaleString("en");

/** @param {number} part @param {number} whole */
export const percent = (part, whole) => `${(Math.round((1000 * part) / whole) / 10).toFixed(1)} %`;

/** To a tenth. @param {number} value */
export const rounded = (value) => Math.round(10 * value) / 10;

/** With three digits. @param {number | null} value null for what JSON does not have */
export const threeDigits = (value) =>
  value === null ? "not finite" : Number(value.toPrecision(3)).toString();

/** The number with so many decades: 2.0e-5. @param {number} decades */
export const short = (decades) =>
  decades === -Infinity ? "0" : (10 ** decades).toExponential(1).replace("e+", "e");

/**
 * Where a template says {name}, the value of that name.
 *
 * @param {string} template
 * @param {Record<string, unknown>} values
 */
export const filled = (template, values) =>
  template.replace(/\{(\w+)\}/g, (_, name) => `${values[name]}`);

/** A value as Python writes it. @param {unknown} value @returns {string} */
export function asPython(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return Array.isArray(value) ? `[${value.map(asPython).join(", ")}]` : JSON.stringify(value);
}

/** To two digits. @param {number} value */
export const twoDigits = (value) => Number(value.toPrecision(2));

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A power of ten as it is written: 10⁻¹⁰. @param {number} exponent a whole number */
export const power = (exponent) =>
  `10${exponent < 0 ? "⁻" : ""}${[...`${Math.abs(exponent)}`].map((one) => RAISED[+one]).join("")}`;
