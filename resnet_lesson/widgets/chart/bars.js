// Bars of the page's own boxes, one over the other on one scale.

import { make } from "./elements.js";

/**
 * An element with a bar of each kind, and what sets their lengths.
 *
 * @param {string[]} kinds classes of the bars
 */
export function makeBars(kinds) {
  const bars = kinds.map((kind) => make("div", { class: kind }));
  return {
    element: make("div", {}, bars),
    /** @param {number[]} values a bar each @param {number} most the value of a full bar */
    show(values, most) {
      bars.forEach((bar, at) => {
        bar.style.width = `${(100 * values[at]) / most}%`;
      });
    },
  };
}
