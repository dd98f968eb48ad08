// The classes: how many of its images are classified correctly, and how often it is the answer.

import { makeBars } from "../chart/bars.js";
import { sum } from "../chart/data.js";
import { make } from "../chart/elements.js";
import { percent } from "../chart/words.js";

const KINDS = ["right", "answers"];
const HEADS = ["Accuracy", "Answers"];

export class Classes {
  /** @param {string[]} names */
  constructor(names) {
    this.rows = names.map(rowFor);
    const rows = this.rows.map(({ row }) => row);
    this.element = make("div", {}, [
      make("table", {}, [make("thead", {}, [headRow()]), make("tbody", {}, rows)]),
      make("p", { class: "note" }, [
        "Accuracy: the share of this class’s images that are classified correctly. ",
        "Answers: the share of all test images that get this class as the answer.",
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
      row.right.textContent = images[at] ? percent(right[at], images[at]) : "–";
      row.answers.textContent = percent(answers[at], all);
      row.bars.show([right[at] / (images[at] || 1), answers[at] / all], 1);
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
  const keys = KINDS.map((kind, at) =>
    make("th", { scope: "col" }, [make("i", { class: kind }), HEADS[at]]),
  );
  return make("tr", {}, [make("th", { scope: "col" }, ["Class"]), ...keys, make("td")]);
}
