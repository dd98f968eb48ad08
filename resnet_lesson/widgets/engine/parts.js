// What a program of the engine is handed, and the worker in which it runs: no picture waits for it.

import { unpacked } from "../chart/data.js";
import digits from "./digits.gz";

/** @typedef {{program: Uint8Array<ArrayBuffer>, digits: Uint8Array<ArrayBuffer>}} Parts */

/** @param {string} program gzipped, as base64 @returns {Promise<Parts>} */
export const parts = async (program) => ({
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
export async function worked(code, handed) {
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
