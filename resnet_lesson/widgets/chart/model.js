// The widget's side of a kernel: its traits, and messages.

/**
 * What anywidget hands a widget, as far as ours use it.
 *
 * @template Traits
 * @typedef {object} Model
 * @property {<Name extends keyof Traits>(name: Name) => Traits[Name]} get
 * @property {<Name extends keyof Traits>(name: Name, value: Traits[Name]) => void} set
 * @property {() => void} save_changes
 * @property {(content: unknown) => void} send
 * @property {(event: string, act: Listener) => void} on
 * @property {(event: string, act: Listener) => void} off
 */
/** @typedef {(said: any) => void} Listener what a message says is not known before it comes */

/**
 * Set these traits, without sending them.
 *
 * @template Traits
 * @param {Pick<Model<Traits>, "set">} model
 * @param {Partial<Traits>} traits
 */
export function put(model, traits) {
  for (const [name, value] of Object.entries(traits)) {
    model.set(/** @type {keyof Traits} */ (name), /** @type {never} */ (value));
  }
}

/**
 * Listen to these events of the model; what is returned ends it.
 *
 * @param {Pick<Model<any>, "on" | "off">} model
 * @param {Record<string, Listener>} heard
 */
export function listen(model, heard) {
  for (const [event, act] of Object.entries(heard)) model.on(event, act);
  return () => {
    for (const [event, act] of Object.entries(heard)) model.off(event, act);
  };
}

/**
 * Call with the width of an element, in whole pixels, when it is no longer the last one; an element
 * that is hidden has none. What is returned ends it.
 *
 * @param {Element} element
 * @param {number} last
 * @param {(width: number) => void} act
 */
export function onResize(element, last, act) {
  const observer = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.round(contentRect.width);
    if (contentRect.width === 0 || width === last) return;
    last = width;
    act(width);
  });
  observer.observe(element);
  return () => observer.disconnect();
}
