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

/** @param {HTMLElement} place */
async function mount(place) {
  const { widget = "", traits: key = "", name = "" } = place.dataset;
  const saved = /** @type {{lesson: Record<string, Traits>}} */ (/** @type {any} */ (window))
    .lesson;
  const { traits, asked, refusal } = await opening(widget, name, structuredClone(saved[key]));
  const model = standIn(traits);
  const inner = make("div", { class: "inner" });
  place.replaceChildren(inner); // in the place of the picture for readers without JavaScript
  await WIDGETS[widget].render({ model, el: inner });
  if (refusal) place.prepend(make("p", { class: "refusal", role: "alert" }, [refusal]));
  if (name && widget in STATES) inner.append(copyButton(widget, name, model.get));
  keepInSight(place, inner);
  if (asked) place.scrollIntoView();
}

function mountAll() {
  const places = document.querySelectorAll("[data-widget]");
  for (const place of places) mount(/** @type {HTMLElement} */ (place));
}

// By then the scripts with the traits, which wait like this one, have run.
document.addEventListener("DOMContentLoaded", () => {
  mountAll();
  bringToLife(document);
});
// A link into the page that is open.
addEventListener("hashchange", () => {
  if (location.hash.includes("?")) location.reload();
});
