// Where curves come from. The explorer asks a source and draws what it answers: one that is added
// here touches neither picture nor controls.

import { describe } from "../chart/trends.js";
import { lookUp, nearestRecorded } from "./recorded.js";
import { label, NAMES, SETTING, valueWords } from "./setting.js";

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("./setting.js").LabelledCurve} LabelledCurve */
/**
 * @typedef {object} Found
 * @property {Setting} setting the one that is answered, which may only be near the wanted one
 * @property {LabelledCurve} curve
 * @property {import("./setting.js").Described} described
 * @property {boolean} [held] whether the model holds the answer already
 * @property {string} [note] what the reader should know of the source; else the last note stays
 */
/** @typedef {Found | {failed: string}} Answer why there is no answer, or one */
/**
 * @typedef {object} Source
 * @property {(kind: string) => boolean} redraws whether it has other random weights than the
 *   first of networks of this kind
 * @property {(wanted: Setting, shown: Setting) => Answer | Promise<Answer> | null} ask
 *   the answer, at once or later; null where `shown` is what is wanted. Nobody asks again before
 *   a promise is kept, or given up (`Asking`).
 * @property {() => void} [wake] called after it has been given up
 */

// A Jupyter server leaves Nagle's algorithm on: it holds a small message until the browser has
// acknowledged the one before, and a browser that has nothing to send puts that off for 40 ms. So
// it sends a word, after the kernel has said that it is busy and again after its echo. The median
// wait for a picture fell from 55 to 37 ms.
const NUDGES = [12, 24]; // ms after the question

/** A kernel: it hears of a changed setting, and answers by the model's traits. */
export class KernelSource {
  redraws = () => true;
  /** @type {((answer: Answer) => void) | null} */
  #keep = null;

  /** @param {Pick<import("./setting.js").Model, "get" | "set" | "save_changes" | "send">} model */
  constructor(model) {
    this.model = model;
  }

  /** @param {Setting} wanted @param {Setting} shown @returns {Promise<Answer> | null} */
  ask(wanted, shown) {
    const names = /** @type {(keyof Setting)[]} */ (Object.keys(wanted));
    const changed = names.filter((name) => wanted[name] !== shown[name]);
    if (changed.length === 0) return null;
    for (const name of changed) this.model.set(name, wanted[name]);
    this.model.save_changes();
    return new Promise((keep) => {
      this.#keep = keep;
      for (const time of NUDGES) setTimeout(() => this.#nudge(keep), time);
    });
  }

  /** @param {(answer: Answer) => void} keep of the question that may still wait */
  #nudge(keep) {
    if (this.#keep === keep) this.model.send("waiting");
  }

  /** To be called when the model holds an answer. @param {Setting} setting */
  answered(setting) {
    const [curve, described] = [this.model.get("curve"), this.model.get("described")];
    this.#keep?.({ setting, curve, described, held: true });
    this.#keep = null;
  }

  /** A kernel that was only busy answers when it is done, as does one that is new. */
  wake() {
    this.model.send("hello");
  }
}

/** The page itself, for dense layers; other kinds were recorded, and came along. */
export class PageSource {
  redraws = (/** @type {string} */ kind) => kind === "dense";

  /**
   * @param {import("./recorded.js").Grid} grid
   * @param {import("./setting.js").Words} words
   * @param {Pick<import("../engine/page.js").PageEngine, "norms" | "stop">} engine
   */
  constructor(grid, words, engine) {
    this.recorded = new GridSource(grid, words);
    this.words = words;
    this.engine = engine;
  }

  /** @param {Setting} wanted @param {Setting} shown @returns {Answer | Promise<Answer>} */
  ask(wanted, shown) {
    if (wanted.kind === "dense") return this.#compute(wanted, HERE);
    const found = this.recorded.ask(wanted, shown);
    const undone = SETTING.filter(
      (name) => wanted[name] !== shown[name] && found.setting[name] !== wanted[name],
    );
    // What the reader has just changed stays as they want it.
    if (undone.length === 0) return found;
    return this.#compute({ ...wanted, kind: "dense" }, `${HERE} ${ONLY_DENSE}`);
  }

  /** @param {Setting} setting @param {string} note @returns {Promise<Answer>} */
  async #compute(setting, note) {
    const { quantity } = setting;
    let norms;
    try {
      norms = await this.engine.norms(setting);
    } catch (error) {
      return { failed: `No kernel answers, and this page cannot compute: ${error}` };
    }
    const values = norms.map(logarithm);
    const layers = norms.map((_, at) => at + 1);
    const named = [label(setting, true), this.words.quantities[quantity]];
    return {
      setting,
      curve: { layers, values, label: named.filter(Boolean).join(", "), setting, page: true },
      described: describe(norms, quantity),
      note,
    };
  }

  stop() {
    this.engine.stop();
  }
}

const HERE = "Your browser computes this, with random weights of its own.";
const ONLY_DENSE = "It can do so for dense layers only.";

/** As a curve holds it. @param {number} norm @returns {import("../chart/curve.js").Value} */
function logarithm(norm) {
  if (norm === 0) return "zero";
  if (Number.isFinite(norm)) return Math.log10(norm);
  return Number.isNaN(norm) ? "undefined" : "infinite";
}

const RECORDED = "These curves were computed beforehand, at some depths.";

/** Curves that came along: it answers with the recorded setting that comes nearest. */
export class GridSource {
  /** @param {import("./recorded.js").Grid} grid @param {import("./setting.js").Words} words */
  constructor(grid, words) {
    this.grid = grid;
    this.words = words;
  }

  /** @param {Setting} wanted @param {Setting} shown @returns {Found} */
  ask(wanted, shown) {
    const setting = nearestRecorded(this.grid, wanted, shown);
    const { curve, described } = lookUp(this.grid, setting);
    const named = [label(setting), this.words.quantities[setting.quantity]];
    return {
      setting,
      curve: { ...curve, label: named.filter(Boolean).join(", "), setting },
      described,
      note: noteOf(wanted, setting),
    };
  }
}

/** What is not as it was wanted, in words. @param {Setting} wanted @param {Setting} nearest */
function noteOf(wanted, nearest) {
  const moved = SETTING.filter((name) => nearest[name] !== wanted[name]);
  if (moved.length === 0) return RECORDED;
  const values = moved.map((name) => {
    const value = nearest[name];
    const said = typeof value === "boolean" ? (value ? "on" : "off") : valueWords(name, `${value}`);
    return `${NAMES[/** @type {keyof typeof NAMES} */ (name)].toLowerCase()} ${said}`;
  });
  return `${RECORDED} This one only with ${values.join(" and ")}.`;
}
