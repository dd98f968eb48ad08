// A link to what a widget shows: after the page's address, the widget's name and its state.

import { Copier } from "../../resnet_lesson/widgets/chart/copy.js";
import { button, make, say } from "../../resnet_lesson/widgets/chart/elements.js";
import { STATES } from "./states.js";

/** @typedef {import("./model.js").Traits} Traits */
/** @typedef {import("./model.js").Getter} Getter */

/** The name of the widget whose state the page's address has, and that state; or null. */
export function addressed() {
  const [name, state] = location.hash.slice(1).split("?");
  return state === undefined ? null : { name, state: new URLSearchParams(state) };
}

/** @param {string} kind @param {string} name @param {Getter} get */
export function linkTo(kind, name, get) {
  const state = new URLSearchParams();
  for (const [key, values] of Object.entries(STATES[kind].write(get))) {
    for (const value of [values].flat()) state.append(key, value);
  }
  const page = location.href.slice(0, location.href.length - location.hash.length);
  return `${page.replace(/#$/, "")}#${name}?${state}`;
}

/**
 * The traits with which a widget opens: its own or, where the page's address names the widget,
 * those of the address; and what is wrong with the address, in words.
 *
 * @param {string} kind @param {string} name @param {Traits} traits
 */
export async function opening(kind, name, traits) {
  const link = addressed();
  if (link?.name !== name || !(kind in STATES)) return { traits, refusal: "" };
  try {
    return { traits: { ...traits, ...(await STATES[kind].read(link.state, traits)) }, refusal: "" };
  } catch (error) {
    const why = /** @type {Error} */ (error).message;
    return { traits, refusal: `What the link says cannot be shown: ${why}.` };
  }
}

/** What stands below a widget. @param {string} kind @param {string} name @param {Getter} get */
export function copyButton(kind, name, get) {
  const copier = new Copier();
  const copy = button("Copy a link to this state", () => {
    try {
      copier.copy(linkTo(kind, name, get));
    } catch (error) {
      say(copier.element, `There is no link to this: ${/** @type {Error} */ (error).message}.`);
    }
  });
  return make("div", { class: "lesson-link" }, [copy, copier.element]);
}
