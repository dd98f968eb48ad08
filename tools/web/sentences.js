// Sentences that compute: a number in the prose is dragged, and what the sentence says of it is
// computed anew by the page's engine.

import { explorer } from "../../resnet_lesson/widgets/chart/constants.js";
import { make, set } from "../../resnet_lesson/widgets/chart/elements.js";
import { PageEngine } from "../../resnet_lesson/widgets/engine/page.js";
import { shareOf } from "../../resnet_lesson/widgets/explorer/guess.js";

/** @typedef {import("../../resnet_lesson/widgets/explorer/setting.js").Setting} Setting */

const PIXELS = 4; // to drag for one more
const LEAPS = /** @type {Record<string, number>} */ ({
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
});

/** What a sentence can say of the norms of a gradient, input side first. */
const SAYINGS = /** @type {Record<string, (norms: number[]) => string>} */ ({
  share(norms) {
    const [first, last] = [norms[0], norms[norms.length - 1]];
    if (first === 0) return "exactly nothing of";
    return shareOf(Math.log10(first / last));
  },
  nothing: (norms) => `${norms.filter((norm) => norm === 0).length}`,
});

/** Its setting, but the depth. @param {HTMLElement} result @returns {Setting} */
function settingOf(result) {
  const given = new URLSearchParams(result.dataset.network);
  const flags = ["normalization", "shortcut"].map((name) => [name, given.get(name) === "true"]);
  return { ...explorer.defaults, ...Object.fromEntries([...given, ...flags]) };
}

class Sentence {
  engine = new PageEngine();
  wanted = 0;
  busy = false;
  refusal = make("span", { role: "status" });

  /** @param {HTMLElement} element with a number, and one result or more */
  constructor(element) {
    this.number = /** @type {HTMLElement} */ (element.querySelector("[data-least]"));
    this.results = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[data-says]")]);
    this.least = Number(this.number.dataset.least);
    this.most = Number(this.number.dataset.most);
    this.value = this.written = Number(this.number.textContent);
    element.append(this.refusal);
    set(this.number, {
      role: "slider",
      tabindex: 0,
      "aria-label": "number of layers",
      "aria-valuemin": this.least,
      "aria-valuemax": this.most,
      title: "Drag me to the left or right, or use the arrow keys.",
    });
    for (const result of this.results) set(result, { role: "status" });
    this.number.addEventListener("keydown", (event) => this.press(event));
    this.number.addEventListener("pointerdown", (event) => this.grasp(event));
    this.show();
    element.classList.add("alive");
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const leap = LEAPS[event.key];
    if (leap === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.change(this.value + leap);
  }

  /** @param {PointerEvent} event */
  grasp(event) {
    if (event.button !== 0) return;
    const [from, value] = [event.clientX, this.value];
    this.number.setPointerCapture(event.pointerId);
    this.number.onpointermove = ({ clientX }) =>
      this.change(value + Math.round((clientX - from) / PIXELS));
    this.number.onlostpointercapture = () => {
      this.number.onpointermove = null;
    };
    // A finger that wanted to scroll.
    this.number.onpointercancel = () => this.change(value);
  }

  /** @param {number} value */
  change(value) {
    this.value = Math.max(this.least, Math.min(this.most, value));
    this.show();
    this.compute();
  }

  show() {
    this.number.textContent = `${this.value}`;
    set(this.number, {
      "aria-valuenow": this.value,
      "aria-valuetext": `${this.value} layers`,
    });
  }

  /** The newest number wins: those that were passed on the way are left out. */
  async compute() {
    this.wanted = this.value;
    if (this.busy) return;
    this.busy = true;
    try {
      for (let done = 0; done !== this.wanted; ) {
        done = this.wanted;
        for (const result of this.results) await this.computeOne(result, done);
      }
    } finally {
      this.busy = false;
    }
  }

  /** @param {HTMLElement} result @param {number} depth */
  async computeOne(result, depth) {
    try {
      const norms = await this.engine.norms({ ...settingOf(result), depth });
      result.textContent = SAYINGS[`${result.dataset.says}`](norms);
    } catch {
      this.giveUp();
    }
  }

  /** The words stay as they were written. */
  giveUp() {
    this.value = this.wanted = this.written;
    this.show();
    this.refusal.textContent = " (This page cannot compute, so the number stays as it was.)";
  }
}

/** @param {ParentNode} page */
export function bringToLife(page) {
  for (const element of page.querySelectorAll(".computed")) {
    new Sentence(/** @type {HTMLElement} */ (element));
  }
}
