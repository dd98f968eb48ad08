// The explorer's elements, in their order on the page.

import { button, KEYS, make, say, set } from "../chart/elements.js";
import { colourClass, drawPicture, drawSwatch, HEIGHT } from "./picture.js";

/** @typedef {import("./setting.js").LabelledCurve} LabelledCurve */
/** @typedef {{question: string, setting: import("./setting.js").Setting}} Preset */
/**
 * What the buttons do.
 *
 * @typedef {object} Acts
 * @property {() => void} redraw
 * @property {() => void} pin
 * @property {(which: number) => void} unpin
 * @property {() => void} turnGuess
 * @property {() => void} saveGuess
 * @property {(files: File[]) => void} openGuesses
 * @property {(preset: Preset) => void} ask
 * @property {() => void} send what the controls say
 */

export class Layout {
  /** @type {LabelledCurve[] | null} */
  #pinsShown = null;

  /**
   * @param {import("./controls.js").Controls} controls
   * @param {import("./handles.js").Handles} handles
   * @param {Preset[]} presets
   * @param {Acts} acts
   */
  constructor(controls, handles, presets, acts) {
    this.acts = acts;
    this.drawing = make("g", { role: "img" });
    this.svg = make("svg", { class: "picture" }, [this.drawing, handles.end, handles.bend]);
    this.status = make("p", { role: "status", "aria-live": "polite" });
    this.ofClass = make("p", { "aria-live": "polite" });
    this.note = make("p", { class: "note", "aria-live": "polite" });
    this.legend = make("ul", { class: "pins", "aria-label": "Pinned curves" });
    this.guess = button("", acts.turnGuess);
    this.save = button("Save my guess", acts.saveGuess);
    this.redraw = button("Redraw weights", acts.redraw);
    this.summary = make("summary", KEYS, ["More"]);
    this.root = make("div", { class: "resnet-explorer" }, [
      this.#first(controls),
      this.#more(controls),
      make(
        "div",
        { class: "controls questions", role: "group", "aria-label": "Questions" },
        presets.map((preset) => button(preset.question, () => acts.ask(preset))),
      ),
      this.svg,
      this.status,
      this.ofClass,
      this.legend,
      this.note,
    ]);
  }

  /** @param {import("./controls.js").Controls} controls */
  #first(controls) {
    const first = make("div", { class: "controls" }, [
      controls.labelled("depth"),
      controls.labelled("activation"),
      controls.labelled("shortcut"),
      this.guess,
      this.save,
    ]);
    first.addEventListener("input", this.acts.send);
    return first;
  }

  /** @param {import("./controls.js").Controls} controls */
  #more(controls) {
    const files = make("input", { type: "file", multiple: "", accept: ".json", hidden: "" });
    files.addEventListener("change", () => {
      this.acts.openGuesses([...(files.files ?? [])]);
      files.value = "";
    });
    const open = button("Open guesses", () => files.click());
    const pin = button("Pin this curve", this.acts.pin);
    const more = make("details", {}, [
      this.summary,
      make("div", { class: "controls" }, [
        controls.labelled("initializer"),
        controls.labelled("normalization"),
        controls.labelled("order"),
        controls.labelled("kind"),
        controls.labelled("quantity"),
        this.redraw,
        pin,
        open,
        files,
      ]),
    ]);
    more.addEventListener("input", this.acts.send);
    return more;
  }

  /** @param {import("./picture.js").View} view */
  draw(view) {
    set(this.svg, { viewBox: `0 0 ${view.width} ${HEIGHT}` });
    this.drawing.replaceChildren(...drawPicture(view));
  }

  /** @param {{status: string, ofClass: string, guessing: boolean, guessed: boolean}} said */
  say({ status, ofClass, guessing, guessed }) {
    set(this.drawing, { "aria-label": status });
    say(this.status, status);
    say(this.ofClass, ofClass);
    this.guess.textContent = guessing ? "Show what was measured" : "Guess first";
    this.save.style.display = guessed ? "" : "none";
  }

  /** @param {LabelledCurve[]} pins */
  showPins(pins) {
    if (this.#pinsShown === pins) return; // a button that has the focus keeps it
    this.#pinsShown = pins;
    const rows = pins.map((pin, which) => {
      const remove = button("remove", () => this.acts.unpin(which));
      set(remove, { "aria-label": `remove ${pin.label}` });
      return make("li", { class: colourClass(which) }, [drawSwatch(which), pin.label, " ", remove]);
    });
    this.legend.replaceChildren(...rows);
  }

  /** The next pin has the focus, where one was removed. @param {number} which */
  focusPin(which) {
    const left = this.legend.children;
    const next = left[Math.min(which, left.length - 1)];
    (next?.querySelector("button") ?? this.summary).focus();
  }
}
