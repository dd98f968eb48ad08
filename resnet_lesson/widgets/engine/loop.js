// A plain and a residual network, trained step by step at a pace that can be watched.

import { rateAt } from "./race.js";

/**
 * @typedef {object} Settings
 * @property {number} run its number, to recognise reports of an earlier race
 * @property {number} depth
 * @property {number} rate
 * @property {number} warmup steps
 * @property {number} seed
 */
/** @typedef {ReturnType<import("./race.js").Racer["step"]>} Taken */
/** @typedef {{run: number, plain: Taken[], residual: Taken[]}} Report steps since the last one */

export const STEPS = 600;
const AT_ONCE = 5; // steps between two reports
const PACE = 33; // ms between two reports, at least

export class Loop {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;
  /** @type {Settings | undefined} */
  #settings;
  #at = 0;

  /**
   * @param {{plain: import("./race.js").Racer, residual: import("./race.js").Racer}} racers
   * @param {(report: Report) => void} report
   */
  constructor(racers, report) {
    this.racers = racers;
    this.report = report;
  }

  /** Two new networks, with the same draws. @param {Settings} settings */
  start(settings) {
    this.pause();
    const { depth, seed } = settings;
    this.racers.plain.begin({ depth, seed, shortcut: false });
    this.racers.residual.begin({ depth, seed, shortcut: true });
    [this.#settings, this.#at] = [settings, 0];
    this.go();
  }

  pause() {
    clearTimeout(this.#waiting);
  }

  go() {
    this.pause();
    const settings = this.#settings;
    if (!settings || this.#at >= STEPS) return;
    const began = performance.now();
    /** @type {Report} */
    const report = { run: settings.run, plain: [], residual: [] };
    for (const end = this.#at + AT_ONCE; this.#at < end; this.#at++) {
      const rate = rateAt(settings.rate, settings.warmup, this.#at);
      report.plain.push(this.racers.plain.step(rate));
      report.residual.push(this.racers.residual.step(rate));
    }
    this.report(report);
    const rest = PACE - (performance.now() - began);
    this.#waiting = setTimeout(() => this.go(), Math.max(0, rest));
  }
}
