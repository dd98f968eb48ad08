// Numbers as they come: packed in text, and in lists.

/** The bytes of base64. @param {string} text */
export const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** @param {number[]} values */
export const sum = (values) => values.reduce((total, value) => total + value, 0);
