// What a page does with the widgets: it renders them on a model that a test changes, as a kernel of
// any version might, and acts as a reader. Bundled by esbuild for the test.

import builder from "../../resnet_lesson/widgets/builder/builder.js";
import explorer from "../../resnet_lesson/widgets/explorer/explorer.js";
import lesions from "../../resnet_lesson/widgets/lesions/lesions.js";
import panel from "../../resnet_lesson/widgets/panel/panel.js";
import race from "../../resnet_lesson/widgets/race/race.js";
import { standIn } from "../../tools/web/model.js";

const WIDGETS = { builder, explorer, lesions, panel, race };
const KEYS = ["Enter", " ", "ArrowUp", "ArrowLeft", "ArrowDown", "Home", "End", "Escape", "PageUp"];
const TYPED = ["", "0", "-1", "7", "12", "1e400", "1.5", "99999999", "😀", "x".repeat(3000)];
const CONTROLS = "button,input,select,textarea,summary,[tabindex],svg,canvas,code";

/** All that a browser would complain of, until the next look. */
const complaints = [];
const complain = (what) => complaints.push(`${what?.stack ?? what?.message ?? what}`);
// What has no error says that a picture is drawn in the next frame.
addEventListener("error", ({ error }) => error && complain(error));
addEventListener("unhandledrejection", ({ reason }) => complain(reason));
console.error = (...said) => complain(said.join(" "));
// A pointer that a script makes up cannot be captured.
Element.prototype.setPointerCapture = () => {};

const frame = () => new Promise((keep) => requestAnimationFrame(() => keep(undefined)));
const soon = () => new Promise((keep) => setTimeout(keep));

/** A model behind which there seems to be a kernel. */
function modelOf(traits) {
  const slots = new Set();
  const signal = { connect: (slot) => slots.add(slot), disconnect: (slot) => slots.delete(slot) };
  const kernel = { status: "idle", statusChanged: signal };
  const hearing = new Map();
  const model = {
    ...standIn(traits),
    widget_manager: { kernel },
    /** As Backbone does: all traits are set before any change is told. */
    take(state) {
      const before = structuredClone(traits);
      Object.assign(traits, structuredClone(state));
      const changed = Object.keys(state).filter(
        (name) => JSON.stringify(before[name]) !== JSON.stringify(traits[name]),
      );
      for (const name of changed) model.tell(`change:${name}`, model, traits[name]);
    },
    say(status) {
      kernel.status = status;
      for (const slot of [...slots]) slot(kernel, status);
    },
    on(event, act) {
      hearing.set(event, [...(hearing.get(event) ?? []), act]);
    },
    off(event, act) {
      const others = (hearing.get(event) ?? []).filter((one) => one !== act);
      hearing.set(event, others);
    },
    tell(event, ...details) {
      for (const act of [...(hearing.get(event) ?? [])]) act(...details);
    },
    set(name, value) {
      model.take({ [name]: value });
    },
    /** How many listen still. */
    heard: () => slots.size + [...hearing.values()].flat().length,
  };
  return model;
}

/** One of these, by a share. */
const pick = (among, share) => among[Math.floor(share * among.length)];

/** A reader does something to a control that can be seen; four shares say what. */
function act(el, [which, how, what, more]) {
  const seen = [...el.querySelectorAll(CONTROLS)].filter((one) => one.getClientRects().length);
  const target = pick(seen, which);
  if (!target) return;
  const tell = (event) => target.dispatchEvent(event);
  if (how < 0.25) {
    const init = { key: pick(KEYS, what), bubbles: true, cancelable: true, shiftKey: more > 0.8 };
    tell(new KeyboardEvent("keydown", init));
  } else if (how < 0.5 && target instanceof SVGElement) {
    for (const kind of ["pointerdown", "pointermove", pick(["pointerup", "pointercancel"], more)]) {
      const { left, top, width, height } = target.getBoundingClientRect();
      const place = { clientX: left + width * 2 * (what - 0.2), clientY: top + height * 2 * more };
      tell(new PointerEvent(kind, { ...place, pointerId: 1, bubbles: true, buttons: 1 }));
    }
  } else if (target instanceof HTMLInputElement && target.type === "file") {
    const files = new DataTransfer();
    files.items.add(new File([pick(["{}", "[", '{"file": 3}', "null"], what)], "guess.json"));
    target.files = files.files;
    tell(new Event("change", { bubbles: true }));
  } else if (how < 0.8 && "value" in target && target.type !== "radio") {
    target.value =
      target instanceof HTMLSelectElement ? pick(target.options, what)?.value : pick(TYPED, what);
    for (const kind of ["input", "change"]) tell(new Event(kind, { bubbles: true }));
  } else if (target instanceof HTMLElement) {
    target.focus();
    target.click();
  } else tell(new MouseEvent("click", { bubbles: true }));
}

