// Asking a source that may take its time, or fall silent.

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("./sources.js").Answer} Answer */
/** @typedef {import("./sources.js").Source} Source */

export const ANSWER_TIME = 20_000; // ms without an answer after which the stand-in is asked
export const BUSY_TIME = 300; // ms without an answer after which the reader is told

/**
 * One question at a time: a slider moves faster than a network is differentiated. Of those that
 * come while one waits for its answer, the newest is the next.
 */
export class Asking {
  /** @type {Source} the one that is asked now */
  source;
  /** @type {ReturnType<typeof setTimeout> | null} until a silent source is given up */
  #waiting = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} until the reader is told */
  #busy;
  /** @type {Setting | null} what is waited for */
  #wanted = null;
  /** @type {Setting | null} */
  #next = null;

  /**
   * @param {Source} standIn answers where no other source does
   * @param {object} explorer
   * @param {() => Setting} explorer.shown
   * @param {(answer: Answer) => void} explorer.take called with each answer
   * @param {() => void} explorer.settled called when nothing waits any more
   * @param {(is: boolean) => void} explorer.busy
   */
  constructor(standIn, { shown, take, settled, busy }) {
    this.standIn = standIn;
    this.shown = shown;
    this.take = take;
    this.settled = settled;
    this.busy = busy;
    this.source = standIn;
  }

  get waits() {
    return this.#waiting !== null;
  }

  /** @param {Setting} wanted */
  request(wanted) {
    if (this.waits) {
      this.#next = wanted;
      return;
    }
    const asked = this.source.ask(wanted, this.shown());
    if (asked instanceof Promise) this.#wait(asked, wanted);
    else if (asked) this.#end(asked, null);
  }

  /** @param {Promise<Answer>} asked @param {Setting} wanted */
  async #wait(asked, wanted) {
    this.#wanted = wanted;
    const waiting = setTimeout(() => this.giveUp(), ANSWER_TIME);
    this.#waiting = waiting;
    this.#busy = setTimeout(() => this.busy(true), BUSY_TIME);
    const answer = await asked;
    if (this.#waiting !== waiting) return; // it came too late
    const next = this.#next;
    this.stop();
    this.#end(answer, next);
  }

  /** @param {Answer} answer @param {Setting | null} next */
  #end(answer, next) {
    this.take(answer);
    if (next) this.request(next);
    if (!this.waits) this.settled();
  }

  /** The source will not answer: it has been given up, or its kernel has gone. */
  giveUp() {
    const silent = this.source;
    this.turnTo(this.standIn);
    silent.wake?.();
  }

  /**
   * From now on this source is asked, at first for what is still waited for.
   *
   * @param {Source} source
   */
  turnTo(source) {
    const wanted = this.#next ?? this.#wanted;
    this.stop();
    this.source = source;
    if (wanted) this.request(wanted);
  }

  /** Wait no longer. */
  stop() {
    clearTimeout(this.#waiting ?? undefined);
    clearTimeout(this.#busy);
    this.busy(false);
    this.#waiting = null;
    [this.#wanted, this.#next] = [null, null];
  }
}
