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
 * @property {{kernel?: Kernel}} [widget_manager] where the front end is JupyterLab
 */
/**
 * The connection to a kernel, as far as ours listen to it.
 *
 * @typedef {object} Kernel
 * @property {Signal} statusChanged
 */
/** @typedef {(sender: unknown, status: string) => void} Slot */
/** @typedef {{connect: (slot: Slot) => void, disconnect: (slot: Slot) => void}} Signal */
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

const GONE = ["restarting", "autorestarting", "terminating", "dead"];

/**
 * Call when the kernel dies or is restarted, where the front end tells of it: whoever waits for its
 * answer would wait in vain. What is returned ends it.
 *
 * @param {Pick<Model<any>, "widget_manager">} model
 * @param {() => void} act
 */
export function kernelIsGone(model, act) {
  const signal = model.widget_manager?.kernel?.statusChanged;
  const hear = (/** @type {unknown} */ _, /** @type {string} */ status) => {
    if (GONE.includes(status)) act();
  };
  signal?.connect(hear);
  return () => signal?.disconnect(hear);
}
