// The engine of the page: gradient norms of a stack of dense layers, as stack.c computes them.

import { explorer } from "../chart/constants.js";
import networks from "../chart/networks.json" with { type: "json" };
import { opened } from "./program.js";

/** @typedef {import("../explorer/setting.js").Setting} Setting */
/**
 * What stack.c exports.
 *
 * @typedef {import("./program.js").Core & {
 *   draw: (seed: number, initializer: number, depth: number) => void,
 *   differentiate: (depth: number, activation: number, steps: number, ending: number,
 *     shortcutOnly: number, wanted: number) => void,
 * }} Exports
 */

// As stack.c numbers the steps of a layer.
const [PRODUCT, ADDITION] = [1, 2];
/** @type {Record<string, number>} */
const STEPS = { BN: 3, ReLU: 4 };
const { choices, most } = explorer;
/** @type {Record<string, {before: string[], after: string[], after_addition: string[]}>} */
const ORDERS = networks.orders;

/**
 * Four bits for each step, the first one lowest.
 *
 * @param {number[]} steps
 */
const packed = (steps) => steps.reduceRight((rest, step) => 16 * rest + step, 0);

/**
 * The steps of one layer, and those before the read-out, as stack.c takes them.
 *
 * @param {Setting} setting
 */
export function stepsOf({ order, normalization, shortcut }) {
  const place = (/** @type {string[]} */ names) =>
    names.filter((name) => normalization || name !== "BN").map((name) => STEPS[name]);
  const { before, after, after_addition } = ORDERS[order];
  const added = shortcut ? [ADDITION] : [];
  return {
    layer: packed([...place(before), PRODUCT, ...place(after), ...added, ...place(after_addition)]),
    ending: packed(place(order.includes("preactivation") ? ["BN", "ReLU"] : [])),
  };
}

/**
 * Of the two programs the one that rounds a product and its addition once, which takes relaxed SIMD
 * and a fifth less time; the other where the browser does not know that.
 *
 * @param {Uint8Array<ArrayBuffer>} programs one after the other, before them the first one's length
 */
export function known(programs) {
  const end = 4 + new DataView(programs.buffer).getUint32(0, true);
  const fused = programs.slice(4, end);
  return WebAssembly.validate(fused) ? fused : programs.slice(end);
}

export class Stack {
  /** @param {Exports} exports of an instance of stack.c that has its digits */
  constructor(exports) {
    this.exports = exports;
  }

  /** @param {Uint8Array<ArrayBuffer>} programs @param {Uint8Array} digits */
  static async open(programs, digits) {
    return new Stack(await opened(known(programs), digits));
  }

  /**
   * The norms of the setting's quantity by layer, input side first.
   *
   * @param {Setting} setting of dense layers
   */
  norms(setting) {
    this.exports.draw(
      setting.seed,
      choices.initializer.indexOf(setting.initializer),
      setting.depth,
    );
    return this.differentiate(setting, false);
  }

  /**
   * The same with the weights that are there; with `shortcutOnly` no branch hands the gradient on.
   *
   * @param {Setting} setting @param {boolean} shortcutOnly
   */
  differentiate(setting, shortcutOnly) {
    const { depth, activation, quantity } = setting;
    const { layer, ending } = stepsOf(setting);
    const { differentiate, memory, norms } = this.exports;
    const function_ = choices.activation.indexOf(activation);
    const wanted = choices.quantity.indexOf(quantity);
    differentiate(depth, function_, layer, ending, Number(shortcutOnly), wanted);
    const at = norms() + 8 * most * wanted;
    return [...new Float64Array(memory.buffer, at, depth)];
  }
}
