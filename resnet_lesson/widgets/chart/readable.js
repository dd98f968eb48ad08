// A model of which a widget sees only what it can draw.

import { make } from "./elements.js";
import { listen } from "./model.js";

/** @typedef {(name: string) => any} Get */
/**
 * What a trait may be.
 *
 * @typedef {object} Rule
 * @property {(value: any, get: Get) => boolean} is which may depend on other traits
 * @property {unknown} [usual] what stands for it before it was that; else nothing can be drawn
 * @property {boolean} [fixed] whether it stays what it was first
 */
/** @typedef {Record<string, Rule>} Rules */
/** @typedef {Pick<import("./model.js").Model<any>, "get" | "set" | "on" | "off">} Known */

const OTHER =
  "This widget cannot be drawn from what was saved of it, perhaps by another version: run its " +
  "cell again.";

/** Say that nothing can be drawn. @param {HTMLElement} el */
export const refuse = (el) => el.replaceChildren(make("p", { role: "alert" }, [OTHER]));

/**
 * The traits, each with the last value that follows its rule.
 *
 * @param {Known} model
 * @param {Rules} rules
 * @returns {Get}
 */
function reader(model, rules) {
  /** @type {Map<string, any>} */
  const kept = new Map();
  return function get(name) {
    const { is, usual, fixed } = rules[name];
    const value = model.get(name);
    const isNew = value !== kept.get(name) && !(fixed && kept.has(name));
    if (isNew && is(value, get)) kept.set(name, value);
    return kept.has(name) ? kept.get(name) : usual;
  };
}

/** A front end may hand out copies. @param {any} one @param {any} other */
const isSame = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);

/**
 * Start the widget as soon as all that it needs can be drawn; a sentence stands there until then.
 * What breaks its rule later, as a kernel of another version may send it, is taken back.
 *
 * @template {Known} Model
 * @param {Model} model
 * @param {HTMLElement} el
 * @param {Rules} rules
 * @param {(shown: Model) => () => void} start returns what ends it
 * @returns {() => void} ends it
 */
export function whenReadable(model, el, rules, start) {
  const get = reader(model, rules);
  const names = Object.keys(rules);
  let [started, end] = [false, () => {}];
  const follow = (/** @type {string} */ name) => {
    const value = get(name);
    if (value !== undefined && !isSame(value, model.get(name))) model.set(name, value);
    if (started) return;
    started = names.every((one) => get(one) !== undefined);
    if (started) end = start(seen(model, get));
    else refuse(el);
  };
  const ending = listen(
    model,
    Object.fromEntries(names.map((name) => [`change:${name}`, () => follow(name)])),
  );
  names.forEach(follow);
  return () => {
    ending();
    end();
  };
}

/**
 * The model with another `get`. Some front ends hand a model that takes no other `this`.
 *
 * @template {Known} Model
 * @param {Model} model
 * @param {Get} get
 */
function seen(model, get) {
  const known = ["set", "save_changes", "send", "on", "off"];
  const acts = known.map((name) => [
    name,
    (/** @type {any[]} */ ...given) => Object(model)[name](...given),
  ]);
  const own = { ...Object.fromEntries(acts), get };
  Object.defineProperty(own, "widget_manager", { get: () => Object(model).widget_manager });
  return /** @type {Model} */ (own);
}
