// Which step is looked at: the last one, unless a reader chose another or plays.

const TIME = 10_000; // ms that playing takes
const TICK = 100; // ms

export class Replay {
  /** @type {number | null} the step; null follows the training */
  at = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #playing;

  /** @param {() => void} change called with each move */
  constructor(change) {
    this.change = change;
  }

  get playing() {
    return this.#playing !== undefined;
  }

  /** @param {number | null} step */
  moveTo(step) {
    this.halt();
    this.at = step;
  }

  /**
   * Play from here, or from the beginning; or halt.
   *
   * @param {number} last step
   */
  turn(last) {
    if (this.playing) return this.halt();
    let at = this.at === null || this.at >= last ? 0 : this.at;
    this.#playing = setInterval(() => {
      at = Math.min(last, at + (last * TICK) / TIME);
      this.at = at;
      if (at === last) this.halt();
      else this.change();
    }, TICK);
    this.change();
  }

  halt() {
    clearInterval(this.#playing);
    this.#playing = undefined;
    this.change();
  }
}
