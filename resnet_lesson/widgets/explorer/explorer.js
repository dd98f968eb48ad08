// The gradient explorer. The model's traits are what is shown; a source answers what they become:
// the kernel where there is one, else the curves that came along.

import { listen, onResize, put } from "../chart/model.js";
import { rounded } from "../chart/words.js";
import { Asking } from "./asking.js";
import { Controls } from "./controls.js";
import { GUESS_AXIS, guessCurve, isOf, LOWEST, stamped, task } from "./guess.js";
import { readGuesses, saveGuess } from "./guess_file.js";
import { Handles } from "./handles.js";
import { Layout } from "./layout.js";
import { frameFor } from "./picture.js";
import { readGrid } from "./recorded.js";
import { pick, TRAITS } from "./setting.js";
import { GridSource, KernelSource } from "./sources.js";
import { classWords, verdict } from "./verdict.js";

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("./setting.js").Traits} Traits */
/** @typedef {import("./guess.js").Guess} Guess */

const PINS = 7; // that the questions leave

class Explorer {
  /**
   * Decades that the picture holds at least, once a question has been asked.
   *
   * @type {import("../chart/scale.js").Ends | null}
   */
  axis = null;
  width = 640;

  /**
   * @param {import("./setting.js").Model} model
   * @param {HTMLElement} el
   * @param {import("./recorded.js").Grid} grid
   */
  constructor(model, el, grid) {
    this.model = model;
    this.kernel = new KernelSource(model);
    this.asking = new Asking(new GridSource(grid, model.get("words")), {
      shown: () => this.setting(),
      take: (answer) => this.take(answer),
      settled: () => this.follow(),
    });
    this.controls = new Controls(grid);
    const done = () => this.keep({});
    this.handles = new Handles((name, decades) => this.moveGuess(name, decades), done);
    this.layout = new Layout(this.controls, this.handles, this.get("presets"), this.acts());
    el.replaceChildren(this.layout.root);
    this.endings = [
      listen(model, this.heard()),
      // The picture is as wide as its place, so that its letters keep their size on a phone.
      onResize(this.layout.root, this.width, (width) => this.resize(width)),
    ];
    this.follow();
    this.show();
    this.kernel.wake();
  }

  /** What the model may tell. */
  heard() {
    const [show, follow] = [() => this.show(), () => this.follow()];
    const ofPicture = ["pins", "guess", "guesses", "guessing"].map((name) => [name, show]);
    const ofControls = TRAITS.map((name) => [name, follow]);
    return {
      "change:answers": () => this.answered(),
      "msg:custom": (/** @type {unknown} */ said) => this.hear(said),
      ...Object.fromEntries(
        [...ofPicture, ...ofControls].map(([name, act]) => [`change:${name}`, act]),
      ),
    };
  }

  /** @returns {import("./layout.js").Acts} */
  acts() {
    return {
      redraw: () => this.asking.request({ ...this.setting(), seed: this.get("seed") + 1 }),
      pin: () => this.keep({ pins: [...this.get("pins"), this.get("curve")] }),
      unpin: (which) => this.unpin(which),
      turnGuess: () => this.turnGuess(),
      saveGuess: () => saveGuess(stamped(this.guess() ?? STRAIGHT, this.setting())),
      openGuesses: (files) => this.openGuesses(files),
      ask: (preset) => this.ask(preset),
      send: () => this.asking.request({ ...this.setting(), ...this.controls.read() }),
    };
  }

  forget() {
    this.asking.stop();
    for (const end of this.endings) end();
  }

  // -------------------------------------------------------------- traits

  /** @template {keyof Traits} Name @param {Name} name */
  get(name) {
    return this.model.get(name);
  }

  setting() {
    return pick(TRAITS, (name) => this.get(name));
  }

  /** Traits that only the picture depends on. @param {Partial<Traits>} traits */
  keep(traits) {
    put(this.model, traits);
    if (this.asking.source === this.kernel) this.model.save_changes();
  }

  // -------------------------------------------------------------- answers

  /**
   * An answer becomes what the model holds.
   *
   * @param {import("./sources.js").Answer} answer
   */
  take({ setting, curve, status, held, note }) {
    if (note !== undefined) this.layout.note.textContent = note;
    if (held) return;
    put(this.model, { ...setting, curve, status });
    put(this.model, { answers: this.get("answers") + 1 });
  }

  /** The model holds an answer, whoever gave it. */
  answered() {
    this.show();
    this.kernel.answered(this.setting());
    this.follow();
  }

  /** @param {unknown} said */
  hear(said) {
    if (said !== "here") return;
    this.asking.source = this.kernel;
    this.layout.note.textContent = "";
    this.model.save_changes(); // what was looked up before it answered
    this.follow();
  }

