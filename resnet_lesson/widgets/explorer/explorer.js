// The gradient explorer. The model's traits are what is shown; a source answers what they become:
// the kernel where there is one, else the page itself.

import { passRunKey } from "../chart/elements.js";
import { kernelIsGone, listen, onResize, put } from "../chart/model.js";
import { refuse, whenReadable } from "../chart/readable.js";
import { rounded } from "../chart/words.js";
import { PageEngine } from "../engine/page.js";
import { Asking } from "./asking.js";
import { Controls } from "./controls.js";
import * as guessed from "./guess.js";
import { encode, readCodes } from "./guess_code.js";
import { readGuesses, saveGuess } from "./guess_file.js";
import { Handles } from "./handles.js";
import { Layout } from "./layout.js";
import { frameFor, grown, toneOf } from "./picture.js";
import { readGrid, sentences } from "./recorded.js";
import { RULES } from "./rules.js";
import { call, differing, label, pick, shortNames, TRAITS } from "./setting.js";
import { KernelSource, PageSource } from "./sources.js";
import { classWords, missWords, verdict } from "./verdict.js";

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("./setting.js").Traits} Traits */
/** @typedef {import("./setting.js").LabelledCurve} LabelledCurve */
/** @typedef {import("./picture.js").Drawn} Drawn */
/** @typedef {import("../chart/scale.js").Ends} Ends */
/** @typedef {import("./layout.js").Said} Said */
/** @typedef {Said["mode"]} Mode */

const { isOf, LOWEST, stamped } = guessed;
/** A guess that nothing changes on the way. */
const STRAIGHT = { end: 0, bend: 0 };
const AXIS = /** @type {Ends} */ ([-10, 1]); // decades, before it has grown
const TITLES = /** @type {Record<string, string>} */ ({
  signal_gradient: "How much gradient reaches each layer?",
  weight_gradient: "How much gradient do the weights of each layer get?",
  signal: "How large is the signal after each layer?",
});
/**
 * What to try, one step after the other: the control, whether it is done, and the words.
 *
 * @type {[name: string, done: (setting: Setting) => boolean, words: string][]}
 */
const STEPS = [
  ["depth", ({ depth }) => depth >= 100, "Try first: drag the depth to 100."],
  ["activation", ({ activation }) => activation !== "sigmoid", "Try next: choose ReLU."],
  ["shortcut", ({ shortcut }) => shortcut, "Try next: switch the shortcut on."],
];
const GUESS_HINT =
  "Drag the far end of the line to your guess, and bend it in the middle if you like.";
const STOPPED = "The kernel has stopped: run this cell again.";
const MEASURED = "Your guess is dashed, what was measured is the solid line.";

class Explorer {
  axis = AXIS;
  width = 640;
  /** The question that is on its way, and the one to get to. */
  going = 0;
  target = 0;
  /** Whether a guess has just been held against what was measured. */
  revealed = false;
  growing = false;
  /** Whether a kernel was here, and has gone. */
  lost = false;
  /** Whether the question that is on its way is to be guessed first. */
  guessing = false;

  /**
   * @param {import("./setting.js").Model} model
   * @param {HTMLElement} el
   * @param {import("./recorded.js").Grid} grid
   */
  constructor(model, el, grid) {
    this.model = model;
    this.kernel = new KernelSource(model);
    this.page = new PageSource(grid, model.get("words"), new PageEngine());
    this.asking = new Asking(this.page, {
      shown: () => this.setting(),
      take: (answer) => this.take(answer),
      settled: () => this.settled(),
      busy: (is) => this.showBusy(is),
    });
    this.controls = new Controls(grid);
    const done = () => this.keep({});
    this.handles = new Handles((name, decades) => this.moveGuess(name, decades), done);
    this.layout = new Layout(this.controls, this.handles, this.acts());
    el.replaceChildren(this.layout.root);
    this.endings = [
      listen(model, this.heard()),
      // The picture is as wide as its place, so that its letters keep their size on a phone.
      onResize(this.layout.place, this.width, (width) => this.resize(width)),
      kernelIsGone(model, () => this.lose()),
    ];
    this.follow();
    this.show();
    this.kernel.wake();
  }

  /** What the model may tell. */
  heard() {
    const [show, follow] = [() => this.show(), () => this.follow()];
    const ofPicture = ["pins", "guess", "guesses", "guessing", "question", "hide"];
    return {
      "change:answers": () => this.answered(),
      "msg:custom": (/** @type {unknown} */ said) => this.hear(said),
      ...Object.fromEntries(ofPicture.map((name) => [`change:${name}`, show])),
      ...Object.fromEntries(TRAITS.map((name) => [`change:${name}`, follow])),
    };
  }

