// Curves as paths: lines, bands, marks, and triangles for what an axis cannot hold.

/** @typedef {[x: number, y: number]} Point in pixels */
/** @typedef {number | "zero" | "infinite" | "undefined"} Value in decades; or what has none */
/** @typedef {{layers: number[], values: Value[]}} Curve */

/** @param {Point} point */
const written = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** A line through points; where one is missing, it is lifted. @param {(Point | null)[]} points */
export function linePath(points) {
  let pen = "M";
  let path = "";
  for (const point of points) {
    if (point) path += pen + written(point);
    pen = point ? "L" : "M";
  }
  return path;
}

/** A disc. @param {Point} middle @param {number} r its radius */
export const discPath = ([x, y], r) =>
  `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 -${2 * r} 0z`;

/**
 * A hollow triangle of this height at the edge of the frame: at the foot what is zero, which has no
 * logarithm; at the head, pointing up, what is not finite.
 *
 * @param {number} x
 * @param {{top: number, bottom: number}} frame
 * @param {boolean} atFoot
 * @param {number} height
 */
export function trianglePath(x, { top, bottom }, atFoot, height) {
  const [tip, base] = atFoot ? [bottom - 1, bottom - 1 - height] : [top + 1, top + 1 + height];
  return `M${x - 4} ${base}H${x + 4}L${x} ${tip}z`;
}
