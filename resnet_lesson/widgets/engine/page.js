// The engine of the page as the explorer asks it.

import { parts, worked } from "./parts.js";
import { Stack } from "./stack.js";
import program from "./stack.wasm.gz";
import code from "./worker.txt";

/** @typedef {import("../explorer/setting.js").Setting} Setting */
/** @typedef {(setting: Setting) => Promise<number[]> | number[]} Norms */

/** Made when it is first asked. */
export class PageEngine {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<Norms> | null} */
  #opened = null;
  #stopped = false;

  /**
   * The norms of the setting's quantity by layer, input side first. Who asks anew, before the
   * answer has come, gets the new one only.
   *
   * @param {Setting} setting of dense layers
   */
  async norms(setting) {
    this.#opened ??= this.#open();
    try {
      return await (await this.#opened)(setting);
    } catch (error) {
      this.#end(); // the next question may have more luck
      throw error;
    }
  }

  /** @returns {Promise<Norms>} */
  async #open() {
    const handed = await parts(program);
    const worker = await worked(code, handed);
    if (!worker) {
      const stack = await Stack.open(handed.program, handed.digits);
      return (setting) => stack.norms(setting);
    }
    this.#worker = worker;
    if (this.#stopped) this.#end();
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

  #end() {
    this.#worker?.terminate();
    [this.#worker, this.#opened] = [null, null];
  }

  stop() {
    this.#stopped = true;
    this.#end();
  }
}
