// A program of the engine: what it is handed, and the worker in which it runs, so that no picture
// waits for it.

import { unpacked } from "../chart/data.js";
import digits from "./digits.gz";

/** @typedef {{program: Uint8Array<ArrayBuffer>, digits: Uint8Array<ArrayBuffer>}} Parts */

/** @param {string} program gzipped, as base64 @returns {Promise<Parts>} */
const parts = async (program) => ({
  program: await unpacked(program),
  digits: await unpacked(digits),
});

/**
 * A worker that has taken the parts; null where the page forbids workers, as VS Code may.
 *
 * @param {string} code
 * @param {Parts} handed
 * @returns {Promise<Worker | null>}
 */
async function worked(code, handed) {
  // A blob and no file: a page that was opened from a folder may load none.
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  let worker;
  try {
    worker = new Worker(address);
    const made = worker;
    await new Promise((keep, fail) => {
      made.onmessage = ({ data }) => (data.error ? fail(data.error) : keep(undefined));
      made.onerror = fail;
      made.postMessage(handed);
    });
    return worker;
  } catch {
    worker?.terminate();
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/**
 * A program that is made when it is first needed: in a worker, or on the page where none is
 * allowed.
 *
 * @template Asked what is asked of it
 */
export class Program {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<Asked> | null} */
  #opened = null;
  stopped = false;

  /**
   * @param {string} program gzipped, as base64
   * @param {string} code of the worker
   * @param {(worker: Worker) => Asked} inWorker
   * @param {(handed: Parts) => Promise<Asked>} onPage
   */
  constructor(program, code, inWorker, onPage) {
    this.program = program;
    this.code = code;
    this.inWorker = inWorker;
    this.onPage = onPage;
  }

  opened() {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open() {
    const handed = await parts(this.program);
    const worker = await worked(this.code, handed);
    if (!worker) return this.onPage(handed);
    this.#worker = worker;
    if (this.stopped) this.end();
    return this.inWorker(worker);
  }

  /** It has failed: whoever asks next has it made anew. */
  end() {
    this.#worker?.terminate();
    [this.#worker, this.#opened] = [null, null];
  }

  stop() {
    this.stopped = true;
    this.end();
  }
}
