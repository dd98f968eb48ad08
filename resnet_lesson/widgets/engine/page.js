// The engine of the page as the explorer asks it.

import { Program } from "./parts.js";
import { Stack } from "./stack.js";
import program from "./stack.wasm.gz";
import code from "./worker.txt";

/** @typedef {import("../explorer/setting.js").Setting} Setting */
/** @typedef {(setting: Setting) => Promise<number[]> | number[]} Norms */

export class PageEngine {
  /** @type {Program<Norms>} */
  #program = new Program(program, code, askedInWorker, async ({ program, digits }) => {
    const stack = await Stack.open(program, digits);
    return (setting) => stack.norms(setting);
  });

  /**
   * The norms of the setting's quantity by layer, input side first. Who asks anew, before the
   * answer has come, gets the new one only.
   *
   * @param {Setting} setting of dense layers
   */
  async norms(setting) {
    try {
      const norms = await this.#program.opened();
      return await norms(setting);
    } catch (error) {
      this.#program.end();
      throw error;
    }
  }

  stop() {
    this.#program.stop();
  }
}

/** @param {Worker} worker @returns {Norms} */
function askedInWorker(worker) {
  let asked = 0;
  return (setting) => {
    const number = ++asked;
    return new Promise((keep, fail) => {
      worker.onerror = () => fail(new Error("its worker has died"));
      worker.onmessage = ({ data }) => {
        if (data.number !== number) return; // of an earlier question
        if (data.error) fail(new Error(data.error));
        else keep(data.norms);
      };
      worker.postMessage({ number, setting });
    });
  };
}
