// ---------------------------------------------------------------- the training panel

const LIVE = ["building", "training", "pausing", "paused", "stopping"];
const PAUSED = ["pausing", "paused"];
const SILENCE = 10_000; // ms without a word from a kernel that trains, after which it is asked
const PLAY_TIME = 10_000, PLAY_TICK = 100; // ms
const NO_KERNEL = "No kernel answers: this training was recorded.";
const GUIDE = -3; // decades of the relative update: a rule of thumb

class Panel {
  constructor(model, el) {
    const state = { state: "ready", left: null, error: "", training: 0 };
    Object.assign(this, { model, kernel: false, lost: false, said: state, at: null, width: 640, runs: new Map(), wordsSaid: -Infinity });
    Object.assign(this, { quantity: model.get("quantity"), zoom: model.get("zoom"), scale: model.get("scale") });
    this.makeControls();
    el.replaceChildren(this.layout());
    this.listen();
    this.load();
    model.send("hello");
  }

  // -------------------------------------------------------------- elements

  makeControls() {
    // A button that has the focus keeps it: `disabled` would take it away.
    const press = (text, act) => {
      const made = button(text, () => made.ariaDisabled !== "true" && act());
      return made;
    };
    this.start = press("Start", () => this.wish("start"));
    this.pause = press("Pause", () => this.wish(PAUSED.includes(this.said.state) ? "resume" : "pause"));
    this.stop = press("Stop", () => this.wish("stop"));
    this.progress = make("progress", { "aria-label": "Progress", max: 1 });
    this.play = button("Play", () => this.turnPlay());
    this.slider = make("input", { type: "range", min: 0, "aria-label": "Step", ...KEYS });
    this.slider.addEventListener("input", () => this.moveTo(Number(this.slider.value)));
    this.stepShown = make("output");
    this.measure = make("select", { "aria-label": "Show", ...KEYS },
      Object.entries(MEASURES).map(([name, text]) => make("option", { value: name }, [text])));
    this.measure.addEventListener("input", () => this.choose({ quantity: this.measure.value }));
    this.zoomed = make("input", { type: "checkbox", ...KEYS });
    this.zoomed.addEventListener("input", () => this.choose({ zoom: this.zoomed.checked, at: null }));
    this.alert = make("p", { class: "refusal", role: "alert" });
    this.status = make("p", { role: "status", "aria-live": "polite" });
  }

  layout() {
    const chart = (name) => {
      const svg = make("svg", { role: "img" }), title = make("figcaption", {}, [name]);
      return { svg, title, figure: make("figure", {}, [title, svg]) };
    };
    this.charts = { loss: chart("Loss, mean of the epoch so far"), accuracy: chart(""), update: chart("Relative update: median and range of the layers; line at 1e-3") };
    this.training = make("div", { class: "controls" }, [this.start, this.pause, this.stop, this.progress]);
    this.replay = make("div", { class: "controls" }, [
      this.play, make("label", {}, [make("span", {}, ["Step"]), this.slider, this.stepShown])]);
    return make("div", { class: "resnet-panel" }, [
      this.training, this.replay,
      make("div", { class: "controls" }, [
        make("label", {}, [make("span", {}, ["Show"]), this.measure]),
        make("label", {}, [this.zoomed, make("span", {}, [`First ${this.scale.opening} steps`])]),
      ]),
      this.alert, this.status,
      this.pictures = make("div", {}, [
        this.maps = make("div", { class: "grid" }),
        this.colours = make("svg", { role: "img" }),
        this.names = make("ul", { class: "names", "aria-label": "Networks" }),
        this.curves = make("div", { class: "grid" }, Object.values(this.charts).map(({ figure }) => figure)),
      ]),
    ]);
  }

  listen() {
    this.heard = {
      "msg:custom": (said) => this.hear(said),
      "change:runs": () => this.load(),
      "change:quantity": () => this.choose({ quantity: this.model.get("quantity") }),
      "change:zoom": () => this.choose({ zoom: this.model.get("zoom"), at: null }),
    };
    for (const [event, act] of Object.entries(this.heard)) this.model.on(event, act);
    this.resized = new ResizeObserver(([{ contentRect }]) => {
      const width = Math.max(200, Math.round(contentRect.width));
      if (contentRect.width === 0 || width === this.width) return;
      this.width = width;
      this.show();
    });
    this.resized.observe(this.pictures.parentElement);
  }

