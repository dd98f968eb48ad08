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
 * @property {string[]} networks what can be trained
 * @property {import("./recording.js").Measure} quantity
 * @property {boolean} zoom
 * @property {import("./recording.js").Scale} scale
 */
/**
 * What JupyterLab tells of a kernel; other front ends tell nothing, or less.
 *
 * @typedef {object} Kernel
 * @property {string} [status]
 * @property {{connect: (act: Heard) => void, disconnect: (act: Heard) => void}} [statusChanged]
 */
/** @typedef {(sender: unknown, status: string) => void} Heard */
/**
 * @typedef {import("../chart/model.js").Model<Traits>
 *   & {widget_manager?: {kernel?: Kernel | null}}} Model
 */

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

export const SOON = 1000; // ms in which a press is obeyed, where the kernel is free
export const SILENCE = 5000; // ms without a word that was expected, until it is asked for
/**
 * The states of a training that obeys; one that has ended does, too.
 *
 * @type {Record<string, string[]>}
 */
const OBEYS = {
  pause: ["pausing", "paused"],
  resume: ["building", "training"],
  stop: ["stopping"],
};
const ALIVE = ["idle", "busy"];
const GONE = ["restarting", "autorestarting", "terminating", "dead"];

/** A kernel, which says in messages what its training does. @implements {Source} */
export class KernelSource {
  here = false; // whether it answers
  lost = false; // whether it answered once
  late = false; // whether a press is not obeyed yet
  silent = false; // whether it was asked, and says nothing
  /** @type {Said} */
  said = { state: "ready", seconds: null, left: null, error: "", training: 0 };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #press;
  #wished = "";
  #end = () => {};

  /**
   * @param {Pick<Model, "send" | "on" | "off" | "widget_manager">} model
   * @param {(message: unknown) => boolean} is whether a message says how a training stands
   * @param {(before: Said) => void} change called when it says how the training stands
   * @param {Take} take
   */
  constructor(model, is, change, take) {
    this.model = model;
    this.is = is;
    this.change = change;
    this.take = take;
  }

  /** Whether a training is running, or paused. */
  get live() {
    return panel.live.includes(this.said.state);
  }

  /** What the front end says of the kernel: "idle", "busy"; "" where it says nothing. */
  get status() {
    return this.model.widget_manager?.kernel?.status ?? "";
  }

  start() {
    const signal = this.model.widget_manager?.kernel?.statusChanged;
    /** @type {Heard} */
    const heard = (_, status) => {
      if (this.here && GONE.includes(status)) this.#lose();
    };
    const end = listen(this.model, { "msg:custom": (said) => this.is(said) && this.hear(said) });
    signal?.connect?.(heard);
    this.#end = () => {
      end();
      signal?.disconnect?.(heard);
    };
    this.model.send("hello");
  }

  stop() {
    this.#end();
    clearTimeout(this.#timer);
    clearTimeout(this.#press);
  }

  /** Send a command: start, start again, pause, resume or stop. @param {string} what */
  wish(what) {
    this.model.send(what);
    this.#wished = what;
    clearTimeout(this.#press);
    this.#press = setTimeout(() => this.#wait({ late: true }), SOON);
    this.#expect();
  }

  /** @param {Said & {runs: Part[]}} message */
  hear({ runs, ...said }) {
    clearTimeout(this.#timer);
    const before = this.said;
    Object.assign(this, { here: true, lost: false, silent: false, said });
    if (!this.live || (OBEYS[this.#wished]?.includes(said.state) ?? true)) this.#obeyed();
    if (this.live && said.state !== "paused") this.#expect();
    this.change(before);
    this.take(runs);
  }

  /** What says nothing is asked; what is silent then is lost, unless it may well be at work. */
  #expect() {
    this.#after(SILENCE, () => {
      this.model.send("hello");
      this.#after(SILENCE, () => {
        const atWork = ALIVE.includes(this.status) || this.said.state === "building";
        if (atWork) this.#wait({ silent: true });
        else this.#lose();
      });
    });
  }

  /** @param {number} time ms @param {() => void} act */
  #after(time, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, time);
  }

  /** @param {{late: true} | {silent: true}} how */
  #wait(how) {
    Object.assign(this, how);
    this.take([]);
  }

  #obeyed() {
    clearTimeout(this.#press);
    this.late = false;
    this.#wished = "";
  }

  #lose() {
    clearTimeout(this.#timer);
    this.#obeyed();
    const said = { ...this.said, state: "ready", left: null };
    Object.assign(this, { here: false, lost: true, silent: false, said });
    this.take([]);
  }
}
