// The networks of the panel, with the line of each and what it shows, in words.

import { make, say } from "../chart/elements.js";

export class Names {
  #shown = "";
  list = make("ul", { class: "names", "aria-label": "Networks" });
  /** @type {HTMLElement[]} */
  #words = [];

  /** @param {string[]} names */
  show(names) {
    if (this.#shown === names.join("\n")) return;
    this.#shown = names.join("\n");
    this.#words = names.map(() => make("span"));
    const rows = names.map((name, run) =>
      make("li", { class: `run-${run}` }, [
        swatch(),
        " ",
        make("strong", {}, [name]),
        ": ",
        this.#words[run],
      ]),
    );
    this.list.replaceChildren(...rows);
  }

  /** @param {number} run @param {string} words */
  say(run, words) {
    say(this.#words[run], words);
  }
}

const swatch = () =>
  make("svg", { "aria-hidden": "true", width: 34, height: 10 }, [
    make("path", { class: "curve", d: "M0 5L34 5" }),
  ]);