  forget() {
    this.halt();
    clearTimeout(this.silence);
    clearTimeout(this.wordsDue);
    cancelAnimationFrame(this.drawing);
    this.resized.disconnect();
    for (const [event, act] of Object.entries(this.heard)) this.model.off(event, act);
  }

  // -------------------------------------------------------------- the kernel

  wish(what) {
    this.halt();
    this.model.send(what);
    this.expect();
  }

  /** A kernel that trains and says nothing is asked; one that is silent then, is lost. */
  expect(asked = false) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      if (asked) return this.lose();
      this.model.send("hello");
      this.expect(true);
    }, SILENCE);
  }

  lose() {
    Object.assign(this, { kernel: false, lost: true, said: { ...this.said, state: "ready", left: null } });
    this.show();
  }

  hear({ runs, ...said }) {
    clearTimeout(this.silence);
    const before = this.said;
    Object.assign(this, { kernel: true, lost: false, said });
    if (said.training !== before.training) {
      this.runs.clear();
      this.at = null;
    }
    if (this.live()) {
      this.at = null;
      this.halt();
      if (said.state !== "paused") this.expect();
    }
    this.take(runs);
    if (said.state !== before.state) this.wordsSaid = -Infinity; // at once
    this.show();
  }

  load() {
    this.take(this.model.get("runs"));
    this.show();
  }

  take(parts) {
    for (const part of parts) {
      const run = this.runs.get(part.name);
      if (run) run.take(part);
      else this.runs.set(part.name, new Run(this.scale, part));
    }
  }

  live() {
    return LIVE.includes(this.said.state);
  }

  // -------------------------------------------------------------- replay

  choose(change) {
    this.halt();
    Object.assign(this, change);
    this.wordsSaid = -Infinity;
    this.show();
  }

  moveTo(step) {
    this.halt();
    this.at = step;
    this.wordsSaid = -Infinity;
    this.show();
  }

  turnPlay() {
    if (this.playing) return this.halt();
    const { last, extent } = this.span();
    const stride = (extent * PLAY_TICK) / PLAY_TIME;
    let at = this.at === null || this.at >= last ? 0 : this.at;
    this.play.textContent = "Halt";
    this.playing = setInterval(() => {
      this.at = Math.min(last, at += stride);
      if (this.at === last) this.halt();
      this.show();
    }, PLAY_TICK);
  }

  halt() {
    clearInterval(this.playing);
    this.playing = null;
    this.play.textContent = "Play";
  }

  // -------------------------------------------------------------- what is seen

  /** The runs with the strip that is looked at, and its last step and room. */
  span() {
    const shown = [...this.runs.values()].map((run) => ({ run, strip: this.zoom ? run.opening : run.whole }))
      .filter(({ strip }) => strip.columns > 0);
    const widths = shown.map(({ run, strip }) => run.width(strip));
    return {
      shown, step: Math.max(1, ...widths),
      last: Math.max(0, ...shown.map(({ strip }, at) => (strip.columns - 1) * widths[at])),
      extent: Math.max(1, ...shown.map(({ run, strip }) => run.extent(strip))),
    };
  }

  show() {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const { shown, step, last, extent } = this.span();
    const at = Math.min(this.at ?? last, last);
    for (const one of shown) one.columns = one.run.columnOf(one.strip, at) + 1;
    this.showControls(shown, step, last, at);
    this.pictures.hidden = shown.length === 0;
    if (shown.length) {
      this.drawMaps(shown, extent);
      this.drawCurves(shown, extent);
    }
    this.sayLater(shown, at);
  }

  showControls(shown, step, last, at) {
    const { state } = this.said, live = this.live(), trains = this.model.get("trains") && (this.kernel || !shown.length);
    this.training.hidden = !trains;
    this.replay.hidden = live || !shown.length;
    this.start.ariaDisabled = live || !this.kernel;
    this.pause.ariaDisabled = this.stop.ariaDisabled = !live || state === "stopping";
    this.pause.textContent = PAUSED.includes(state) ? "Resume" : "Pause";
    this.progress.hidden = !live;
    const done = [...this.runs.values()].map(({ steps, total }) => steps / total);
    const share = done.reduce((sum, one) => sum + one, 0) / done.length;
    if (Number.isFinite(share)) this.progress.value = share;
    else this.progress.removeAttribute("value"); // nobody knows yet
    this.measure.value = this.quantity;
    this.zoomed.checked = this.zoom;
    set(this.slider, { max: last, step, "aria-valuetext": `step ${Math.round(at)}` });
    if (Number(this.slider.value) !== Math.round(at)) this.slider.value = at;
    this.stepShown.value = Math.round(at);
  }

  /** So wide that `count` fit side by side, or all the room there is. */
  columnWidth(grid, count, least) {
    const gap = 16, fit = Math.max(1, Math.min(count, Math.floor((this.width + gap) / (least + gap))));
    grid.style.gridTemplateColumns = `repeat(${fit}, minmax(0, 1fr))`;
    return Math.floor((this.width - gap * (fit - 1)) / fit);
  }

  drawMaps(shown, extent) {
    const ends = domain(shown, this.quantity), width = this.columnWidth(this.maps, shown.length, 270);
    while (this.maps.children.length > shown.length) this.maps.lastChild.remove();
    while (this.maps.children.length < shown.length) {
      this.maps.append(make("figure", {}, [
        make("figcaption", {}, [make("strong"), " ", make("span")]),
        make("div", { class: "map" }, [make("svg", { "aria-hidden": "true" }), make("canvas", { role: "img" })]),
      ]));
    }
    shown.forEach((one, at) => {
      const figure = this.maps.children[at], layers = one.run.layers.length;
      const frame = frameOf(width, MAP_HEIGHT, extent, 0, 1, 34);
      figure.querySelector("strong").textContent = one.run.name;
      figure.querySelector("span").textContent = `${MEASURES[this.quantity].toLowerCase()} by layer, input on top`;
      const svg = figure.querySelector("svg");
      set(svg, { viewBox: `0 0 ${width} ${MAP_HEIGHT}`, height: MAP_HEIGHT });
      svg.replaceChildren(
        make("rect", { class: "room", x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top }),
        ...drawSteps(frame), ...drawLayers(frame, layers));
      paint(figure.querySelector("canvas"), one, this.quantity, ends, frame);
    });
    const { height, drawn } = drawScale(this.width, ends);
    set(this.colours, { viewBox: `0 0 ${this.width} ${height}`, height, "aria-label":
      `${MEASURES[this.quantity]} in colours, dark ${short(ends.low)} to bright ${short(ends.high)}` });
    this.colours.replaceChildren(...drawn);
  }

  drawCurves(shown, extent) {
    const { metric } = shown[0].run;
    const width = this.columnWidth(this.curves, metric === null ? 2 : 3, 200), log = (value) => (value === null ? null : Math.log10(value));
    const { loss, accuracy, update } = this.charts;
    const lines = (values) => shown.map((one, style) => {
      const { run, strip, columns } = one;
      const xs = Array.from({ length: columns }, (_, at) => (at + 0.5) * run.width(strip));
      return { style, name: run.name, xs, ...values(one, xs.map((_, at) => at)) };
    });
    const losses = lines(({ strip }, all) => ({ ys: all.map((at) => log(strip.loss[at])) }));
    this.drawLog(loss, width, extent, losses);
    const scores = lines(({ strip }, all) => ({ ys: all.map((at) => strip.accuracy[at]) }));
    accuracy.figure.hidden = metric === null;
    const named = plain(metric ?? "").replace(/^./, (letter) => letter.toUpperCase());
    accuracy.title.textContent = `${named}, mean of the epoch so far`;
    const known = scores.flatMap(({ ys }) => ys).filter(Number.isFinite);
    const low = Math.min(0, ...known), high = Math.max(1, ...known);
    const frame = frameOf(width, CHART_HEIGHT, extent, low, high, 42);
    this.put(accuracy, frame, drawChart(frame, scores, ticks(low, high, 4).map((value) => [value, `${value}`])));
    const updates = lines(({ run, strip }, all) => {
      const sorted = all.map((at) => Array.from(strip.column(at, "update_ratio"), (code) => decades(code, run.scale))
        .map((x) => x ?? Infinity).sort((a, b) => a - b));
      const median = sorted.map((column) => column[Math.floor(column.length / 2)]);
      return {
        ys: median.map((x) => (x === Infinity ? null : x)),
        low: sorted.map((column) => column[0]), high: sorted.map((column) => column.at(-1)),
      };
    });
    this.drawLog(update, width, extent, updates, GUIDE);
    this.showNames(shown);
  }

  drawLog(chart, width, extent, lines, guide = null) {
    const values = lines.flatMap(({ ys, low = [], high = [] }) => [...ys, ...low, ...high]).filter(Number.isFinite);
    if (guide !== null || !values.length) values.push(guide ?? 0);
    const least = Math.min(...values), most = Math.max(...values), room = 0.05 * (most - least) + 0.02;
    const frame = frameOf(width, CHART_HEIGHT, extent, least - room, most + room, 42);
    this.put(chart, frame, drawChart(frame, lines, logMarks(frame.low, frame.high), guide));
  }

  put({ svg }, frame, drawn) {
    set(svg, { viewBox: `0 0 ${frame.width} ${frame.height}`, height: frame.height });
    svg.replaceChildren(...drawn);
  }

  showNames(shown) {
    const names = shown.map(({ run }) => run.name).join("\n");
    if (this.namesShown === names) return;
    this.namesShown = names;
    this.names.replaceChildren(...shown.map(({ run }, style) => make("li", { class: `run-${style}` }, [
      make("svg", { "aria-hidden": "true", width: 34, height: 10 }, [make("path", { class: "curve", d: "M0 5L34 5" })]),
      " ", make("strong", {}, [run.name]), ": ", make("span"),
    ])));
  }

  // -------------------------------------------------------------- words

  /** Words change once a second at most: nobody reads or hears ten. */
  sayLater(shown, at) {
    const wait = this.wordsSaid + 1000 - performance.now();
    clearTimeout(this.wordsDue);
    if (wait > 0) {
      this.wordsDue = setTimeout(() => this.show(), wait);
      return;
    }
    this.wordsSaid = performance.now();
    this.say(this.status, this.statusWords(shown));
    this.say(this.alert, this.said.error);
    shown.forEach(({ run, strip }, which) => {
      const said = describe(run, strip, at, this.quantity);
      this.say(this.names.children[which].querySelector("span"), said);
      const end = Math.min(run.steps, (run.columnOf(strip, at) + 1) * run.width(strip));
      set(this.maps.children[which].querySelector("canvas"), { "aria-label": `${run.name}, ${end} steps: ${said}` });
    });
    const ofAll = (value) => shown.map(({ run, strip }) => `${run.name} ${value(run, strip, run.columnOf(strip, at))}`).join(", ");
    set(this.charts.loss.svg, { "aria-label": `Loss: ${ofAll((_, strip, column) => rounded(strip.loss[column]))}` });
    set(this.charts.accuracy.svg, { "aria-label": `Accuracy: ${ofAll((_, strip, column) => rounded(strip.accuracy[column]))}` });
    set(this.charts.update.svg, { "aria-label": `Median relative update, beside a line at 1e-3: ${ofAll((run, strip, column) => {
      const sorted = [...strip.column(column, "update_ratio")].sort((a, b) => a - b);
      const x = decades(sorted[Math.floor(sorted.length / 2)], run.scale);
      return x === null ? "not finite" : short(x);
    })}` });
  }

  say(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  statusWords(shown) {
    const { state, left } = this.said, runs = [...this.runs.values()];
    const steps = Math.max(0, ...runs.map((run) => run.steps)), totals = runs.map((run) => run.total);
    const of = totals.length && totals.every(Boolean) ? ` of ${Math.max(...totals)}` : "";
    if (this.lost) return "The kernel does not answer any more.";
    if (!this.kernel) return shown.length ? NO_KERNEL : "No kernel answers yet: run this cell to train.";
    return {
      ready: shown.length ? `A recorded training of ${steps} steps.` : "Ready.",
      building: "Building: the first step takes some seconds.",
      training: `Training, step ${steps}${of}${timeLeft(left)}.`,
      pausing: "Pausing.",
      paused: `Paused at step ${steps}${of}.`,
      stopping: "Stopping.",
      stopped: `Stopped after ${steps} steps.`,
      finished: `Finished after ${steps} steps.`,
      failed: `Failed after ${steps} steps.`,
    }[state];
  }
}

function render({ model, el }) {
  const panel = new Panel(model, el);
  return () => panel.forget();
}

export default { render };