  /** @returns {import("./layout.js").Acts} */
  acts() {
    return {
      redraw: () => this.asking.request({ ...this.setting(), seed: this.get("seed") + 1 }),
      keep: () => this.keep({ pins: this.withPin(this.get("curve")) }),
      remove: (which) => this.remove(which),
      removeAll: () => this.removeAll(),
      guess: () => this.startGuess(),
      reveal: () => this.revealGuess(),
      saveGuess: () => saveGuess(stamped(this.guess() ?? STRAIGHT, this.setting())),
      openGuesses: async (files) => this.showGuesses(await readGuesses(files)),
      openCodes: (text) => this.showGuesses(readCodes(text)),
      walk: (by) => this.walk(by, false),
      leave: () => this.leave(),
      copy: () => this.copy(),
      send: () => this.send(),
    };
  }

  forget() {
    this.asking.stop();
    this.page.stop();
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

  send() {
    [this.revealed, this.target, this.going] = [false, 0, 0];
    this.asking.request({ ...this.setting(), ...this.controls.read() });
  }

  /**
   * An answer becomes what the model holds.
   *
   * @param {import("./sources.js").Answer} answer
   */
  take(answer) {
    if ("failed" in answer) {
      this.layout.note.textContent = answer.failed;
      [this.target, this.going, this.guessing] = [0, 0, false];
      return;
    }
    const { setting, curve, described, held, note } = answer;
    if (note !== undefined) this.layout.note.textContent = this.lost ? `${STOPPED} ${note}` : note;
    if (held) return;
    put(this.model, { ...setting, curve, described });
    // The kernel counts upward: a count of its own must not be taken for the one before.
    put(this.model, { answers: Math.min(0, this.get("answers")) - 1 });
  }

  /** The model holds an answer, whoever gave it. One to an earlier question is passed over. */
  answered() {
    const setting = this.setting();
    if (differing(setting, this.get("curve").setting).length) return;
    this.arrive();
    this.show();
    this.kernel.answered(setting);
    this.follow();
  }

  settled() {
    this.follow();
    this.advance();
  }

  /** @param {unknown} said */
  hear(said) {
    if (said !== "here") return;
    this.lost = false;
    this.layout.note.textContent = "";
    this.model.save_changes(); // what the page answered before
    this.asking.turnTo(this.kernel);
    this.follow();
  }

  /** The kernel has gone, and nothing it was asked will be answered. */
  lose() {
    this.lost = true;
    this.layout.note.textContent = `${STOPPED} Until then, this page answers by itself.`;
    // One that has not answered yet can stop as well.
    if (this.asking.source === this.kernel) this.asking.giveUp();
    this.follow();
  }

  /** @param {boolean} is */
  showBusy(is) {
    this.layout.busy.textContent = is ? "computing …" : "";
  }

  /** The controls show the traits, unless the reader is moving one: their hand leads. */
  follow() {
    if (this.asking.waits) return;
    this.controls.show(this.setting(), this.asked()?.control);
    const { redraw } = this.layout;
    redraw.disabled = !this.asking.source.redraws(this.get("kind"));
    redraw.title = redraw.disabled ? "Other weights of these layers need a running kernel." : "";
  }

  // -------------------------------------------------------------- questions

  /** The question that the present network answers. */
  asked() {
    const question = this.get("questions")[this.get("question") - 1];
    return question && differing(question.setting, this.setting()).length === 0
      ? question
      : undefined;
  }

  /** Whether the reader can walk through the questions. */
  walks() {
    return !this.get("hide").includes("questions");
  }

  /** @param {number} by @param {boolean} guessing whether to guess before it is shown */
  walk(by, guessing) {
    const [from, count] = [this.target || this.get("question"), this.get("questions").length];
    [this.revealed, this.guessing] = [false, guessing];
    if (from + by > count && from === this.get("question")) this.leave();
    else {
      this.target = Math.max(1, Math.min(count, from + by));
      this.advance();
    }
  }

  /** One question further on the way: each has its own curve before the next is asked. */
  advance() {
    const at = this.get("question");
    if (this.asking.waits || this.target === 0 || this.target === at) return;
    this.going = at + Math.sign(this.target - at);
    this.axis = widest(this.axis, this.get("axis"));
    const { setting } = this.get("questions")[this.going - 1];
    if (this.going > at) this.keep({ pins: this.pinsWithAsked(), guessing: false });
    else this.keep({ pins: this.get("pins").filter((pin) => !isCurveOf(pin, setting)) });
    this.asking.request(setting);
    if (!this.asking.waits) {
      this.arrive(); // what is shown already was not asked for
      this.show();
      this.follow();
      this.advance();
    }
  }

  pinsWithAsked() {
    return this.asked() ? this.withPin(this.get("curve")) : this.get("pins");
  }

  /** The question is the one of the answer that has come. */
  arrive() {
    const wanted = this.get("questions")[this.going - 1];
    if (!wanted || differing(wanted.setting, this.setting()).length) return;
    const guessed = this.guessing && this.going === this.target;
    this.keep({ question: this.going, ...(guessed && { guessing: true, guess: {} }) });
    this.going = 0;
    if (guessed) this.handles.end.focus();
  }

  leave() {
    [this.target, this.going, this.revealed, this.axis] = [0, 0, false, AXIS];
    this.keep({ question: 0 });
    this.show();
    this.follow();
  }

  // -------------------------------------------------------------- what is seen

  /** @param {number} width */
  resize(width) {
    this.width = Math.max(200, width);
    this.show();
  }

  /** @returns {Mode} */
  mode() {
    if (this.get("guessing")) return "guess";
    return this.revealed && this.guess() ? "revealed" : "explore";
  }

  show() {
    const [setting, mode] = [this.setting(), this.mode()];
    this.controls.hide(this.get("hide"));
    this.layout.draw(this.view(setting, mode));
    const guess = this.guess();
    const { frame } = this;
    if (mode === "guess" && guess && frame) {
      this.handles.place(guess, this.get("curve"), setting, frame);
    } else this.handles.hide();
    this.layout.say(this.said(setting, mode));
    this.layout.showKept(this.get("pins"));
  }

  /** @param {Setting} setting @param {Mode} mode */
  view(setting, mode) {
    const curve = this.get("curve");
    const curves = this.curves(setting, mode);
    const alone = mode !== "explore";
    const own = curves.map((one) => one.curve);
    if (!alone) this.axis = grown(this.axis, own);
    const axis = alone ? grown(guessed.guessAxis(setting), own) : this.axis;
    const deepest = Math.max(...own.map(({ layers }) => layers.at(-1) ?? 1), setting.depth);
    this.frame = frameFor(this.width, deepest, axis);
    const view = {
      width: this.width,
      setting,
      strip: mode === "guess" ? null : curve,
      curves,
      now: mode === "guess" ? null : curve,
      miss: mode === "guess" ? null : this.miss(curve, setting),
      reveal: this.growing,
      frame: this.frame,
    };
    this.growing = false;
    return view;
  }

  /** @param {Setting} setting @param {Mode} mode @returns {Drawn[]} */
  curves(setting, mode) {
    const [curve, guess] = [this.get("curve"), this.guess()];
    const own = guess
      ? [
          {
            tone: /** @type {const} */ ("guess"),
            name: "your guess",
            curve: guessed.guessCurve(guess, curve, setting),
          },
        ]
      : [];
    if (mode === "guess") return own;
    const pins = mode === "explore" ? this.get("pins").filter(isBeside(curve)) : [];
    const names = shortNames([...pins, curve]);
    const name = own.length ? "measured" : (names.at(-1) ?? "");
    const others = this.get("guesses").filter((one) => isOf(one, setting));
    return [
      ...pins.map((pin, dash) => ({
        tone: /** @type {const} */ ("kept"),
        curve: pin,
        dash,
        name: names[dash],
      })),
      ...others.map((one) => ({
        tone: /** @type {const} */ ("class"),
        name: "",
        curve: guessed.guessCurve(one, curve, setting),
      })),
      ...own,
      { tone: toneOf(setting), name, curve },
    ];
  }

  /**
   * From the end of the guess to the measured one.
   *
   * @param {LabelledCurve} curve
   * @param {Setting} setting
   */
  miss(curve, setting) {
    const guess = this.guess();
    if (!guess || !this.moved()) return null;
    const at = curve.layers.indexOf(guessed.farLayer(setting));
    const { start } = guessed.measured(curve, setting);
    return {
      from: start + guess.end,
      to: curve.values[at],
      words: missWords(guess, curve, setting),
    };
  }

  /** @param {Setting} setting @param {Mode} mode @returns {Said} */
  said(setting, mode) {
    const [question, questions, curve] = [
      this.get("question"),
      this.get("questions"),
      this.get("curve"),
    ];
    const [guess, asked] = [this.guess(), this.asked()];
    const { seen, how } = sentences(this.get("words"), this.get("described"), setting.quantity);
    const guessing = mode === "guess";
    const reason = asked?.why ?? how;
    const judged = guess && this.moved() ? verdict(guess, curve, setting) : "";
    const hints = {
      guess: GUESS_HINT,
      revealed: MEASURED,
      explore: asked ? `${label(setting)}.` : tryNext(setting, this.get("hide")),
    };
    return {
      title:
        mode === "explore" ? (asked?.question ?? TITLES[setting.quantity]) : guessed.task(setting),
      hint: hints[mode],
      seen: guessing ? "" : seen,
      how: guessing ? "" : `${reason} ${judged}`.trim(),
      label: guessing ? guessed.task(setting) : `${label(setting, curve.page)}. ${seen} ${how}`,
      guess: guessing && guess ? guessed.guessWords(guess, setting) : "",
      ofClass:
        this.get("guesses").length && !guessing
          ? classWords(this.get("guesses"), curve, setting)
          : "",
      mode,
      moved: this.moved(),
      code: this.code(),
      question,
      next: questions[question]?.question,
      count: questions.length,
      walks: this.walks(),
      hide: this.get("hide"),
    };
  }

  /** @param {LabelledCurve} curve */
  withPin(curve) {
    const pins = this.get("pins");
    return pins.some((pin) => pin.label === curve.label) ? pins : [...pins, curve];
  }

  /** @param {number} which */
  remove(which) {
    this.keep({ pins: this.get("pins").filter((_, other) => other !== which) });
    this.layout.focusKept(which);
  }

  removeAll() {
    this.keep({ pins: [] });
    this.layout.keep.focus();
  }

  copy() {
    const [curve, pins] = [this.get("curve"), this.get("pins")];
    const line = call(this.setting(), pins, this.get("hide"));
    const here = [curve, ...pins].some(({ page }) => page);
    this.layout.copier.copy(here ? `${line}  # with the kernel's random weights` : line);
  }

  // -------------------------------------------------------------- guessing

  /** The guess to draw: the one being made, or one made of the network that is shown. */
  guess() {
    const guess = this.get("guess");
    if (this.get("guessing")) return { ...STRAIGHT, ...guess };
    return isOf(guess, this.setting()) ? guess : null;
  }

  /** Whether the reader has moved it: one that nobody touched is no guess. */
  moved() {
    return isOf(this.get("guess"), this.setting());
  }

  /** Of what the reader drew; one that Python has set may be beyond what a code holds. */
  code() {
    const guess = this.get("guess");
    try {
      return isOf(guess, this.setting()) ? encode(guess) : "";
    } catch {
      return "";
    }
  }

  /** Of the next question, before its answer is seen; else of what is shown. */
  startGuess() {
    const next = this.get("questions")[this.get("question")];
    if (next && this.walks() && this.mode() === "explore") {
      this.walk(1, true);
      return;
    }
    this.revealed = false;
    this.keep({ guessing: true, guess: {} });
    this.handles.end.focus();
  }

  revealGuess() {
    [this.revealed, this.growing] = [true, true];
    this.keep({ guessing: false }); // which is heard, and draws the curve as it grows
  }

  /** @param {keyof import("./guess.js").Shape} name @param {number} decades */
  moveGuess(name, decades) {
    const within = Math.max(LOWEST, Math.min(-LOWEST, rounded(decades)));
    const guess = { ...STRAIGHT, ...this.guess(), [name]: within };
    put(this.model, { guess: stamped(guess, this.setting()) });
  }

  /** Those of a class. @param {ReturnType<typeof readCodes>} read */
  showGuesses({ guesses, refused }) {
    this.layout.note.textContent = refused.join(" ");
    this.keep({ guesses });
    this.layout.place.scrollIntoView({ block: "nearest" }); // a phone does not show it beside
  }
}

/** @param {Setting} setting @param {string[]} hide */
function tryNext(setting, hide) {
  const step = STEPS.find(([name, done]) => !hide.includes(name) && !done(setting));
  return step ? step[2] : `${label(setting)}.`;
}

/** @param {Ends} one @param {Ends} other @returns {Ends} */
const widest = (one, other) => [Math.min(one[0], other[0]), Math.max(one[1], other[1])];

/** @param {LabelledCurve} curve @param {Setting} setting */
const isCurveOf = (curve, setting) =>
  curve.setting !== undefined && differing(curve.setting, setting).length === 0;

/**
 * Whether a kept curve is drawn beside this one: it is another, and of what the axis speaks of.
 *
 * @param {LabelledCurve} curve
 * @returns {(pin: LabelledCurve) => boolean}
 */
const isBeside = (curve) => (pin) =>
  !isSame(pin, curve) && (pin.setting ?? curve.setting)?.quantity === curve.setting?.quantity;

/** @param {LabelledCurve} pin @param {LabelledCurve} curve with its setting */
const isSame = (pin, curve) =>
  curve.setting !== undefined && isCurveOf(pin, curve.setting) && pin.page === curve.page;

/** @param {{model: import("./setting.js").Model, el: HTMLElement}} place */
async function render({ model, el }) {
  passRunKey(el);
  const grid = await readGrid(model.get("grid")).catch(() => null);
  if (!grid) return refuse(el);
  return whenReadable(model, el, RULES, (shown) => {
    const explorer = new Explorer(shown, el, grid);
    return () => explorer.forget();
  });
}

export default { render };
