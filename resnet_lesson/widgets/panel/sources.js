// Where trainings come from. Each source hands what is new of the runs to the same `take`; one that
// is added here touches neither pictures nor controls.

import { panel } from "../chart/constants.js";
import { listen } from "../chart/model.js";

/** @typedef {import("./recording.js").Part} Part */
/** @typedef {import("./words.js").Said} Said */
/** @typedef {(parts: Part[]) => void} Take */
/**
 * @typedef {object} Source
 * @property {() => void} start hand over what there is, and from then on what comes
 * @property {() => void} stop
 */
/**
 * All traits of the widget.
 *
 * @typedef {object} Traits
 * @property {Part[]} runs the last training, complete
 * @property {boolean} trains whether there is something to train
 * @property {import("./recording.js").Measure} quantity
 * @property {boolean} zoom
 * @property {import("./recording.js").Scale} scale
 */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */

/** A training that was recorded: the model holds it. @implements {Source} */
export class RecordedSource {
  #end = () => {};

  /** @param {Pick<Model, "get" | "on" | "off">} model @param {Take} take */
  constructor(model, take) {
    this.model = model;
    this.take = take;
  }

  start() {
    const load = () => this.take(this.model.get("runs"));
    this.#end = listen(this.model, { "change:runs": load });
    load();
  }

  stop() {
    this.#end();
  }
}

export const SILENCE = 10_000; // ms without a word from a kernel that trains

/** A kernel, which says in messages what its training does. @implements {Source} */
export class KernelSource {
  here = false; // whether it answers
  lost = false; // whether it answered once
  /** @type {Said} */
  said = { state: "ready", left: null, error: "", training: 0 };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  #end = () => {};

  /**
   * @param {Pick<Model, "send" | "on" | "off">} model
   * @param {(before: Said) => void} change called when it says how the training stands
   * @param {Take} take
   */
  constructor(model, change, take) {
    this.model = model;
    this.change = change;
    this.take = take;
  }

  /** Whether a training is running, or paused. */
  get live() {
    return panel.live.includes(this.said.state);
  }

  start() {
    this.#end = listen(this.model, { "msg:custom": (said) => this.hear(said) });
    this.model.send("hello");
  }

  stop() {
    this.#end();
    clearTimeout(this.#silence);
  }

  /** Send a command: start, pause, resume or stop. @param {string} what */
  wish(what) {
    this.model.send(what);
    this.#expect();
  }

  /** @param {Said & {runs: Part[]}} message */
  hear({ runs, ...said }) {
    clearTimeout(this.#silence);
    const before = this.said;
    Object.assign(this, { here: true, lost: false, said });
    if (this.live && said.state !== "paused") this.#expect();
    this.change(before);
    this.take(runs);
  }

  /** A kernel that trains and says nothing is asked; one that is silent then, is lost. */
  #expect(asked = false) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (asked) return this.#lose();
      this.model.send("hello");
      this.#expect(true);
    }, SILENCE);
  }

  #lose() {
    const said = { ...this.said, state: "ready", left: null };
    Object.assign(this, { here: false, lost: true, said });
    this.take([]);
  }
}
