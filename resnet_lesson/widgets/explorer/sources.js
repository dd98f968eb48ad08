// Where curves come from. The explorer asks a source and draws what it answers: one that is added
// here touches neither picture nor controls.

import { lookUp, nearestRecorded } from "./recorded.js";
import { label, NAMES, SETTING, valueWords } from "./setting.js";

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("./setting.js").LabelledCurve} LabelledCurve */
/**
 * @typedef {object} Answer
 * @property {Setting} setting the one that is answered, which may only be near the wanted one
 * @property {LabelledCurve} curve
 * @property {import("./setting.js").Described} described
 * @property {boolean} [held] whether the model holds the answer already
 * @property {string} [note] what the reader should know of the source; else the last note stays
 */
/**
 * @typedef {object} Source
 * @property {boolean} redraws whether it has other random weights than the first
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
  redraws = true;
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

const NO_KERNEL = "No kernel answers: these curves were computed beforehand, at some depths.";

/** Curves that came along: it answers with the recorded setting that comes nearest. */
export class GridSource {
  redraws = false;

  /** @param {import("./recorded.js").Grid} grid @param {import("./setting.js").Words} words */
  constructor(grid, words) {
    this.grid = grid;
    this.words = words;
  }

  /** @param {Setting} wanted @param {Setting} shown @returns {Answer} */
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
  if (moved.length === 0) return NO_KERNEL;
  const values = moved.map((name) => {
    const value = nearest[name];
    const said = typeof value === "boolean" ? (value ? "on" : "off") : valueWords(name, `${value}`);
    return `${NAMES[/** @type {keyof typeof NAMES} */ (name)].toLowerCase()} ${said}`;
  });
  return `${NO_KERNEL} This one only with ${values.join(" and ")}.`;
}
