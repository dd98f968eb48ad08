// Brings a page of the lesson to life, where no kernel runs.

import builder from "../../resnet_lesson/widgets/builder/builder.js";
import { make } from "../../resnet_lesson/widgets/chart/elements.js";
import explorer from "../../resnet_lesson/widgets/explorer/explorer.js";
import lesions from "../../resnet_lesson/widgets/lesions/lesions.js";
import panel from "../../resnet_lesson/widgets/panel/panel.js";
import race from "../../resnet_lesson/widgets/race/race.js";
import { copyButton, opening } from "./links.js";
import { standIn } from "./model.js";
import { bringToLife } from "./sentences.js";
import { keepInSight } from "./sight.js";
import { STATES } from "./states.js";

/** @typedef {import("./model.js").Traits} Traits */
/** @typedef {{render: (place: {model: any, el: HTMLElement}) => unknown}} Widget */

/** @type {Record<string, Widget>} */
const WIDGETS = { builder, explorer, lesions, panel, race };

/** @param {HTMLElement} place @param {Traits} saved */
async function mount(place, saved) {
  const { widget = "", name = "" } = place.dataset;
  const { traits, asked, refusal } = await opening(widget, name, structuredClone(saved));
  const model = standIn(traits);
  const inner = make("div", { class: "inner" });
  place.replaceChildren(inner); // in the place of the picture for readers without JavaScript
  await WIDGETS[widget].render({ model, el: inner });
  if (refusal) place.prepend(make("p", { class: "refusal", role: "alert" }, [refusal]));
  if (name && widget in STATES) inner.append(copyButton(widget, name, model.get));
  keepInSight(place, inner);
  if (asked) place.scrollIntoView();
}

/**
 * What a script with traits calls: so each widget comes alive as soon as its own are there. All
 * scripts wait until the page has been read.
 *
 * @param {string} key @param {Traits} traits
 */
function lesson(key, traits) {
  for (const place of document.querySelectorAll(`[data-traits="${key}"]:not([data-alive])`)) {
    place.setAttribute("data-alive", ""); // another place may bring the same traits
    mount(/** @type {HTMLElement} */ (place), traits);
  }
}

Object.assign(window, { lesson });
bringToLife(document);
// A link into the page that is open.
addEventListener("hashchange", () => {
  if (location.hash.includes("?")) location.reload();
});