/** Press the button whose text begins so. */
function press(el, text) {
  const found = [...el.querySelectorAll("button")].find((one) => one.textContent?.startsWith(text));
  if (!found) throw new Error(`no button says ${text}`);
  found.click();
}

async function step(model, el, [kind, what]) {
  if (kind === "traits") model.take(what);
  else if (kind === "message") model.tell("msg:custom", structuredClone(what), []);
  else if (kind === "status") model.say(what);
  else if (kind === "act") act(el, what);
  else if (kind === "press") press(el, what);
  else if (kind === "width") el.style.width = `${what}px`;
  await (kind === "width" ? frame() : soon());
}

async function placed(kind, model) {
  const el = document.createElement("div");
  document.body.append(el);
  const forget = await WIDGETS[kind].render({ model, el });
  return { el, end: () => [forget(), el.remove()] };
}

/** What went wrong in a sequence: complaints, and a picture that a new view lacks. */
async function tried(kind, state, steps) {
  complaints.length = 0;
  const model = modelOf(structuredClone(state));
  try {
    const first = await placed(kind, model);
    for (const one of steps) await step(model, first.el, one);
    await frame();
    first.end();
    const again = await placed(kind, model);
    for (let frames = 0; frames < 3; frames++) await frame();
    if (!again.el.querySelector(`.resnet-${kind} :is(svg, canvas, table) *, .wire button`)) {
      complain(`no picture: ${again.el.textContent.slice(0, 200)}`);
    }
    again.end();
    if (model.heard()) complain(`${model.heard()} listen to a model whose views are gone`);
  } catch (error) {
    complain(error);
  }
  await soon();
  document.body.replaceChildren();
  return [...complaints];
}

/** The complaints of each of these sequences. */
async function fuzz(kind, runs) {
  const all = [];
  for (const { state, steps } of runs) all.push(await tried(kind, state, steps));
  return all;
}

Object.assign(window, { fuzz });

// -------------------------------------------------------------- what is left behind

/** What a page holds beyond its elements: a count of each kind. */
const held = { workers: 0, observers: 0, listeners: 0 };

/** Count calls of one method of this prototype up, and of another down. */
function counted(owner, kind, up, down) {
  const own = { up: owner[up], down: owner[down] };
  owner[up] = function (...given) {
    held[kind] += 1;
    return own.up.apply(this, given);
  };
  owner[down] = function (...given) {
    held[kind] -= 1;
    return own.down.apply(this, given);
  };
}

for (const target of [window, document]) {
  counted(target, "listeners", "addEventListener", "removeEventListener");
}
for (const Observer of [ResizeObserver, IntersectionObserver, MutationObserver]) {
  counted(Observer.prototype, "observers", "observe", "disconnect");
}
const WorkerOfPage = Worker;
window.Worker = class extends WorkerOfPage {
  constructor(...given) {
    super(...given);
    held.workers += 1;
  }
  terminate() {
    held.workers -= 1;
    super.terminate();
  }
};

/** Move the slider of the depth so often, and wait for what is computed. */
async function moved(state, times) {
  const view = await placed("explorer", modelOf(structuredClone(state)));
  const slider = view.el.querySelector("input[type=range]");
  for (let at = 0; at < times; at++) {
    slider.value = 1 + ((at * 7) % 200);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
  }
  await new Promise((keep) => setTimeout(keep, 500));
  const depth = view.el.querySelector("output").value;
  view.end();
  return { ...held, depth: Number(depth) };
}

/** Render and dispose, again and again; each time a reader does something in between. */
async function renewed(kind, state, steps, times) {
  const model = modelOf(structuredClone(state));
  for (let at = 0; at < times; at++) {
    const view = await placed(kind, model);
    for (const one of steps) await step(model, view.el, one);
    view.end();
  }
  await new Promise((keep) => setTimeout(keep, 500)); // what was on its way has come
  return { ...held, heard: model.heard() };
}

Object.assign(window, { renewed, moved });
