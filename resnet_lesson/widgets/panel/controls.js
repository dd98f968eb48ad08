// The panel's controls: of the training, of its replay, and of what is shown.

import { sum } from "../chart/data.js";
import { button, KEYS, labelled, make, set } from "../chart/elements.js";
import { MEASURES, TITLES } from "./recording.js";

/** @typedef {import("./recording.js").Measure} Measure */
/**
 * What the controls do.
 *
 * @typedef {object} Acts
 * @property {(what: "start" | "pause" | "resume" | "stop") => void} wish
 * @property {() => void} play or halt
 * @property {(step: number) => void} moveTo
 * @property {(quantity: Measure) => void} measure
 * @property {(zoom: boolean) => void} zoom
 */
/** @typedef {{trains: boolean, live: boolean, kernel: boolean, state: string}} State */

const PAUSED = ["pausing", "paused"];

/**
 * One that has the focus keeps it: `disabled` would take it away.
 *
 * @param {string} text
 * @param {() => void} act
 */
const softButton = (text, act) => {
  const made = button(text, () => {
    if (made.ariaDisabled !== "true") act();
  });
  return made;
};

export class Controls {
  #paused = false;

  /** @param {number} opening steps @param {Acts} acts */
  constructor(opening, acts) {
    this.start = softButton("Start", () => acts.wish("start"));
    this.pause = softButton("Pause", () => acts.wish(this.#paused ? "resume" : "pause"));
    this.stop = softButton("Stop", () => acts.wish("stop"));
    this.progress = make("progress", { "aria-label": "Progress", max: 1 });
    this.play = button("Play", acts.play);
    this.slider = make("input", { type: "range", min: 0, "aria-label": "Step", ...KEYS });
    this.slider.addEventListener("input", () => acts.moveTo(Number(this.slider.value)));
    this.step = make("output");
    const options = MEASURES.map((name) => make("option", { value: name }, [TITLES[name]]));
    this.measure = make("select", { "aria-label": "Show", ...KEYS }, options);
    this.measure.addEventListener("input", () =>
      acts.measure(/** @type {Measure} */ (this.measure.value)),
    );
    this.zoom = make("input", { type: "checkbox", ...KEYS });
    this.zoom.addEventListener("input", () => acts.zoom(this.zoom.checked));
    this.training = row(this.start, this.pause, this.stop, this.progress);
    this.replay = row(this.play, labelled("Step", this.slider, this.step));
    const opened = make("span", {}, [`First ${opening} steps`]);
    this.view = row(labelled("Show", this.measure), make("label", {}, [this.zoom, opened]));
  }

  /**
   * Those of the training.
   *
   * @param {State} state
   * @param {boolean} shown whether there is something to see
   */
  showState({ trains, live, kernel, state }, shown) {
    this.training.hidden = !trains || !(kernel || !shown);
    this.replay.hidden = live || !shown;
    this.start.ariaDisabled = `${live || !kernel}`;
    this.pause.ariaDisabled = this.stop.ariaDisabled = `${!live || state === "stopping"}`;
    this.#paused = PAUSED.includes(state);
    this.pause.textContent = this.#paused ? "Resume" : "Pause";
    this.progress.hidden = !live;
  }

  /** @param {import("./recording.js").Run[]} runs */
  showProgress(runs) {
    const done = runs.map(({ facts }) => facts.steps / Number(facts.total));
    const share = sum(done) / done.length;
    if (Number.isFinite(share)) this.progress.value = share;
    else this.progress.removeAttribute("value"); // nobody knows yet
  }

  /** @param {number} at @param {{last: number, step: number}} span in steps */
  showStep(at, { last, step }) {
    const shown = Math.round(at);
    set(this.slider, { max: last, step, "aria-valuetext": `step ${shown}` });
    if (Number(this.slider.value) !== shown) this.slider.value = `${at}`;
    this.step.value = `${shown}`;
  }

  /** @param {boolean} playing */
  showPlaying(playing) {
    this.play.textContent = playing ? "Halt" : "Play";
  }
}

/** @param {Node[]} controls */
const row = (...controls) => make("div", { class: "controls" }, controls);
