// The lesion explorer: delete modules of a trained network, and see what it still knows.

import { makeBars } from "../chart/bars.js";
import { sum } from "../chart/data.js";
import { button, make, say, set } from "../chart/elements.js";
import { listen } from "../chart/model.js";
import { grouped } from "../chart/words.js";
import { favourite, found, indexOf } from "./words.js";

/**
 * @typedef {object} Traits
 * @property {string[]} deleted
 * @property {string[]} modules
 * @property {string[]} class_names
 * @property {number[]} images of each class
 * @property {string} counts as text, by the set of deleted modules
 */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */

const KINDS = ["right", "answers"];

class Lesions {
  said = make("p", { role: "status", "aria-live": "polite" });

  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.modules = model.get("modules");
    this.names = model.get("class_names");
    this.images = model.get("images");
    /** @type {import("./words.js").Counts[]} */
    this.counts = JSON.parse(model.get("counts"));
    this.switches = this.modules.map((name) => this.switchFor(name));
    this.rows = this.names.map(rowFor);
    this.all = button("Put all back", () => this.change([]));
    el.replaceChildren(this.layout());
    this.forget = listen(model, { "change:deleted": () => this.show() });
    this.show();
  }

  /** @param {string[]} deleted */
  change(deleted) {
    this.model.set("deleted", deleted);
    this.model.save_changes();
    this.show();
  }

  // -------------------------------------------------------------- elements

  /** A module of the row: pressed, it is deleted. @param {string} name */
  switchFor(name) {
    const [, stage, unit] = name.match(/^stage(\d+)_unit(\d+)$/) ?? ["", "", name];
    const element = button(unit, () => {
      const deleted = this.model.get("deleted");
      const others = deleted.filter((one) => one !== name);
      this.change(deleted.includes(name) ? others : [...deleted, name]);
    });
    set(element, { "aria-label": `delete module ${unit} of stage ${stage}`, class: "module" });
    return { name, stage, element };
  }

  layout() {
    const end = (/** @type {string} */ word) => make("span", { class: "end" }, [word]);
    return make("div", { class: "resnet-lesions" }, [
      make("p", {}, ["Click a module to delete its branch; the shortcut, the bold line, stays."]),
      make("div", { class: "wire" }, [end("image"), ...this.stages(), end("class")]),
      this.all,
      this.said,
      make("table", {}, [
        make("thead", {}, [headRow()]),
        make(
          "tbody",
          {},
          this.rows.map(({ row }) => row),
        ),
      ]),
    ]);
  }

  stages() {
    const stages = Map.groupBy(this.switches, ({ stage }) => stage);
    return [...stages].map(([stage, switches]) => {
      const group = { role: "group", class: "stage", "aria-label": `stage ${stage}` };
      const elements = switches.map(({ element }) => element);
      const name = make("span", {}, [`stage ${stage}`]);
      return make("div", group, [name, make("div", {}, elements)]);
    });
  }

  // -------------------------------------------------------------- what is seen

  show() {
    const deleted = this.model.get("deleted");
    for (const { name, element } of this.switches) {
      set(element, { "aria-pressed": deleted.includes(name) });
    }
    this.all.disabled = deleted.length === 0;
    const [right, answers] = this.counts[indexOf(this.modules, deleted)];
    this.say(deleted, right, answers);
    // A class that has become the answer to all would leave the chart: all are drawn on one scale.
    const most = Math.max(...answers, ...this.images);
    this.rows.forEach((row, at) => {
      row.right.textContent = `${grouped(right[at])} of ${grouped(this.images[at])}`;
      row.answers.textContent = grouped(answers[at]);
      row.bars.show([right[at], answers[at]], most);
    });
  }

  /** @param {string[]} deleted @param {number[]} right @param {number[]} answers */
  say(deleted, right, answers) {
    const gone = this.modules.filter((name) => deleted.includes(name));
    const [images, whole] = [sum(this.images), sum(this.counts[0][0])];
    const said = found(gone, sum(right), whole, images);
    say(this.said, said + favourite(answers, this.names, images));
  }
}

/** A class, with its numbers and their bars. @param {string} name */
function rowFor(name) {
  const [right, answers, bars] = [make("td"), make("td"), makeBars(KINDS)];
  const chart = make("td", { class: "chart", "aria-hidden": "true" }, [bars.element]);
  const head = make("th", { scope: "row" }, [name]);
  return { right, answers, bars, row: make("tr", {}, [head, right, answers, chart]) };
}

function headRow() {
  const heads = ["Class", "Right", "Answers"].map((words) => make("th", { scope: "col" }, [words]));
  const keys = KINDS.map((kind) => make("span", {}, [make("i", { class: kind }), ` ${kind}`]));
  return make("tr", {}, [...heads, make("td", { class: "key", "aria-hidden": "true" }, keys)]);
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  const lesions = new Lesions(model, el);
  return () => lesions.forget();
}

export default { render };
