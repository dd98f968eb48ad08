// The two handles of a guess: by keys, by mouse, by touch.

import { KEYS, make, set } from "../chart/elements.js";
import { farEnd, guessedAt, handleWords, LOWEST, layerAt, measured } from "./guess.js";
import { HEIGHT } from "./picture.js";

/** @typedef {import("./guess.js").Shape} Shape */
/** @typedef {keyof Shape} Name */

const STEP = 0.5; // decades
const PAGE = 5;

/**
 * What a key makes of a number; nothing if it is no key of a slider.
 *
 * @param {string} key
 * @param {number} now
 */
export function byKey(key, now) {
  /** @type {Record<string, number>} */
  const to = {
    ArrowUp: now + STEP,
    ArrowRight: now + STEP,
    ArrowDown: now - STEP,
    ArrowLeft: now - STEP,
    PageUp: now + PAGE,
    PageDown: now - PAGE,
    Home: LOWEST,
    End: -LOWEST,
  };
  return to[key];
}

export class Handles {
  /**
   * @param {(name: Name, decades: number) => void} move
   * @param {() => void} done the reader has moved one
   */
  constructor(move, done) {
    this.move = move;
    this.done = done;
    this.end = this.#make("end");
    this.bend = this.#make("bend");
  }

  /** @param {Name} name */
  #make(name) {
    const handle = make(
      "g",
      {
        class: "handle",
        role: "slider",
        tabindex: 0,
        "aria-orientation": "vertical",
        "aria-valuemin": LOWEST,
        "aria-valuemax": -LOWEST,
        ...KEYS,
      },
      [make("circle", { class: "reach", r: 22 }), make("circle", { class: "ring", r: 8 })],
    );
    handle.addEventListener("keydown", (event) => this.#moveByKey(name, event));
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
    });
    // Or a finger on the handle would scroll the page; `touch-action` is not heeded inside SVG.
    handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.#moveTo(name, event.clientY);
    });
    handle.addEventListener("pointerup", () => this.done());
    return handle;
  }

  hide() {
    for (const handle of [this.end, this.bend]) handle.style.display = "none";
  }

  /**
   * @param {Shape} guess
   * @param {import("../chart/curve.js").Curve} curve what was measured
   * @param {import("./setting.js").Setting} setting
   * @param {import("../chart/axes.js").Frame} frame
   */
  place(guess, curve, setting, frame) {
    const { start } = measured(curve, setting);
    this.placed = { guess, start, frame };
    this.#placeOne("end", 1, farEnd(setting), setting);
    this.#placeOne("bend", 0.5, "half-way", setting);
  }

  /**
   * @param {Name} name
   * @param {number} t
   * @param {string} place
   * @param {import("./setting.js").Setting} setting
   */
  #placeOne(name, t, place, setting) {
    if (!this.placed) return;
    const { guess, start, frame } = this.placed;
    const [x, y] = [frame.x(layerAt(t, setting)), frame.y(start + guessedAt(guess, t))];
    this[name].style.display = "";
    set(this[name], {
      transform: `translate(${x} ${y})`,
      "aria-label": `Guess, ${place}`,
      "aria-valuenow": guess[name],
      "aria-valuetext": handleWords(name, guess[name]),
    });
  }

  /** @param {Name} name @param {KeyboardEvent} event */
  #moveByKey(name, event) {
    const to = this.placed && byKey(event.key, this.placed.guess[name]);
    if (to === undefined) return;
    event.preventDefault();
    this.move(name, to);
    this.done();
  }

  /** @param {Name} name @param {number} clientY */
  #moveTo(name, clientY) {
    const box = this[name].ownerSVGElement?.getBoundingClientRect();
    if (!box || !this.placed) return;
    const { guess, start, frame } = this.placed;
    const value = frame.valueAt(((clientY - box.top) * HEIGHT) / box.height);
    const inside = Math.max(frame.ends[0], Math.min(frame.ends[1], value));
    this.move(name, inside - start - (name === "bend" ? guess.end / 2 : 0));
  }
}
