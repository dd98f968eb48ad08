// ---------------------------------------------------------------- the explorer

// The model's traits say what is shown. Where a kernel answers, it computes; where none does, the
// grid of curves that came along stands in.

const TRAITS = [...SETTING, "depth", "quantity", "seed"];
const NAMES = {
  depth: "Depth", activation: "Activation", shortcut: "Shortcut", initializer: "Initialiser",
  normalization: "Batch normalisation", order: "Order", kind: "Kind", quantity: "Show",
};
const ANSWER_TIME = 20_000; // ms without an answer after which the grid stands in
const NO_KERNEL = "No kernel answers: these curves were computed beforehand, at some depths.";

function control(trait, options) {
  const element = options
    ? make("select", {}, options.map((option) => make("option", { value: option }, [plain(option)])))
    : make("input", { type: trait === "depth" ? "range" : "checkbox" });
  set(element, { "aria-label": NAMES[trait], ...KEYS });
  return element;
}

function valueOf(trait, element) {
  if (element.type === "checkbox") return element.checked;
  return trait === "depth" ? Number(element.value) : element.value;
}

class Explorer {
  constructor(model, el, grid) {
    Object.assign(this, { model, grid, kernel: false, waiting: 0, next: null, axis: null, width: 640 });
    this.makeControls();
    this.makePicture();
    el.replaceChildren(this.layout());
    this.listen();
    this.follow();
    this.show();
    model.send("hello");
  }

  get(trait) {
    return this.model.get(trait);
  }

  setting() {
    return Object.fromEntries(TRAITS.map((trait) => [trait, this.get(trait)]));
  }

  /** Traits that only the picture depends on. */
  keep(traits) {
    for (const [trait, value] of Object.entries(traits)) this.model.set(trait, value);
    if (this.kernel) this.model.save_changes();
  }

  // -------------------------------------------------------------- elements

  makeControls() {
    const { choices, most } = this.grid;
    this.controls = Object.fromEntries(Object.keys(NAMES).map((trait) => [trait, control(trait, choices[trait])]));
    set(this.controls.depth, { min: 1, max: most });
    this.depthShown = make("output");
    this.redraw = button("Redraw weights", () => this.request({ ...this.setting(), seed: this.get("seed") + 1 }));
    this.pin = button("Pin this curve", () => this.keep({ pins: [...this.get("pins"), this.get("curve")] }));
    this.guessButton = button("", () => this.turnGuess());
    this.saveButton = button("Save my guess", () => this.saveGuess());
    this.files = make("input", { type: "file", multiple: "", accept: ".json", hidden: "" });
    this.openButton = button("Open guesses", () => this.files.click());
  }

  makePicture() {
    this.drawing = make("g", { role: "img" });
    this.handles = { end: this.makeHandle("end"), bend: this.makeHandle("bend") };
    this.svg = make("svg", { class: "picture" }, [this.drawing, ...Object.values(this.handles)]);
    this.status = make("p", { role: "status", "aria-live": "polite" });
    this.classStatus = make("p", { "aria-live": "polite" });
    this.note = make("p", { class: "note", "aria-live": "polite" });
    this.legend = make("ul", { class: "pins", "aria-label": "Pinned curves" });
  }

