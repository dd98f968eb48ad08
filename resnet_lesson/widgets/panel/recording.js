// A training as it is kept: strips of columns, as the package's recording.py makes them.

import { panel } from "../chart/constants.js";
import { bytes } from "../chart/data.js";

/** @typedef {import("../chart/colour.js").Decades} Decades */
/** @typedef {keyof typeof TITLES} Measure */
/**
 * What the browser must know to read a recording.
 *
 * @typedef {object} Scale
 * @property {number} columns of a strip of all steps, at most
 * @property {number} opening steps that are kept one by one
 * @property {number} per_decade codes
 * @property {number} zero the code
 * @property {number} nan the code, and above it that of infinity
 */
/**
 * Columns of a strip, from one on.
 *
 * @typedef {object} Columns
 * @property {number} stride steps in a column
 * @property {number} from the first of them
 * @property {string} codes
 * @property {(number | null)[]} loss
 * @property {(number | null)[]} accuracy
 */
/** @typedef {{layer: string, step: number, what: string, where: string}} Bad where NaN began */
/**
 * @typedef {object} Facts
 * @property {string} name
 * @property {string[]} layers
 * @property {number} every one step in so many is recorded
 * @property {number | null} total steps that are planned, where that is known
 * @property {string | null} metric the name of what is recorded as accuracy
 * @property {number} steps
 * @property {Bad | null} bad
 */
/** @typedef {Facts & {whole: Columns, opening: Columns}} Part what is new of a run */

/** What each measure is called, where it is chosen and beside its colours. */
export const TITLES = { gradient_norm: "gradient", weight_norm: "weights", update_ratio: "update" };
export const MEASURES = /** @type {Measure[]} */ (panel.measures);

/** A code as decades. @param {number} code @param {Scale} scale @returns {Decades} */
export function decadesOf(code, scale) {
  if (code === scale.zero) return -Infinity;
  return code >= scale.nan ? null : code / scale.per_decade;
}

/** Columns of equally many steps. */
export class Strip {
  stride = 1;
  /** @type {(number | null)[]} */
  loss = [];
  /** @type {(number | null)[]} */
  accuracy = [];

  /** @param {number} capacity in columns @param {number} layers @param {Scale} scale */
  constructor(capacity, layers, scale) {
    this.capacity = capacity;
    this.layers = layers;
    this.scale = scale;
    this.codes = new Int16Array(capacity * layers * MEASURES.length);
  }

  get columns() {
    return this.loss.length;
  }

  /** @param {Columns} part */
  take({ stride, from, codes, loss, accuracy }) {
    // Where a message before this one is missing: a whole one comes soon.
    if (from > this.columns || (from > 0 && stride !== this.stride)) return;
    this.stride = stride;
    this.codes.set(new Int16Array(bytes(codes).buffer), from * this.layers * MEASURES.length);
    this.loss.splice(from, Infinity, ...loss);
    this.accuracy.splice(from, Infinity, ...accuracy);
  }

  /** The decades of a column, input side first. @param {number} column @param {Measure} measure */
  column(column, measure) {
    const start = (column * MEASURES.length + MEASURES.indexOf(measure)) * this.layers;
    const codes = this.codes.subarray(start, start + this.layers);
    return Array.from(codes, (code) => decadesOf(code, this.scale));
  }
}

/** One network's training. */
export class Run {
  /** @param {Part} part the first @param {Scale} scale */
  constructor(part, scale) {
    this.facts = /** @type {Facts} */ (part);
    this.whole = new Strip(scale.columns, part.layers.length, scale);
    this.opening = new Strip(scale.opening, part.layers.length, scale);
    this.take(part);
  }

  /** @param {Part} part */
  take({ whole, opening, ...facts }) {
    this.facts = facts;
    this.whole.take(whole);
    this.opening.take(opening);
  }

  /** How many steps a column of the strip stands for. @param {Strip} strip */
  width(strip) {
    return strip.stride * this.facts.every;
  }

  /**
   * The column of a step, or the last one.
   *
   * @param {Strip} strip
   * @param {number} step counted from 1
   */
  columnOf(strip, step) {
    return Math.min(strip.columns - 1, Math.max(0, Math.ceil(step / this.width(strip)) - 1));
  }

  /** How many steps the columns hold. @param {Strip} strip */
  last(strip) {
    return Math.min(this.facts.steps, strip.columns * this.width(strip));
  }

  /**
   * The steps that are planned, as far as that is known and the strip will hold them.
   *
   * @param {Strip} strip
   */
  planned(strip) {
    const room = strip.capacity * this.width(strip);
    const total = this.facts.total ?? room;
    return strip === this.whole ? total : Math.min(total, room);
  }
}

/** @typedef {{run: Run, strip: Strip}} Shown a run with the strip of it that is looked at */

/** The runs of a training, by name. */
export class Training {
  /** @type {Map<string, Run>} */
  #runs = new Map();

  /** @param {Scale} scale */
  constructor(scale) {
    this.scale = scale;
  }

  get runs() {
    return [...this.#runs.values()];
  }

  /** @param {Part[]} parts */
  take(parts) {
    for (const part of parts) {
      const run = this.#runs.get(part.name);
      if (run?.facts.layers.length === part.layers.length) run.take(part);
      else this.#runs.set(part.name, new Run(part, this.scale));
    }
  }

  clear() {
    this.#runs.clear();
  }

  /**
   * The runs that have columns, their last step, and the steps that a picture has room for: those
   * planned while it trains, so that it has one axis, and those taken when it has ended.
   *
   * @param {boolean} zoom into the opening steps
   * @param {boolean} live
   */
  span(zoom, live = false) {
    const shown = this.runs
      .map((run) => ({ run, strip: zoom ? run.opening : run.whole }))
      .filter(({ strip }) => strip.columns > 0);
    const last = Math.max(0, ...shown.map(({ run, strip }) => run.last(strip)));
    const planned = live ? shown.map(({ run, strip }) => run.planned(strip)) : [];
    return { shown, last, extent: Math.max(1, last, ...planned) };
  }
}
