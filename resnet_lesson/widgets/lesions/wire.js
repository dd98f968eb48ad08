// The network as its wire, straight, with the modules' branches hanging below it.

import { button, make, set } from "../chart/elements.js";

/**
 * A module: its branch, its button, and a bar for what is left without it alone.
 *
 * @typedef {{name: string, stage: string, element: Element, button: Element, alone: Element}} Hung
 */

/** @param {string} name @param {(name: string) => void} turn @returns {Hung} */
function hang(name, turn) {
  const [, stage, unit] = name.match(/^stage(\d+)_unit(\d+)$/) ?? ["", "", name];
  // The first module of a later stage halves the maps and doubles the filters.
  const projects = Number(stage) > 1 && unit === "1";
  const press = button(unit, () => turn(name));
  set(press, { "aria-label": `delete module ${unit} of stage ${stage}` });
  const alone = make("div", { class: "alone" });
  const branch = make("div", { class: "branch", "aria-hidden": "true" }, [
    make("span", { class: "plus" }, ["+"]),
  ]);
  return {
    name,
    stage,
    button: press,
    alone,
    element: make("div", { class: projects ? "module projects" : "module" }, [
      branch,
      press,
      alone,
    ]),
  };
}

export class Wire {
  /** @param {string[]} modules @param {(name: string) => void} turn */
  constructor(modules, turn) {
    this.hung = modules.map((name) => hang(name, turn));
    const stages = [...Map.groupBy(this.hung, ({ stage }) => stage)].map(([stage, hung]) => {
      const group = { role: "group", class: "stage", "aria-label": `stage ${stage}` };
      const name = make("div", { class: "name" }, [`stage ${stage}`]);
      const row = hung.map(({ element }) => element);
      const own = { ...group, style: `flex: ${hung.length}` };
      return make("div", own, [name, make("div", { class: "row" }, row)]);
    });
    const ends = ["image", "class"].map((word) => make("span", {}, [word]));
    this.element = make("div", {}, [
      make("div", { class: "ends" }, ends),
      make("div", { class: "wire" }, stages),
    ]);
  }

  /** @param {string[]} deleted @param {Map<string, number>} alone shares that are left */
  show(deleted, alone) {
    for (const { name, element, button, alone: place } of this.hung) {
      const gone = deleted.includes(name);
      set(button, { "aria-pressed": gone });
      element.classList.toggle("gone", gone);
      place.replaceChildren(...barOf(alone.get(name)));
    }
  }
}

/** @param {number | undefined} share none where it was not tried */
function barOf(share) {
  const height = `height: ${100 * (share ?? 0)}%`;
  const words = share === undefined ? "" : `${Math.round(100 * share)}`;
  return [
    make("div", { class: "column" }, [make("div", { style: height })]),
    make("span", {}, [words]),
  ];
}
