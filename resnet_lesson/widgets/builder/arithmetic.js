// The network as arithmetic: the same sums and the same rules as the package's networks/cost.py and
// networks/rules.py, so that they follow the keys without a kernel.

import { sum } from "../chart/data.js";
import python from "../chart/networks.json" with { type: "json" };
import { asPython } from "../chart/words.js";

/** @typedef {number | null} Field what a number field holds: nothing, or any number */
/**
 * The arguments of `build`, possible or not.
 *
 * @typedef {object} Network
 * @property {Field} width
 * @property {Field} height
 * @property {Field} depth
 * @property {Field} classes
 * @property {Field[]} stages
 * @property {Field[]} filters
 * @property {string} order
 */
/**
 * A network whose sizes are all whole numbers.
 *
 * @typedef {object} Sound
 * @property {number} width
 * @property {number} height
 * @property {number} depth
 * @property {number} classes
 * @property {number[]} stages
 * @property {number[]} filters
 * @property {string} order
 */
/**
 * @typedef {{before: string[], between: string[], after: string[], after_addition: string[]}} Order
 */
/**
 * @typedef {object} Part
 * @property {string} name
 * @property {number} modules
 * @property {number} height
 * @property {number} width
 * @property {number} channels
 * @property {number} multiply_adds
 * @property {number} parameters
 * @property {number} trainable
 */
/**
 * What the words of a rule mention, by the names that they have in Python's rules.
 *
 * @typedef {object} Broken
 * @property {Field | string} value
 * @property {string} [what] the argument, or its item: filters[2]
 * @property {number} [least]
 * @property {number} [halvings]
 * @property {number} [stages]
 * @property {number} [needed]
 * @property {string} [choices]
 */
/** @typedef {"positive" | "list" | "lengths" | "by_four" | "halvings" | "order"} Rule */
/** @typedef {[rule: Rule, values: Broken]} Problem */

const ORDERS = /** @type {Record<string, Order>} */ (python.orders);
/** The arguments of `build`. */
export const NAMES = /** @type {(keyof Network)[]} */ (python.names);
export const EXAMPLE = /** @type {Network} */ (python.example);
export const ORDER_NAMES = Object.keys(ORDERS);
/** Of any number, as far as the widget's traits reach. */
export const MOST = python.most;

/** The first rule of `build` that a network breaks. */
export class Refused extends Error {
  /** @param {Rule} rule @param {Broken} values */
  constructor(rule, values) {
    super(rule);
    this.rule = rule;
    this.values = values;
  }
}

/** @param {Field[]} values */
const tuple = (values) => `(${values.join(", ")}${values.length === 1 ? "," : ""})`;

const SIDES = /** @type {const} */ (["width", "height"]);
const LISTS = /** @type {const} */ (["stages", "filters"]);

/** @param {string} what @param {Field} value @returns {Generator<Problem>} */
function* notPositive(what, value) {
  if (!Number.isInteger(value) || Number(value) < 1) {
    yield ["positive", { what, value: value ?? "None" }];
  }
}

/** The least size of an image that is halved so often. @param {number} halvings */
const leastSize = (halvings) => 2 ** (halvings - 1) + 1;

/** What `build` refuses, in its order. @param {Network} network @returns {Generator<Problem>} */
function* problems(network) {
  const { stages, filters } = network;
  for (const what of [...SIDES, "depth", "classes"]) {
    yield* notPositive(what, network[/** @type {"width"} */ (what)]);
  }
  for (const what of LISTS) {
    if (network[what].length === 0) yield ["list", { what, value: "()" }];
    for (const [at, value] of network[what].entries()) yield* notPositive(`${what}[${at}]`, value);
  }
  const [halvings, needed] = [stages.length, stages.length + 1];
  if (filters.length !== needed) {
    yield ["lengths", { stages: halvings, needed, value: tuple(filters) }];
  }
  for (const [at, value] of filters.entries()) {
    if (at > 0 && Number(value) % 4) yield ["by_four", { what: `filters[${at}]`, value }];
  }
  const least = leastSize(halvings);
  for (const what of SIDES) {
    const value = network[what];
    if (Number(value) < least) yield ["halvings", { what, least, halvings, value }];
  }
  if (!Object.hasOwn(ORDERS, network.order)) {
    yield ["order", { choices: ORDER_NAMES.join(", "), value: `'${network.order}'` }];
  }
}

/** @param {Network} network @returns {asserts network is Sound} */
function checkNetwork(network) {
  for (const [rule, values] of problems(network)) throw new Refused(rule, values);
}

