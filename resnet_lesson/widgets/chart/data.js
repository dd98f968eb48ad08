// Numbers as they come: packed in text, and in lists.

/** The bytes of base64. @param {string} text */
export const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** @param {number[]} values */
export const sum = (values) => values.reduce((total, value) => total + value, 0);

/** The bytes of gzipped base64. @param {string} text */
export async function unpacked(text) {
  const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
