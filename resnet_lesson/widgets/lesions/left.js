// One big bar: the accuracy of the whole network, and what is left of that.

import { make } from "../chart/elements.js";
import { percent } from "../chart/words.js";

export class Left {
  now = make("div", { class: "now" });
  number = make("b");

  /** @param {number} whole the accuracy of the whole network, a share */
  constructor(whole) {
    const end = { style: `--whole: ${100 * whole}%` };
    this.element = make("div", { class: "left", "aria-hidden": "true", ...end }, [
      make("div", { class: "over" }, [
        this.number,
        make("span", {}, [`whole network: ${percent(whole, 1)}`]),
      ]),
      make("div", { class: "track" }, [make("div", { class: "whole" }), this.now]),
      make("div", { class: "ends" }, [make("span", {}, ["0"]), make("span", {}, ["100 %"])]),
    ]);
  }

  /** @param {number} share */
  show(share) {
    this.now.style.width = `${100 * share}%`;
    this.number.textContent = `Accuracy: ${percent(share, 1)}`;
  }
}
