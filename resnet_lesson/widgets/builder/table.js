// The whole table: a row a part.

import { make, say } from "../chart/elements.js";
import { grouped } from "../chart/words.js";
import { total } from "./arithmetic.js";
import { partName, sizeOf } from "./words.js";

/** @typedef {import("./arithmetic.js").Part} Part */

const COLUMNS = ["Part", "Parameters", "Multiply-adds", "Feature maps", "Modules"];

export class Table {
  body = make("tbody");
  trainable = make("p", { class: "note" });

  constructor() {
    const heads = COLUMNS.map((name) => make("th", { scope: "col" }, [name]));
    const region = { tabindex: 0, role: "region", "aria-label": "Parts of the network" };
    this.element = make("details", {}, [
      make("summary", {}, ["The whole table"]),
      make("div", { class: "scrolls", ...region }, [
        make("table", {}, [make("thead", {}, [make("tr", {}, heads)]), this.body]),
      ]),
      this.trainable,
    ]);
  }

  /** @param {Part[]} parts */
  show(parts) {
    say(this.trainable, `${grouped(total(parts, "trainable"))} of the parameters are trainable.`);
    const names = /** @type {const} */ (["modules", "parameters", "multiply_adds"]);
    const [modules, parameters, multiplyAdds] = names.map((name) => grouped(total(parts, name)));
    this.body.replaceChildren(
      ...parts.map((part) =>
        rowOf(
          partName(part.name),
          grouped(part.parameters),
          grouped(part.multiply_adds),
          sizeOf(part),
          part.modules ? `${part.modules}` : "",
        ),
      ),
      rowOf("in all", parameters, multiplyAdds, "", modules),
    );
  }
}

/** @param {string} name @param {string[]} cells */
const rowOf = (name, ...cells) =>
  make("tr", {}, [
    make("th", { scope: "row" }, [name]),
    ...cells.map((words) => make("td", {}, [words])),
  ]);
