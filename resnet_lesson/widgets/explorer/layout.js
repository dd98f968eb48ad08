// The explorer's elements, in their order on the page.

import { Copier } from "../chart/copy.js";
import { button, KEYS, labelled, make, say, set } from "../chart/elements.js";
import { ramp, STRIP_ENDS } from "../chart/strip.js";
import { power } from "../chart/words.js";
import { drawPicture, HEIGHT } from "./picture.js";

/** @typedef {import("./setting.js").LabelledCurve} LabelledCurve */
/** @typedef {import("./controls.js").Controls} Controls */
/**
 * What the buttons do.
 *
 * @typedef {object} Acts
 * @property {() => void} redraw
 * @property {() => void} keep
 * @property {(which: number) => void} remove
 * @property {() => void} removeAll
 * @property {() => void} guess
 * @property {() => void} reveal
 * @property {() => void} saveGuess
 * @property {(files: File[]) => void} openGuesses
 * @property {(text: string) => void} openCodes
 * @property {(by: number) => void} walk
 * @property {() => void} leave
 * @property {() => void} copy
 * @property {() => void} send what the controls say
 */
/**
 * What stands around the picture.
 *
 * @typedef {object} Said
 * @property {string} title
 * @property {string} hint
 * @property {string} seen in a sentence
 * @property {string} how it comes to that
 * @property {string} label of the picture, for who cannot see it
 * @property {string} guess in words
 * @property {string} ofClass
 * @property {"explore" | "guess" | "revealed"} mode
 * @property {boolean} moved whether the guess was moved
 * @property {string} code of that guess, where it has one
 * @property {number} question
 * @property {string | undefined} next question; undefined after the last
 * @property {number} count of questions
 * @property {boolean} walks whether the reader can walk through them
 * @property {string[]} hide what a teacher does not show
 */

/** The controls of the network, those in sight and those in a fold. */
const SHOWN = /** @type {const} */ (["depth", "activation", "normalization", "shortcut"]);
const FOLDED = /** @type {const} */ (["initializer", "kind", "order"]);

export class Layout {
  /** @type {LabelledCurve[] | null} */
  #kept = null;
  title = make("p", { class: "title" });
  hint = make("p", { class: "hint" });
  drawing = make("g", { role: "img" });
  seen = make("b");
  how = make("span");
  said = make("p", { class: "said", role: "status", "aria-live": "polite" });
  ofClass = make("p", { class: "note", "aria-live": "polite" });
  note = make("p", { class: "note", "aria-live": "polite" });
  busy = make("p", { class: "busy", "aria-live": "polite" });
  kept = make("ul", { "aria-label": "Kept curves" });
  keptNames = make("summary", KEYS);
  folded = make("details");
  copier = new Copier();
  guessed = make("p", { class: "said" });
  code = make("code");
  codeCopier = new Copier();
  dots = make("span", { class: "dots" });

  /**
   * @param {Controls} controls
   * @param {import("./handles.js").Handles} handles
   * @param {Acts} acts
   */
  constructor(controls, handles, acts) {
    this.acts = acts;
    this.keep = button("Keep this curve", acts.keep, "quiet");
    this.removeAll = button("remove all", acts.removeAll, "quiet");
    this.keptList = make("details", { class: "group" }, [
      this.keptNames,
      this.kept,
      this.removeAll,
    ]);
    this.redraw = button("Draw other weights", acts.redraw, "quiet");
    this.reveal = button("Show what was measured", acts.reveal, "primary");
    this.next = button("", () => acts.walk(1), "primary");
    this.back = button("← Back", () => acts.walk(-1), "quiet");
    this.leave = button("Explore freely", acts.leave, "quiet");
    this.again = button("", acts.guess, "quiet");
    this.save = button("Save my guess", acts.saveGuess, "quiet");
    this.svg = make("svg", { class: "picture" }, [this.drawing, handles.end, handles.bend]);
    this.said.append(this.seen, " ", this.how);
    this.network = this.#network(controls);
    this.side = make("div", { class: "side" }, [this.network, this.keptList, this.#more()]);
    this.key = key();
    this.drawn = make("div", { class: "drawn" }, [this.keep, controls.all.quantity.element]);
    this.drawn.addEventListener("input", acts.send);
    this.place = make("div", { class: "place" }, [this.busy, this.svg, this.key]);
    const main = [this.drawn, this.place, this.said, this.guessed];
    const { reveal, next, back, leave, again, save, dots } = this;
    const further = make("div", { class: "further" }, [back, leave, again, save, dots]);
    this.ofCode = this.#ofCode();
    this.foot = make("div", { class: "foot", role: "group", "aria-label": "Questions" }, [
      ...[reveal, next, further, this.ofCode],
    ]);
    this.root = make("div", { class: "resnet-explorer" }, [
      this.title,
      this.hint,
      make("div", { class: "body" }, [this.side, make("div", { class: "main" }, main)]),
      this.foot,
      make("div", { class: "notes" }, [this.ofClass, this.note]),
    ]);
  }

  /** @param {Controls} controls */
  #network({ all, why }) {
    const summary = make("summary", KEYS, ["Starting weights, layers …"]);
    this.folded.append(summary, ...FOLDED.map((name) => all[name].element), why);
    const shown = SHOWN.map((name) => all[name].element);
    return this.#group("The network", [...shown, this.folded]);
  }

  /** The code of the guess, to be selected or copied. */
  #ofCode() {
    const copy = button("Copy", () => this.codeCopier.copy(this.code.textContent ?? ""), "quiet");
    set(copy, { "aria-label": "Copy the code of my guess" });
    const { code, codeCopier } = this;
    return make("div", { class: "coded" }, ["Code of my guess: ", code, copy, codeCopier.element]);
  }