/** As many stages as the image has halvings. @param {Pick<Network, "width" | "height">} image */
export function mostStages({ width, height }) {
  const smaller = Math.min(Number(width), Number(height));
  return Math.max(0, Math.floor(Math.log2(smaller - 1)) + 1) || 0;
}

/** Walks through a network and counts, everything as often as `times` says. */
class Tally {
  times = 1;
  weights = 0;
  normed = 0;
  multiplyAdds = 0;

  /** @param {Sound} network */
  constructor({ height, width, depth }) {
    this.height = height;
    this.width = width;
    this.channels = depth;
  }

  /** What was counted since the last part. @param {string} name @returns {Part} */
  part(name, modules = 0) {
    const { height, width, channels, weights, normed, multiplyAdds } = this;
    Object.assign(this, { weights: 0, normed: 0, multiplyAdds: 0 });
    // BN has a scale and an offset for each channel, and two running averages.
    const [parameters, trainable] = [weights + 4 * normed, weights + 2 * normed];
    const sizes = { height, width, channels };
    return { name, modules, ...sizes, multiply_adds: multiplyAdds, parameters, trainable };
  }

  /** Parts of a module, of which BN alone has weights. @param {string[]} parts */
  through(parts) {
    this.normed += this.times * parts.filter((part) => part === "BN").length * this.channels;
  }

  halve() {
    this.height = Math.ceil(this.height / 2);
    this.width = Math.ceil(this.width / 2);
  }

  /** Weights that every pixel meets. @param {number} weights */
  weigh(weights) {
    this.weights += this.times * weights;
    this.multiplyAdds += this.times * this.height * this.width * weights;
  }

  /** @param {number} filters @param {number} size @param {number} stride */
  conv(filters, size, stride) {
    if (stride === 2) this.halve();
    this.weigh(size * size * this.channels * filters);
    this.channels = filters;
  }

  /** @param {number} filters @param {number} stride @param {boolean} reduce @param {Order} order */
  module(filters, stride, reduce, order) {
    const before = this.channels;
    this.through(order.before);
    this.conv(filters / 4, 1, 1);
    this.through(order.between);
    this.conv(filters / 4, 3, stride);
    this.through(order.between);
    this.conv(filters, 1, 1);
    this.through(order.after);
    if (reduce) {
      // A 1x1 convolution of the module's input, with the same outcome.
      this.weigh(before * filters);
      if (order.after.includes("BN")) this.through(["BN"]);
    }
    this.through(order.after_addition);
  }

  /** @param {number} classes */
  dense(classes) {
    this.weights += (this.channels + 1) * classes;
    this.multiplyAdds += this.channels * classes;
    Object.assign(this, { height: 1, width: 1, channels: classes });
  }
}

/** The parts, input side first; a `Refused` says what is impossible. @param {Network} network */
export function networkParts(network) {
  checkNetwork(network);
  const order = ORDERS[network.order];
  const [stem, ...widths] = network.filters;
  const tally = new Tally(network);
  tally.through(["BN"]);
  tally.conv(stem, 5, 1);
  tally.through(["BN"]);
  const parts = [tally.part("stem")];
  tally.halve();
  parts.push(tally.part("pooled"));
  network.stages.forEach((units, stage) => {
    tally.module(widths[stage], stage > 0 ? 2 : 1, true, order);
    tally.times = units - 1; // the others are alike
    tally.module(widths[stage], 1, false, order);
    tally.times = 1;
    parts.push(tally.part(`stage${stage + 1}`, units));
  });
  tally.through(order.before);
  tally.dense(network.classes);
  return [...parts, tally.part("classifier")];
}

/** The line of Python that builds it. @param {Network} network */
export function buildCall({ width, height, depth, classes, stages, filters, order }) {
  const given = [width, height, depth, classes, tuple(stages), tuple(filters)];
  if (order !== EXAMPLE.order) given.push(`order="${order}"`);
  return `ResNet.build(${given.join(", ")})`;
}

/** The line of Python that makes this builder again. @param {Record<string, any>} traits */
export function viewCall(traits) {
  const given = Object.entries(traits).map(([name, value]) => `${name}=${asPython(value)}`);
  return `ArchitectureBuilder(${given.join(", ")})`;
}

/** @param {Part[]} parts @param {"modules" | "parameters" | "trainable" | "multiply_adds"} name */
export const total = (parts, name) => sum(parts.map((part) => part[name]));
