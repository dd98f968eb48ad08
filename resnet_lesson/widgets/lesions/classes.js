// The classes: of its images, how many are told right; of all answers, how many name it.

import { makeBars } from "../chart/bars.js";
import { sum } from "../chart/data.js";
import { make } from "../chart/elements.js";
import { percent } from "../chart/words.js";

const KINDS = ["right", "answers"];

export class Classes {
  /** @param {string[]} names */
  constructor(names) {
    this.rows = names.map(rowFor);
    const rows = this.rows.map(({ row }) => row);
    this.element = make("div", {}, [
      make("table", {}, [make("thead", {}, [headRow()]), make("tbody", {}, rows)]),
      make("p", { class: "note" }, [
        "Right: of the images of this class. Answers: of all answers, those that name it. ",
        "A full bar is 100 %.",
      ]),
    ]);
  }

  /**
   * @param {number[]} right
   * @param {number[]} answers
   * @param {number[]} images of each class
   */
  show(right, answers, images) {
    const all = sum(images);
    this.rows.forEach((row, at) => {
      row.right.textContent = percent(right[at], images[at]);
      row.answers.textContent = percent(answers[at], all);
      row.bars.show([right[at] / images[at], answers[at] / all], 1);
    });
  }
}

/** A class, with its numbers and their bars. @param {string} name */
function rowFor(name) {
  const [right, answers, bars] = [make("td"), make("td"), makeBars(KINDS)];
  const chart = make("td", { class: "chart", "aria-hidden": "true" }, [bars.element]);
  const head = make("th", { scope: "row" }, [name]);
  return { right, answers, bars, row: make("tr", {}, [head, right, answers, chart]) };
}

/** The head is the key, too: it stands over the numbers, in view at every width. */
function headRow() {
  const keys = KINDS.map((kind) =>
    make("th", { scope: "col" }, [
      make("i", { class: kind }),
      kind[0].toUpperCase() + kind.slice(1),
    ]),
  );
  return make("tr", {}, [make("th", { scope: "col" }, ["Class"]), ...keys, make("td")]);
}
