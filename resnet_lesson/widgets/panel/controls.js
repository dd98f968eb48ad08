// The panel's controls: one set for the training and for its replay, and what is shown.

import { button, choice, KEYS, make, say, set, toggle } from "../chart/elements.js";
import { MEASURES, TITLES } from "./recording.js";

/** @typedef {import("./recording.js").Measure} Measure */
/** @typedef {"start" | "live" | "replay"} Mode what the controls are for */
/**
 * What the controls do.
 *
 * @typedef {object} Acts
 * @property {(what: "start" | "start again" | "pause" | "resume" | "stop") => void} wish
 * @property {() => void} play or halt
 * @property {(step: number) => void} moveTo
 * @property {(quantity: Measure) => void} measure
 * @property {(zoom: boolean) => void} zoom
 */
/**
 * @typedef {object} State
 * @property {Mode} mode
 * @property {boolean} obeys whether a kernel that can train answers
 * @property {string} state of the training
 * @property {boolean} playing
 */
/**
 * @typedef {object} Steps
 * @property {number} step that is looked at
 * @property {number} last
 * @property {number} size of a move of the slider
 * @property {number | null} planned
 * @property {string} words
 */

const HELD = ["pausing", "paused"];

/**
 * The second press of a double one, or a key that is held, is none: the button has become another.
 *
 * @param {MouseEvent | KeyboardEvent} event
 */
function firstOnly(event) {
  const again = "repeat" in event ? event.repeat : event.detail > 1;
  if (!again || !(event.target instanceof HTMLButtonElement)) return;
  event.preventDefault();
  event.stopPropagation();
}

export class Controls {
  /** @type {State} */
  state = { mode: "start", obeys: false, state: "ready", playing: false };
  #size = 1;
  #last = 0;

  /** @param {number} opening steps @param {Acts} acts */
  constructor(opening, acts) {
    this.acts = acts;
    this.main = button("Start", () => this.#press(), "primary");
    this.stop = button("Stop", () => acts.wish("stop"));
    this.again = button("Start again", () => this.#ask(true), "quiet");
    this.progress = make("progress", { "aria-label": "Progress", max: 1, value: 0 });
    this.slider = make("input", { type: "range", min: 1, "aria-label": "Step", ...KEYS });
    this.slider.addEventListener("input", () => this.#slide());
    this.step = make("span", { class: "step" });
    this.yes = button("Yes, start again", () => {
      this.#ask(false);
      acts.wish("start again");
      this.main.focus();
    });
    this.no = button("No, keep it", () => {
      this.#ask(false);
      this.again.focus();
    });
    this.sure = make("div", { class: "sure", role: "group", "aria-label": "Start again" }, [
      "Really? It drops this run. ",
      this.yes,
      this.no,
    ]);
    this.sure.addEventListener("keydown", ({ key }) => key === "Escape" && this.no.click());
    this.measure = choice(
      "Show",
      MEASURES.map((name) => [name, TITLES[name]]),
    );
    this.measure.element.addEventListener("input", () =>
      acts.measure(/** @type {Measure} */ (this.measure.read())),
    );
    this.zoom = toggle(`Only the first ${opening} steps`);
    this.zoom.input.addEventListener("input", () => acts.zoom(this.zoom.input.checked));
    this.shown = make("summary", KEYS);
    this.transport = make("div", { class: "transport" }, [
      this.main,
      this.stop,
      this.slider,
      this.progress,
      this.step,
      this.again,
    ]);
    this.element = make("div", { class: "foot" }, [
      this.transport,
      this.sure,
      make("details", {}, [this.shown, this.measure.element, this.zoom.element]),
    ]);
    this.element.addEventListener("click", firstOnly, true);
    this.element.addEventListener("keydown", firstOnly, true);
    this.#ask(false);
  }

  #press() {
    const { mode, obeys, state } = this.state;
    if (mode === "replay") this.acts.play();
    else if (!obeys || state === "stopping") return;
    else if (mode === "start") this.acts.wish("start");
    else this.acts.wish(HELD.includes(state) ? "resume" : "pause");
  }

  /** The slider moves from column to column, and ends at the last step. */
  #slide() {
    this.acts.moveTo(Math.min(this.#last, Number(this.slider.value) * this.#size));
  }

  /** Ask before a run is dropped, or do no longer. @param {boolean} asks */
  #ask(asks) {
    this.sure.hidden = !asks;
    this.transport.hidden = asks;
    if (asks) this.no.focus();
  }

  /** @param {State} state */
  show(state) {
    this.state = state;
    const held = this.element.querySelector(":focus");
    const { mode, obeys, playing } = state;
    const goes = mode === "live" ? !HELD.includes(state.state) : playing;
    const names = {
      start: "Start",
      live: goes ? "Pause" : "Go on",
      replay: goes ? "Pause" : "Play",
    };
    say(this.main, names[mode]);
    this.main.ariaDisabled = `${mode !== "replay" && (!obeys || state.state === "stopping")}`;
    this.stop.hidden = this.progress.hidden = mode !== "live";
    this.slider.hidden = mode !== "replay";
    this.again.hidden = !(mode === "replay" && obeys);
    if (mode !== "replay" || !obeys) this.#ask(false);
    if (held?.closest("[hidden]")) this.main.focus(); // Tab goes on from here
  }

  /** @param {Steps} steps */
  showSteps({ step, last, size, planned, words }) {
    [this.#size, this.#last] = [size, last];
    const [at, most] = [step, last].map((one) => Math.ceil(one / size));
    set(this.slider, { max: most, "aria-valuetext": words });
    this.slider.value = `${at}`;
    if (planned) this.progress.value = last / planned;
    else this.progress.removeAttribute("value"); // nobody knows
    say(this.step, words);
  }

  /** @param {Measure} measure @param {boolean} zoom */
  showView(measure, zoom) {
    say(this.shown, `Show: ${TITLES[measure]}`);
    this.measure.show(measure);
    this.zoom.input.checked = zoom;
  }
}
