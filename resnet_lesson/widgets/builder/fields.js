// A field for a number, with minus and plus beside it.

import { button, KEYS, make, set, turnOff, unique } from "../chart/elements.js";
import { MOST } from "./arithmetic.js";

/** @typedef {import("./arithmetic.js").Field} Value */
/** @typedef {{read: () => Value | undefined, write: (value: Value) => void}} Held a number */
/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {() => void} refresh
 * @property {(wrong: boolean, why: string) => void} mark wrong, by the element of this id
 */
/** @typedef {{step?: number, stride?: number}} Steps of the arrow keys, and of minus and plus */

/** As far as the widget's traits reach. @param {number} value */
export const limited = (value) => Math.min(MOST, Math.max(-MOST, value));

/**
 * @param {string} word the label that is seen
 * @param {string} name the whole name: whose number it is, too
 * @param {Held} held
 * @param {Steps} steps
 * @returns {Field}
 */
export function numberField(word, name, { read, write }, { step = 1, stride = step } = {}) {
  const id = unique("field");
  const range = { min: step, max: MOST, step };
  const input = make("input", { type: "number", id, ...range, "aria-label": name, ...KEYS });
  // What no trait holds is none, as in an empty field.
  const shown = () => {
    const value = Number(input.value);
    return input.value === "" || value !== limited(value) ? null : value;
  };
  input.addEventListener("input", () => write(shown()));
  // To a multiple of the stride: what is impossible is mended on the way.
  const move = (/** @type {1 | -1} */ way) => {
    const place = Number(read()) / stride;
    const next = way > 0 ? Math.floor(place) + 1 : Math.ceil(place) - 1;
    write(limited(Math.max(step, next * stride)));
  };
  const [less, more] = [button("−", () => move(-1), "quiet"), button("+", () => move(1), "quiet")];
  set(less, { "aria-label": `${name}: minus` });
  set(more, { "aria-label": `${name}: plus` });
  const element = make("div", { class: "field" }, [
    make("label", { for: id }, [word]),
    less,
    input,
    more,
  ]);
  const refresh = () => {
    const value = read();
    // What is being typed stays: "1." is no other number than 1.
    if (shown() !== value) input.value = `${value ?? ""}`;
    turnOff(less, Number(value) <= step);
    turnOff(more, Number(value) >= MOST);
  };
  const mark = (/** @type {boolean} */ wrong, /** @type {string} */ why) =>
    set(input, { "aria-invalid": wrong, "aria-describedby": wrong ? why : "" });
  refresh();
  return { element, refresh, mark };
}
