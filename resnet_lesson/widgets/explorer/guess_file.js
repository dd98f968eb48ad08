// Guesses in files.

import { explorer } from "../chart/constants.js";
import { make } from "../chart/elements.js";
import { GUESSED, valuesOf } from "./setting.js";

const { decades: DECADES } = explorer;

/** @typedef {import("./guess.js").Guess} Guess */

/** @param {Guess} guess */
export const guessText = (guess) => JSON.stringify({ file: explorer.file, ...guess }, null, 1);

/**
 * The guess of a file's text; an error says what is wrong.
 *
 * @param {string} text
 * @returns {Guess}
 */
export function readGuess(text) {
  const read = parsed(text);
  if (read?.file !== explorer.file) {
    throw new Error(`is no saved guess: "file" must be "${explorer.file}"`);
  }
  const { setting, end, bend } = read;
  const known = GUESSED.every((name) => valuesOf(name).includes(Object(setting)[name]));
  const sized = [end, bend].every((one) => Number.isFinite(one) && Math.abs(one) <= DECADES);
  if (!known || !sized) {
    throw new Error(
      `must hold end and bend, of at most ${DECADES} decades, and setting with the explorer's ` +
        GUESSED.join(", "),
    );
  }
  return { setting, end, bend };
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("is not JSON");
  }
}

/**
 * The guesses of files, and what is wrong with the files that hold none.
 *
 * @param {Iterable<{name: string, text: () => Promise<string>}>} files
 */
export async function readGuesses(files) {
  /** @type {Guess[]} */
  const guesses = [];
  /** @type {string[]} */
  const refused = [];
  for (const file of files) {
    try {
      guesses.push(readGuess(await file.text()));
    } catch (error) {
      refused.push(`${file.name} ${/** @type {Error} */ (error).message}.`);
    }
  }
  return { guesses, refused };
}

/** Hand the reader a file with the guess. @param {Guess} guess */
export function saveGuess(guess) {
  // Guesses of a whole class end up in one folder: each needs a name of its own.
  const own = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  const blob = new Blob([guessText(guess)], { type: "application/json" });
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: `guess-${own}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address));
}
