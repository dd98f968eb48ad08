// Brings the page's widgets to life where no kernel runs.

/** What anywidget hands a widget as its model, over its saved traits; nobody answers it. */
function standIn(traits) {
  const listeners = new Map();
  const emit = (event, ...details) => {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(...details);
  };
  const model = {
    get: (name) => traits[name],
    set(name, value) {
      if (JSON.stringify(traits[name]) === JSON.stringify(value)) return;
      traits[name] = value;
      emit(`change:${name}`, model, value);
      emit("change", model);
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    },
    off(event, listener) {
      if (event === undefined) listeners.clear();
      const others = (each) => listener !== undefined && each !== listener;
      listeners.set(event, (listeners.get(event) ?? []).filter(others));
    },
    save_changes() {},
    send() {},
  };
  return model;
}

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

const saved = JSON.parse(document.getElementById("widgets").textContent);
for (const [id, traits] of Object.entries(saved)) await mount(id, traits);
