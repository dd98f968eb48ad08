// Brings a page of the lesson to life, where no kernel runs.

import builder from "../../resnet_lesson/widgets/builder/builder.js";
import { make } from "../../resnet_lesson/widgets/chart/elements.js";
import explorer from "../../resnet_lesson/widgets/explorer/explorer.js";
import lesions from "../../resnet_lesson/widgets/lesions/lesions.js";
import panel from "../../resnet_lesson/widgets/panel/panel.js";
import race from "../../resnet_lesson/widgets/race/race.js";
import { addressed, copyButton, opening } from "./links.js";
import { standIn } from "./model.js";
import { bringToLife } from "./sentences.js";
import { keepInSight } from "./sight.js";
import { STATES } from "./states.js";

/** @typedef {import("./model.js").Traits} Traits */
/** @typedef {{render: (place: {model: any, el: HTMLElement}) => any}} Widget */

/** @type {Record<string, Widget>} */
const WIDGETS = { builder, explorer, lesions, panel, race };

/** The widgets that have a name, each by it: mount it anew. @type {Map<string, () => void>} */
const named = new Map();

/** @param {HTMLElement} place @param {Traits} saved */
async function mount(place, saved) {
  const { widget = "", name = "" } = place.dataset;
  const stand = [...place.childNodes]; // the picture for readers without JavaScript
  if (name && addressed()?.name === name) place.scrollIntoView();
  const { traits, refusal } = await opening(widget, name, structuredClone(saved));
  const model = standIn(traits);
  const inner = make("div", { class: "inner" });
  place.replaceChildren(inner);
  try {
    const forget = await WIDGETS[widget].render({ model, el: inner });
    const letGo = keepInSight(place, inner);
    named.set(name, () => {
      forget?.();
      letGo();
      place.replaceChildren(...stand);
      mount(place, saved);
    });
  } catch (error) {
    place.replaceChildren(refused(`This widget cannot run here: ${error}.`), ...stand);
    return;
  }
  if (refusal) place.prepend(refused(refusal));
  if (name && widget in STATES) inner.append(copyButton(widget, name, model.get));
}

/** @param {string} words */
const refused = (words) => make("p", { class: "refusal", role: "alert" }, [words]);

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

/** A link may be older than the page. */
function findAddressed() {
  const link = addressed();
  if (!link || document.querySelector(`[data-name="${CSS.escape(link.name)}"]`)) return;
  const words = `The link leads to a widget that is not on this page: ${link.name}.`;
  document.querySelector("article, main")?.prepend(refused(words));
}

Object.assign(window, { lesson });
bringToLife(document);
findAddressed();
// A link into the page that is open concerns one widget, and leaves the others as they are.
addEventListener("hashchange", () => {
  findAddressed();
  named.get(addressed()?.name ?? "")?.();
});
