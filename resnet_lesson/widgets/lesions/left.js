// One big bar: what the whole network tells right, and what is left of that.

import { make } from "../chart/elements.js";
import { percent } from "../chart/words.js";

export class Left {
  now = make("div", { class: "now" });
  number = make("b");

  /** @param {number} whole the share that the whole network tells right */
  constructor(whole) {
    const end = { style: `width: ${100 * whole}%` };
    this.element = make("div", { class: "left", "aria-hidden": "true" }, [
      this.number,
      make("div", { class: "track" }, [
        make("div", { class: "whole", ...end }, [make("span", {}, [`whole ${percent(whole, 1)}`])]),
        this.now,
      ]),
      make("div", { class: "ends" }, [make("span", {}, ["0"]), make("span", {}, ["100 %"])]),
    ]);
  }

  /** @param {number} share */
  show(share) {
    this.now.style.width = `${100 * share}%`;
    this.number.textContent = percent(share, 1);
  }
}
