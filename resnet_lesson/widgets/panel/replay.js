// Which step is looked at: the last one, unless a reader chose another or plays.

const TIME = 10_000; // ms that playing takes
const TICK = 100; // ms

export class Replay {
  /** @type {number | null} the step; null follows the training */
  at = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #playing;

  /** @param {(playing: boolean) => void} change called with each move */
  constructor(change) {
    this.change = change;
  }

  /** @param {number | null} step */
  moveTo(step) {
    this.halt();
    this.at = step;
  }

  /**
   * Play from here, or from the beginning; or halt.
   *
   * @param {{last: number, extent: number}} span in steps
   */
  turn({ last, extent }) {
    if (this.#playing !== undefined) return this.halt();
    let at = this.at === null || this.at >= last ? 0 : this.at;
    this.#playing = setInterval(() => {
      at = Math.min(last, at + (extent * TICK) / TIME);
      this.at = at;
      if (at === last) this.halt();
      else this.change(true);
    }, TICK);
    this.change(true);
  }

  halt() {
    clearInterval(this.#playing);
    this.#playing = undefined;
    this.change(false);
  }
}
