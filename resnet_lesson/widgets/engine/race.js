// Training in the page: one network on the digits, as race.c computes it.

import { opened } from "./program.js";

/**
 * What race.c exports.
 *
 * @typedef {import("./program.js").Core & {
 *   begin: (seed: number, depth: number, shortcut: number) => void,
 *   step: (rate: number) => number,
 * }} Exports
 */
/** @typedef {{depth: number, shortcut: boolean, seed: number}} Network */

export const BATCH = 64; // images in a step
export const EPOCH = 20; // steps
export const MOST = 60; // layers

export class Racer {
  depth = 0;

  /** @param {Exports} exports of an instance of race.c that has its digits */
  constructor(exports) {
    this.exports = exports;
  }

  /** @param {Uint8Array<ArrayBuffer>} program @param {Uint8Array} digits */
  static async open(program, digits) {
    return new Racer(await opened(program, digits));
  }

  /** A network as it is before its first step. @param {Network} network */
  begin({ depth, shortcut, seed }) {
    this.depth = depth;
    this.exports.begin(seed, depth, Number(shortcut));
  }

  /**
   * Train on the next batch, and say what the network was like before that.
   *
   * @param {number} rate
   * @returns {{wrong: number, norms: number[]}} the share of the batch that was answered wrongly,
   *   and the norm of the gradient of each layer's weights, input side first
   */
  step(rate) {
    const { memory, norms, step } = this.exports;
    const wrong = 1 - step(rate) / BATCH;
    return { wrong, norms: [...new Float64Array(memory.buffer, norms(), this.depth)] };
  }
}

/**
 * The rate of a step, counted from 0: it rises evenly during the warm-up.
 *
 * @param {number} rate @param {number} warmup steps @param {number} step
 */
export const rateAt = (rate, warmup, step) => rate * Math.min(1, (step + 1) / (warmup + 1));
