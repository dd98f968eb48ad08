// Where the panel's figures stand.

const GAP = 16; // pixels

/**
 * Let so many figures stand side by side, where each has the least width, or fewer; and return the
 * width of one.
 *
 * @param {HTMLElement} grid
 * @param {number} width of all
 * @param {number} count
 * @param {number} least
 */
export function fitColumns(grid, width, count, least) {
  const fit = Math.max(1, Math.min(count, Math.floor((width + GAP) / (least + GAP))));
  grid.style.gridTemplateColumns = `repeat(${fit}, minmax(0, 1fr))`;
  return Math.floor((width - GAP * (fit - 1)) / fit);
}
