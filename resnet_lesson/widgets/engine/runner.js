// The race as a page starts and watches it.

import { Loop } from "./loop.js";
import { Program } from "./parts.js";
import { Racer } from "./race.js";
import program from "./race.wasm.gz";
import code from "./race_worker.txt";

/** @typedef {import("./loop.js").Settings} Settings */
/** @typedef {Pick<Loop, "start" | "pause" | "go">} Acts */

export class Runner {
  /** @type {Loop | null} where no worker is allowed */
  #loop = null;
  /** @type {Program<Acts>} */
  #program = new Program(
    program,
    code,
    (worker) => this.#inWorker(worker),
    async ({ program, digits }) => {
      const plain = await Racer.open(program, digits);
      const residual = await Racer.open(program, digits);
      this.#loop = new Loop({ plain, residual }, this.report);
      return this.#loop;
    },
  );

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
    this.#program.stop();
    this.#loop?.pause();
  }

  /** @param {(acts: Acts) => void} act */
  async #do(act) {
    try {
      const acts = await this.#program.opened();
      if (!this.#program.stopped) act(acts);
    } catch (error) {
      this.#failed(`${error}`);
    }
  }

  /** @param {string} why */
  #failed(why) {
    this.#program.end();
    this.fail(why);
  }

  /** @param {Worker} worker @returns {Acts} */
  #inWorker(worker) {
    worker.onerror = () => this.#failed("its worker has died");
    worker.onmessage = ({ data }) => {
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
