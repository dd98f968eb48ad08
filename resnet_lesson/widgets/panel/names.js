// What networks are called, and how each is drawn: orange is plain and blue residual, everywhere.

const KNOWN = ["plain", "residual"];
const OTHERS = ["first", "second"];

/** The class of each, which sets its colour and dashes. @param {string[]} names */
export function looks(names) {
  const others = names.filter((name) => !KNOWN.includes(name));
  return names.map((name) =>
    KNOWN.includes(name) ? name : OTHERS[others.indexOf(name) % OTHERS.length],
  );
}

/** As a sentence says it. @param {string} name */
export const called = (name) => (KNOWN.includes(name) ? `the ${name} network` : name);

/** @param {string} name @param {number} most letters */
export const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
