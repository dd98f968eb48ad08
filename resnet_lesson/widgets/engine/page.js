// The engine of the page as the widgets ask it: in a worker, so that no picture waits for it.

import { unpacked } from "../chart/data.js";
import digits from "./digits.gz";
import { Stack } from "./stack.js";
import program from "./stack.wasm.gz";
import code from "./worker.txt";

/** @typedef {import("../explorer/setting.js").Setting} Setting */
/** @typedef {{program: Uint8Array<ArrayBuffer>, digits: Uint8Array<ArrayBuffer>}} Parts */

/** Made when it is first asked. */
export class PageEngine {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<(setting: Setting) => Promise<number[]> | number[]> | null} */
  #asked = null;

  /**
   * The norms of the setting's quantity by layer, input side first. One question at a time.
   *
   * @param {Setting} setting of dense layers
   */
  async norms(setting) {
    this.#asked ??= this.#open();
    return (await this.#asked)(setting);
  }

  async #open() {
    const parts = { program: await unpacked(program), digits: await unpacked(digits) };
    try {
      const worker = await started(parts);
      this.#worker = worker;
      return (/** @type {Setting} */ setting) => answered(worker, { setting });
    } catch {
      // Some pages forbid workers: VS Code's may.
      const stack = await Stack.open(parts.program, parts.digits);
      return (/** @type {Setting} */ setting) => stack.norms(setting);
    }
  }

  stop() {
    this.#worker?.terminate();
    this.#asked = null;
  }
}

/** @param {Parts} parts */
async function started(parts) {
  // A blob and no file: a page that was opened from a folder may load none.
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const worker = new Worker(address);
    await answered(worker, parts);
    return worker;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/**
 * @param {Worker} worker @param {Parts | {setting: Setting}} question
 * @returns {Promise<number[]>}
 */
function answered(worker, question) {
  return new Promise((keep, fail) => {
    worker.onmessage = ({ data }) => (data.error ? fail(new Error(data.error)) : keep(data.norms));
    worker.onerror = () => fail(new Error("this page allows no worker"));
    worker.postMessage(question);
  });
}
