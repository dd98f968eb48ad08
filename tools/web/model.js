// The model of a widget, where nobody else has one.

/** @typedef {(...details: any[]) => void} Listener */
/** @typedef {Record<string, any>} Traits */
/** @typedef {(name: string) => any} Getter */

/** What anywidget hands a widget as its model, over its saved traits. @param {Traits} traits */
export function standIn(traits) {
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