  /** The controls show the traits, unless the reader is moving one: their hand leads. */
  follow() {
    if (this.asking.waits) return;
    this.controls.show(this.setting());
    this.layout.redraw.disabled = !this.asking.source.redraws;
  }

  /** @param {import("./layout.js").Preset} preset */
  ask(preset) {
    const pins = [...this.get("pins"), this.get("curve")];
    if (this.axis) this.keep({ pins: pins.slice(-PINS) });
    this.axis = this.get("preset_axis");
    this.asking.request(preset.setting);
  }

  // -------------------------------------------------------------- what is seen

  /** @param {number} width */
  resize(width) {
    this.width = Math.max(200, width);
    this.show();
  }

  show() {
    const [curve, pins, setting] = [this.get("curve"), this.get("pins"), this.setting()];
    const [guess, guessing] = [this.guess(), this.get("guessing")];
    const others = guessing ? [] : this.get("guesses").filter((one) => isOf(one, setting));
    const own = guess && guessCurve(guess, curve, setting);
    const seen = guessing && own ? own : curve; // while one guesses, the answer is not shown
    const depth = curve.layers[curve.layers.length - 1];
    const frame = this.frame(depth, [seen, ...pins], Boolean(own) || others.length > 0);
    this.layout.draw({
      width: this.width,
      depth,
      strip: seen,
      quantity: setting.quantity,
      frame,
      curves: [
        ...pins.map((pin, kind) => ({ kind, curve: pin })),
        ...others.map((one) => ofKind("class", guessCurve(one, curve, setting))),
        ...(own ? [ofKind("guess", own)] : []),
        ...(guessing ? [] : [ofKind("now", curve)]),
      ],
    });
    if (guessing && guess) this.handles.place(guess, curve, setting, frame);
    else this.handles.hide();
    this.say(guess);
    this.layout.showPins(pins);
  }

  /**
   * @param {number} depth
   * @param {import("../chart/curve.js").Curve[]} curves
   * @param {boolean} guessed
   */
  frame(depth, curves, guessed) {
    // 1 is always among the decades: a level curve then looks level.
    const floor = guessed ? GUESS_AXIS : (this.axis ?? [0, 0]);
    const deepest = Math.max(depth, ...this.get("pins").map(({ layers }) => layers.at(-1) ?? 1));
    return frameFor(this.width, deepest, curves, floor);
  }

  /** @param {import("./guess.js").Shape | null} guess */
  say(guess) {
    const [curve, setting, guesses] = [this.get("curve"), this.setting(), this.get("guesses")];
    const guessing = this.get("guessing");
    const told = guess ? ` ${verdict(guess, curve, setting)}` : "";
    this.layout.say({
      status: guessing ? task(setting) : this.get("status") + told,
      ofClass: guesses.length && !guessing ? classWords(guesses, curve, setting) : "",
      guessing,
      guessed: guess !== null,
    });
  }

  /** @param {number} which */
  unpin(which) {
    const pins = this.get("pins").filter((_, other) => other !== which);
    if (pins.length === 0) this.axis = null;
    this.keep({ pins });
    this.layout.focusPin(which);
  }

  // -------------------------------------------------------------- guessing

  /** The guess to draw: the one being made, or one made of the network that is shown. */
  guess() {
    const guess = this.get("guess");
    if (this.get("guessing")) return { ...STRAIGHT, ...guess };
    return isOf(guess, this.setting()) ? guess : null;
  }

  turnGuess() {
    const guessing = !this.get("guessing");
    const guess = guessing ? STRAIGHT : (this.guess() ?? STRAIGHT);
    this.keep({ guessing, guess: stamped(guess, this.setting()) });
    if (guessing) this.handles.end.focus();
  }

  /** @param {keyof import("./guess.js").Shape} name @param {number} decades */
  moveGuess(name, decades) {
    const within = Math.max(LOWEST, Math.min(-LOWEST, rounded(decades)));
    const guess = { ...STRAIGHT, ...this.guess(), [name]: within };
    put(this.model, { guess: stamped(guess, this.setting()) });
  }

  /** @param {File[]} files */
  async openGuesses(files) {
    const { guesses, refused } = await readGuesses(files);
    this.layout.note.textContent = refused.join(" ");
    this.keep({ guesses });
  }
}

/** A guess that nothing changes on the way. */
const STRAIGHT = { end: 0, bend: 0 };

/** @param {import("./picture.js").Kind} kind @param {import("../chart/curve.js").Curve} curve */
const ofKind = (kind, curve) => ({ kind, curve });

/** @param {{model: import("./setting.js").Model, el: HTMLElement}} place */
async function render({ model, el }) {
  const explorer = new Explorer(model, el, await readGrid(model.get("grid")));
  return () => explorer.forget();
}

export default { render };
