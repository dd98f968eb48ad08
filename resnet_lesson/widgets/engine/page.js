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

  /**
   * The norms of the setting's quantity by layer, input side first. One question at a time.
   *
   * @param {Setting} setting of dense layers
   */
  async norms(setting) {
    this.#opened ??= this.#open();
    return (await this.#opened)(setting);
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
    return (setting) =>
      new Promise((keep, fail) => {
        worker.onmessage = ({ data }) => (data.error ? fail(data.error) : keep(data.norms));
        worker.postMessage({ setting });
      });
  }

  stop() {
    this.#worker?.terminate();
    this.#opened = null;
  }
}
