// Copying a line of Python.

import { make, say } from "./elements.js";

export class Copier {
  element = make("p", { class: "copied", role: "status" });

  /** Where there is no clipboard, the line is shown, selected. @param {string} text */
  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      say(this.element, "Copied.");
    } catch {
      const code = make("code", {}, [text]);
      this.element.replaceChildren("Press Ctrl + C (or ⌘ + C) to copy: ", code);
      getSelection()?.selectAllChildren(code);
    }
  }

  /** What was copied is no longer what is shown. */
  forget() {
    say(this.element, "");
  }
}
