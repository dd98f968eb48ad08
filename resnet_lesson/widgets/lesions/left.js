// One big bar: the accuracy of the whole network, and what is left of that.

import { make } from "../chart/elements.js";
import { percent } from "../chart/words.js";

export class Left {
  now = make("div", { class: "now" });
  number = make("b");

  /** @param {number} whole images that the whole network has right @param {number} images */
  constructor(whole, images) {
    this.images = images;
    const end = { style: `--whole: ${(100 * whole) / images}%` };
    this.element = make("div", { class: "left", "aria-hidden": "true", ...end }, [
      make("div", { class: "over" }, [
        this.number,
        make("span", {}, [`whole network: ${percent(whole, images)}`]),
      ]),
      make("div", { class: "track" }, [make("div", { class: "whole" }), this.now]),
      make("div", { class: "ends" }, [make("span", {}, ["0"]), make("span", {}, ["100 %"])]),
    ]);
  }

  /** @param {number} right images */
  show(right) {
    this.now.style.width = `${(100 * right) / this.images}%`;
    this.number.textContent = `Accuracy: ${percent(right, this.images)}`;
  }
}