  makeHandle(name) {
    const handle = make("g", {
      class: "handle", role: "slider", tabindex: 0, "aria-orientation": "vertical",
      "aria-valuemin": GUESS_AXIS[0], "aria-valuemax": -GUESS_AXIS[0], ...KEYS,
    }, [make("circle", { class: "reach", r: 22 }), make("circle", { class: "ring", r: 8 })]);
    handle.addEventListener("keydown", (event) => this.moveByKey(name, event));
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
    });
    // Or a finger on the handle would scroll the page; `touch-action` is not heeded inside SVG.
    handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.moveTo(name, event.clientY);
    });
    handle.addEventListener("pointerup", () => this.keep({}));
    return handle;
  }

  layout() {
    const labelled = (trait, ...more) =>
      make("label", {}, [make("span", {}, [NAMES[trait]]), this.controls[trait], ...more]);
    this.first = make("div", { class: "controls" }, [
      labelled("depth", this.depthShown), labelled("activation"), labelled("shortcut"),
      this.guessButton, this.saveButton,
    ]);
    this.more = make("details", {}, [
      make("summary", KEYS, ["More"]),
      make("div", { class: "controls" }, [
        ...["initializer", "normalization", "order", "kind", "quantity"].map((trait) => labelled(trait)),
        this.redraw, this.pin, this.openButton, this.files,
      ]),
    ]);
    const questions = make("div", { class: "questions", role: "group", "aria-label": "Questions" },
      this.get("presets").map((preset) => button(preset.question, () => this.ask(preset))));
    return make("div", { class: "resnet-explorer" }, [
      this.first, this.more, questions, this.svg, this.status, this.classStatus, this.legend, this.note]);
  }

  listen() {
    for (const part of [this.first, this.more]) part.addEventListener("input", () => this.send());
    this.files.addEventListener("change", () => this.openGuesses());
    const show = () => this.show(), follow = () => this.follow();
    this.heard = { "change:answers": () => this.answered(), "msg:custom": (said) => this.hear(said) };
    for (const trait of ["pins", "guess", "guesses", "guessing"]) this.heard[`change:${trait}`] = show;
    for (const trait of TRAITS) this.heard[`change:${trait}`] = follow;
    for (const [event, act] of Object.entries(this.heard)) this.model.on(event, act);
    // The picture is as wide as its place, so that its letters keep their size on a phone.
    this.resized = new ResizeObserver(([entry]) => this.resize(entry.contentRect.width));
    this.resized.observe(this.svg.parentElement);
  }

  forget() {
    clearTimeout(this.waiting);
    this.resized.disconnect();
    for (const [event, act] of Object.entries(this.heard)) this.model.off(event, act);
  }

  resize(width) {
    const fitting = Math.max(200, Math.round(width));
    if (width === 0 || fitting === this.width) return;
    this.width = fitting;
    this.show();
  }

  // -------------------------------------------------------------- what is seen

  /** The guess to draw: the one being made, or one made of the network that is shown. */
  guess() {
    const guess = this.get("guess");
    if (this.get("guessing")) return { end: 0, bend: 0, ...guess };
    return isOf(guess, this.setting()) ? guess : null;
  }

  show() {
    const curve = this.get("curve"), depth = curve.layers.at(-1), pins = this.get("pins");
    const guess = this.guess(), guessing = this.get("guessing");
    const ofClass = guessing ? [] : this.get("guesses").filter((one) => isOf(one, this.setting()));
    const guesses = [...ofClass, ...(guess ? [guess] : [])].map((one) => guessCurve(one, curve, this.setting()));
    const hidden = guessing ? guesses.at(-1) : curve; // while one guesses, the answer is not shown
    const frame = this.frame(hidden, depth, pins, guesses.length > 0);
    set(this.svg, { viewBox: `0 0 ${this.width} ${HEIGHT}` });
    this.drawing.replaceChildren(
      ...drawStrip(hidden, depth, frame),
      ...drawAxes(frame, this.get("quantity")),
      ...pins.map((pin, which) => drawCurve(pin, frame, which)),
      ...guesses.map((one, which) => drawCurve(one, frame, guess && which === guesses.length - 1 ? "guess" : "class")),
      ...(guessing ? [] : [drawCurve(curve, frame, "now")]),
    );
    this.placeHandles(guess, guessing, frame);
    this.say(guess, guessing);
    this.showPins(pins);
  }

  frame(curve, depth, pins, fixed) {
    const all = [curve, ...pins].flatMap(numbers);
    const floor = fixed ? GUESS_AXIS : this.axis ?? [0, 0];
    // 1 is always among them: a level curve then looks level.
    const ends = [Math.min(floor[0], ...all), Math.max(floor[1], ...all)];
    return frameOf(this.width, Math.max(depth, ...pins.map((pin) => pin.layers.at(-1))), ends);
  }

  placeHandles(guess, guessing, frame) {
    this.frameShown = frame;
    for (const [name, handle] of Object.entries(this.handles)) {
      handle.style.display = guessing ? "" : "none";
      if (!guessing) continue;
      const setting = this.setting(), t = name === "end" ? 1 : 0.5;
      const value = measured(this.get("curve"), setting).start + guessedAt(guess, t);
      const place = name === "end" ? farEnd(setting).replace("at the ", "") : "half-way";
      set(handle, {
        transform: `translate(${frame.x(layerAt(t, setting))} ${frame.y(value)})`,
        "aria-label": `Guess, ${place}`, "aria-valuenow": guess[name],
        "aria-valuetext": handleWords(name, guess[name]),
      });
    }
  }

  say(guess, guessing) {
    const setting = this.setting(), curve = this.get("curve");
    const status = guessing
      ? `Your guess for ${label(setting)}: move the two handles, by hand or with the arrow keys.`
      : [this.get("status"), ...(guess ? [verdict(guess, curve, setting)] : [])].join(" ");
    set(this.drawing, { "aria-label": status });
    if (this.status.textContent !== status) this.status.textContent = status;
    const guesses = this.get("guesses");
    const ofClass = guesses.length && !guessing ? classWords(guesses, curve, setting) : "";
    if (this.classStatus.textContent !== ofClass) this.classStatus.textContent = ofClass;
    this.guessButton.textContent = guessing ? "Show what was measured" : "Guess first";
    this.saveButton.style.display = guess ? "" : "none";
  }

  showPins(pins) {
    if (this.pinsShown === pins) return; // a button that has the focus keeps it
    this.pinsShown = pins;
    this.legend.replaceChildren(...pins.map((pin, which) => {
      const remove = button("remove", () => this.unpin(which));
      set(remove, { "aria-label": `remove ${pin.label}` });
      return make("li", { class: `curve-${which % 7}` }, [drawSwatch(which), pin.label, " ", remove]);
    }));
  }

  unpin(which) {
    const pins = this.get("pins").filter((_, other) => other !== which);
    if (pins.length === 0) this.axis = null;
    this.keep({ pins });
    const next = this.legend.children[Math.min(which, pins.length - 1)];
    (next?.querySelector("button") ?? this.more.firstChild).focus();
  }

  /** The controls show the traits, unless the reader is moving one: their hand leads. */
  follow() {
    if (this.waiting) return;
    for (const [trait, element] of Object.entries(this.controls)) {
      if (element.type === "checkbox") element.checked = this.get(trait);
      else element.value = this.get(trait);
    }
    this.depthShown.value = this.get("depth");
    this.redraw.disabled = !this.kernel; // other weights were not computed beforehand
  }

  // -------------------------------------------------------------- asking and answering

  ask(preset) {
    if (this.axis) this.keep({ pins: [...this.get("pins"), this.get("curve")].slice(-7) });
    this.axis = this.get("preset_axis");
    this.request(preset.setting);
  }

  /** Ask for what the controls say. */
  send() {
    this.depthShown.value = this.controls.depth.value;
    const values = Object.entries(this.controls).map(([trait, element]) => [trait, valueOf(trait, element)]);
    this.request({ ...this.setting(), ...Object.fromEntries(values) });
  }

  // A slider moves faster than a network is differentiated: one request at a time, the newest next.
  request(wanted) {
    if (!this.kernel) return this.lookUp(wanted);
    if (this.waiting) {
      this.next = wanted;
      return;
    }
    const changed = Object.entries(wanted).filter(([trait, value]) => this.get(trait) !== value);
    if (changed.length === 0) return;
    for (const [trait, value] of changed) this.model.set(trait, value);
    this.model.save_changes();
    this.waiting = setTimeout(() => this.silence(), ANSWER_TIME);
  }

  answered() {
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.show();
    const { next } = this;
    this.next = null;
    if (next) this.request(next);
    else this.follow();
  }

  silence() {
    const wanted = this.next ?? this.setting();
    Object.assign(this, { waiting: 0, next: null, kernel: false });
    this.lookUp(wanted);
    this.model.send("hello"); // a kernel that was only busy answers when it is done
  }

  hear(said) {
    if (said !== "here") return;
    this.kernel = true;
    this.note.textContent = "";
    this.model.save_changes(); // what was looked up before it answered
    this.follow();
  }

  /** Without a kernel: the recorded setting that comes nearest. */
  lookUp(wanted) {
    const nearest = nearestRecorded(this.grid, wanted, this.setting());
    const moved = SETTING.filter((trait) => nearest[trait] !== wanted[trait]);
    const values = moved.map((trait) => `${NAMES[trait].toLowerCase()} ${nearest[trait] === true ? "on" : nearest[trait] || "off"}`);
    this.note.textContent = moved.length
      ? `${NO_KERNEL} This one only with ${values.map(plain).join(" and ")}.`
      : NO_KERNEL;
    const found = lookUp(this.grid, nearest), words = this.get("words"), { quantity } = nearest;
    const named = [label(nearest), words.quantities[quantity]].filter(Boolean).join(", ");
    const curve = { ...found.curve, label: named };
    const status = `${label(nearest)}. ${sentence(words, found.described, quantity)}`;
    const answers = this.get("answers") + 1;
    for (const [trait, value] of Object.entries({ ...nearest, curve, status, answers })) this.model.set(trait, value);
    this.follow(); // the controls, where they asked for what is not there
  }

  // -------------------------------------------------------------- guessing

  turnGuess() {
    const guessing = !this.get("guessing");
    this.keep({ guessing, guess: guessing ? this.stamped({ end: 0, bend: 0 }) : this.stamped(this.guess()) });
    if (guessing) this.handles.end.focus();
  }

  /** The guess with the network that it is about. */
  stamped({ end, bend }) {
    const setting = this.setting();
    return { setting: Object.fromEntries(GUESSED.map((name) => [name, setting[name]])), end, bend };
  }

  move(name, decades) {
    const within = Math.max(GUESS_AXIS[0], Math.min(-GUESS_AXIS[0], rounded(decades)));
    this.model.set("guess", this.stamped({ ...this.guess(), [name]: within }));
  }

  moveByKey(name, event) {
    const now = this.guess()[name];
    const to = {
      ArrowUp: now + GUESS_STEP, ArrowRight: now + GUESS_STEP, ArrowDown: now - GUESS_STEP,
      ArrowLeft: now - GUESS_STEP, PageUp: now + GUESS_PAGE, PageDown: now - GUESS_PAGE,
      Home: GUESS_AXIS[0], End: -GUESS_AXIS[0],
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.move(name, to);
    this.keep({});
  }

  moveTo(name, clientY) {
    const box = this.svg.getBoundingClientRect(), { low, high, valueAt } = this.frameShown;
    const inside = Math.max(low, Math.min(high, valueAt(((clientY - box.top) * HEIGHT) / box.height)));
    const { start } = measured(this.get("curve"), this.setting());
    const straight = name === "bend" ? this.guess().end / 2 : 0;
    this.move(name, inside - start - straight);
  }

  saveGuess() {
    // Guesses of a whole class end up in one folder: each needs a name of its own.
    const own = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
    download(`guess-${own}.json`, guessText(this.stamped(this.guess())));
  }

  async openGuesses() {
    const guesses = [], refused = [];
    for (const file of this.files.files) {
      try {
        guesses.push(readGuess(await file.text()));
      } catch (error) {
        refused.push(`${file.name} ${error.message}.`);
      }
    }
    this.files.value = "";
    this.note.textContent = refused.join(" ");
    this.keep({ guesses });
  }
}

async function render({ model, el }) {
  const explorer = new Explorer(model, el, await readGrid(model.get("grid")));
  return () => explorer.forget();
}

export default { render };
