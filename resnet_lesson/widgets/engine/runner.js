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
  /** @type {Loop | null} where no worker is allowed */
  #loop = null;
  #stopped = false;

  /**
   * @param {(report: import("./loop.js").Report) => void} report
   * @param {(why: string) => void} fail called where nothing can be computed any more
   */
  constructor(report, fail) {
    this.report = report;
    this.fail = fail;
  }

  /** @param {Settings} settings */
  start(settings) {
    this.#do((acts) => acts.start(settings));
  }

  pause() {
    this.#do((acts) => acts.pause());
  }

  go() {
    this.#do((acts) => acts.go());
  }

  stop() {
    this.#stopped = true;
    this.#worker?.terminate();
    this.#loop?.pause();
  }

  /** @param {(acts: Acts) => void} act */
  async #do(act) {
    this.#opened ??= this.#open();
    try {
      const acts = await this.#opened;
      if (!this.#stopped) act(acts);
    } catch (error) {
      this.#failed(`${error}`);
    }
  }

  /** @param {string} why */
  #failed(why) {
    this.#worker?.terminate();
    [this.#worker, this.#opened] = [null, null]; // the next start may have more luck
    this.fail(why);
  }

  /** @returns {Promise<Acts>} */
  async #open() {
    const handed = await parts(program);
    const worker = await worked(code, handed);
    if (!worker) {
      const [plain, residual] = [await open(handed), await open(handed)];
      this.#loop = new Loop({ plain, residual }, this.report);
      return this.#loop;
    }
    this.#worker = worker;
    if (this.#stopped) worker.terminate();
    worker.onerror = () => this.#failed("its worker has died");
    worker.onmessage = (/** @type {MessageEvent} */ { data }) => {
      if (data.error) this.#failed(data.error);
      else this.report(data.report);
    };
    return {
      start: (settings) => worker.postMessage({ act: "start", settings }),
      pause: () => worker.postMessage({ act: "pause" }),
      go: () => worker.postMessage({ act: "go" }),
    };
  }
}

/** @param {import("./parts.js").Parts} parts */
const open = ({ program, digits }) => Racer.open(program, digits);
