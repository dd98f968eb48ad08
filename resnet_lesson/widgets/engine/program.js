// One of the engine's programs, ready to compute.

/**
 * What core.h exports.
 *
 * @typedef {object} Core
 * @property {WebAssembly.Memory} memory
 * @property {() => void} _initialize
 * @property {() => number} digits
 * @property {() => void} standardize
 * @property {() => number} norms
 */

/**
 * The exports of a program that has its digits.
 *
 * @param {Uint8Array<ArrayBuffer>} program WebAssembly
 * @param {Uint8Array} digits
 * @returns {Promise<any>} as `Core`, and what the program itself exports
 */
export async function opened(program, digits) {
  const { instance } = await WebAssembly.instantiate(program);
  const exports = /** @type {any} */ (instance.exports);
  exports._initialize();
  new Uint8Array(exports.memory.buffer, exports.digits(), digits.length).set(digits);
  exports.standardize();
  return exports;
}