  /** A class without a folder of files. */
  #codes() {
    const codes = make("textarea", { rows: 4, spellcheck: false, autocomplete: "off", ...KEYS });
    return make("div", { class: "codes" }, [
      labelled("Paste the codes of a class, one a line", codes),
      button("Show these guesses", () => this.acts.openCodes(codes.value), "quiet"),
    ]);
  }

  #more() {
    const files = make("input", { type: "file", multiple: "", accept: ".json", hidden: "" });
    files.addEventListener("change", () => {
      this.acts.openGuesses([...(files.files ?? [])]);
      files.value = "";
    });
    return make("details", { class: "group" }, [
      make("summary", KEYS, ["More"]),
      this.redraw,
      make("br"),
      button("Copy this view", this.acts.copy, "quiet"),
      this.copier.element,
      button("Open guesses", () => files.click(), "quiet"),
      files,
      this.#codes(),
    ]);
  }

  /** @param {string} name @param {Element[]} children */
  #group(name, children) {
    const group = make("fieldset", { class: "group" }, [make("legend", {}, [name]), ...children]);
    group.addEventListener("input", this.acts.send);
    return group;
  }

  /** @param {import("./picture.js").View} view */
  draw(view) {
    set(this.svg, { viewBox: `0 0 ${view.width} ${HEIGHT}` });
    this.drawing.replaceChildren(...drawPicture(view));
  }

  /** @param {Said} said */
  say(said) {
    const held = document.activeElement;
    const { mode, question, next, count } = said;
    const [guessing, explores] = [mode === "guess", mode === "explore"];
    say(this.title, said.title);
    say(this.hint, said.hint);
    say(this.seen, said.seen.replaceAll(" %", "\u00a0%")); // a number keeps its unit
    say(this.how, said.how);
    say(this.ofClass, said.ofClass);
    say(this.guessed, said.guess);
    set(this.drawing, { "aria-label": said.label });
    this.side.hidden = !explores;
    const isHidden = (/** @type {string} */ name) => said.hide.includes(name);
    this.drawn.hidden = !explores;
    this.folded.hidden = FOLDED.every(isHidden);
    this.network.hidden = this.folded.hidden && SHOWN.every(isHidden);
    this.key.style.visibility = guessing ? "hidden" : "";
    this.root.classList.toggle("wide", !explores);
    this.reveal.hidden = this.guessed.hidden = !guessing;
    this.said.hidden = guessing;
    this.next.hidden = guessing || !said.walks;
    say(this.next, nextWords(said));
    this.back.hidden = guessing || question < 2;
    this.leave.hidden = guessing || (explores && question === 0) || !(next || this.next.hidden);
    this.again.textContent = explores ? "Guess first" : "Guess again";
    const nothingLeft = explores && said.walks && !next; // what is shown is no longer a question
    this.again.hidden = guessing || nothingLeft || isHidden("guess");
    this.save.hidden = !said.moved;
    this.ofCode.hidden = !said.code;
    if (this.code.textContent !== said.code) this.codeCopier.forget();
    say(this.code, said.code);
    const dots = Array.from({ length: count }, (_, at) => (at < question ? "●" : "○")).join(" ");
    say(this.dots, question ? `question ${question} of ${count} ${dots}` : "");
    this.#keepFocus(held);
  }

  /** Where the button that was pressed has gone, go on to the next. @param {Element | null} held */
  #keepFocus(held) {
    if (!(held instanceof HTMLElement) || !held.hidden || !this.foot.contains(held)) return;
    [this.next, this.leave, this.again, this.reveal].find(({ hidden }) => !hidden)?.focus();
  }

  /** @param {LabelledCurve[]} pins */
  showKept(pins) {
    if (this.#kept === pins) return; // a button that has the focus keeps it
    this.#kept = pins;
    const rows = pins.map((pin, which) => {
      const remove = button("remove", () => this.acts.remove(which), "quiet");
      set(remove, { "aria-label": `remove ${pin.label}` });
      return make("li", {}, [pin.label, " ", remove]);
    });
    this.kept.replaceChildren(...rows);
    this.keptNames.textContent = `Kept curves: ${pins.length}`;
    this.keptList.hidden = pins.length === 0;
    this.removeAll.hidden = pins.length < 2;
  }

  /** The next kept curve has the focus, where one was removed. @param {number} which */
  focusKept(which) {
    const left = this.kept.children;
    const next = left[Math.min(which, left.length - 1)];
    (next?.querySelector("button") ?? this.keep).focus();
  }
}

/** @param {Said} said */
function nextWords({ mode, question, next, count }) {
  if (mode === "explore" && question === 0) return `Walk through ${count} questions →`;
  return next ? `Next: ${next} →` : "Explore freely →";
}

/** The one scale of every strip. */
function key() {
  const [low, high] = STRIP_ENDS;
  const colours = make("span", { class: "ramp" });
  colours.style.background = ramp();
  return make("p", { class: "key", "aria-hidden": "true" }, [
    `${power(low)} and less`,
    colours,
    `${power(high)} and more`,
    make("span", { class: "empty" }),
    "exactly zero",
  ]);
}
