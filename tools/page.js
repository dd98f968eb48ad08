// Brings the page's widgets to life where no kernel runs.

/** @typedef {(...details: any[]) => void} Listener */
/** @typedef {Record<string, any>} Traits */

/** What anywidget hands a widget as its model, over its saved traits. @param {Traits} traits */
function standIn(traits) {
  /** @type {Map<string, Listener[]>} */
  const listeners = new Map();
  const emit = (/** @type {string} */ event, /** @type {any[]} */ ...details) => {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(...details);
  };
  const model = {
    get: (/** @type {string} */ name) => traits[name],
    /** @param {string} name @param {any} value */
    set(name, value) {
      if (JSON.stringify(traits[name]) === JSON.stringify(value)) return;
      traits[name] = value;
      emit(`change:${name}`, model, value);
      emit("change", model);
    },
    /** @param {string} event @param {Listener} listener */
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    },
    /** @param {string} [event] @param {Listener} [listener] */
    off(event, listener) {
      if (event === undefined) return listeners.clear();
      const others = (/** @type {Listener} */ each) => listener !== undefined && each !== listener;
      listeners.set(event, (listeners.get(event) ?? []).filter(others));
    },
    save_changes() {}, // nobody answers
    send() {},
  };
  return model;
}

/** @param {string} id @param {Traits} traits */
async function mount(id, traits) {
  const address = URL.createObjectURL(new Blob([traits._esm], { type: "text/javascript" }));
  const { default: widget } = await import(address);
  URL.revokeObjectURL(address);
  const style = document.createElement("style");
  style.textContent = traits._css;
  document.head.append(style);
  const model = standIn(traits);
  await widget.initialize?.({ model });
  for (const el of document.querySelectorAll(`[data-widget="${id}"]`)) {
    el.replaceChildren(); // the picture for readers without JavaScript
    await widget.render({ model, el });
  }
}

const saved = JSON.parse(document.getElementById("widgets")?.textContent ?? "{}");
for (const [id, traits] of Object.entries(saved)) await mount(id, traits);
