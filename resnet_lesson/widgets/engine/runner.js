// The race as a page starts and watches it.

import { Loop } from "./loop.js";
import { parts, worked } from "./parts.js";
import { Racer } from "./race.js";
import program from "./race.wasm.gz";
import code from "./race_worker.txt";

/** @typedef {import("./loop.js").Settings} Settings */
/** @typedef {Pick<Loop, "start" | "pause" | "go">} Acts */

/** Made when it is first started. */
export class Runner {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<Acts> | null} */
  #opened = null;

  /** @param {(report: import("./loop.js").Report) => void} report */
  constructor(report) {
    this.report = report;
  }

  /** @param {Settings} settings */
  async start(settings) {
    (await this.#acts()).start(settings);
  }

  async pause() {
    (await this.#acts()).pause();
  }

  async go() {
    (await this.#acts()).go();
  }

  stop() {
    this.#worker?.terminate();
    this.#opened = null;
  }

  #acts() {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  /** @returns {Promise<Acts>} */
  async #open() {
    const handed = await parts(program);
    const worker = await worked(code, handed);
    if (!worker) {
      const [plain, residual] = [await open(handed), await open(handed)];
      return new Loop({ plain, residual }, this.report);
    }
    this.#worker = worker;
    worker.onmessage = (/** @type {MessageEvent} */ { data }) => this.report(data.report);
    return {
      start: (settings) => worker.postMessage({ act: "start", settings }),
      pause: () => worker.postMessage({ act: "pause" }),
      go: () => worker.postMessage({ act: "go" }),
    };
  }
}

/** @param {import("./parts.js").Parts} parts */
const open = ({ program, digits }) => Racer.open(program, digits);
