// The network's feature maps to scale.

import { words } from "../chart/axes.js";
import { sum } from "../chart/data.js";
import { make } from "../chart/elements.js";

/** @typedef {import("./arithmetic.js").Part} Part */
/** @typedef {Pick<Part, "name" | "modules" | "height" | "width" | "channels">} Maps */

const ROOM = { height: 190, top: 8, foot: 54, gap: 14 };
const LEAST = 3; // pixels of a box
export const HEIGHT = ROOM.top + ROOM.height + ROOM.foot;

/** Boxes that a part is drawn as. @param {Maps} part */
const count = (part) => Math.max(1, part.modules);

/**
 * A box is as high as its map, and as wide as it has channels; a stage is as many boxes as it has
 * modules.
 *
 * @param {Part[]} parts
 * @param {import("./arithmetic.js").Network} image
 * @param {number} width of the picture
 */
export function drawNetwork(parts, image, width) {
  const [high, wide, channels] = [image.height, image.width, image.depth].map(Number);
  const first = { name: "image", modules: 0, height: high, width: wide, channels };
  const maps = /** @type {Maps[]} */ ([first, ...parts]);
  const down = ROOM.height / Math.max(...maps.map((part) => part.height));
  const wanted = maps.map((part) => Math.max(LEAST, 0.2 * part.channels) * count(part));
  const room = width - ROOM.gap * (maps.length + 1);
  const across = Math.min(1, room / sum(wanted));
  let left = ROOM.gap;
  return maps.flatMap((part, at) => {
    const box = { left, width: wanted[at] * across, height: Math.max(LEAST, part.height * down) };
    left += box.width + ROOM.gap;
    return [...drawBoxes(part, box), drawName(part, box, at % 3, width)];
  });
}

/** @typedef {{left: number, width: number, height: number}} Box */

/** @param {Maps} part @param {Box} box */
function drawBoxes(part, { left, width, height }) {
  const boxes = width / count(part) > 2 ? count(part) : 1; // thinner ones would run together
  return Array.from({ length: boxes }, (_, box) =>
    make("rect", {
      class: `map map-${part.name.replace(/\d+$/, "")}`,
      x: left + (box * width) / boxes,
      y: ROOM.top + (ROOM.height - height) / 2,
      width: width / boxes,
      height,
    }),
  );
}

/**
 * Names stay inside the picture, and neighbours in rows of their own.
 *
 * @param {Maps} part
 * @param {Box} box
 * @param {number} row
 * @param {number} width
 */
function drawName(part, box, row, width) {
  const x = Math.min(width - 32, Math.max(22, box.left + box.width / 2));
  return words(x, ROOM.top + ROOM.height + 16 * (1 + row), part.name);
}
