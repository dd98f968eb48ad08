"""Modules and networks as diagrams."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from .style import INK, PALETTE, RESIDUAL, SMALL, SOFT, axes_or_new, escaped, write_title

# The colour of each part that a module may have; parts with the same role have the same.
PARTS = {
    **{"conv": PALETTE[5], "BN": PALETTE[4], "ReLU": PALETTE[2]},
    **{"attention or MLP": PALETTE[5], "LN": PALETTE[4]},
}


def wires(
    branch: Sequence[str], after: Sequence[str] = (), ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw one module, its input at the left, and return the Axes.

    Args:
        branch: the parts of the branch in order, names of ``PARTS``, such as ("BN", "ReLU",
            "conv"); of a transformer ("LN", "attention or MLP").
        after: the parts after the addition, on the shortcut's wire.
        ax: Axes to draw on; None makes a figure.
        title: written above.

    The shortcut is a bold solid line if no part follows the addition, else a thin dashed one.
    """
    ax = axes_or_new(ax)
    plus, end = len(branch) + 1, len(branch) + len(after) + 2
    solid: dict[str, Any] = {"color": RESIDUAL, "linewidth": 5, "solid_capstyle": "butt"}
    dashed: dict[str, Any] = {"color": SOFT, "linewidth": 2, "linestyle": "--"}
    ax.plot([0, end], [1, 1], **(dashed if after else solid), zorder=1)
    ax.plot([0.3, 0.3, plus, plus], [1, 0, 0, 1], color=INK, linewidth=1, zorder=0)
    ax.text(plus, 1, "+", ha="center", va="center", bbox={"boxstyle": "circle", "fc": "white"})
    boxes = [(x, 0, part) for x, part in enumerate(branch, start=1)]
    boxes += [(x, 1, part) for x, part in enumerate(after, start=plus + 1)]
    for x, y, part in boxes:
        style = {"boxstyle": "round", "fc": PARTS[part], "ec": INK}
        word = part.replace(" or ", "\nor ")
        ax.text(x, y, word, ha="center", va="center", fontsize=SMALL, color=INK, bbox=style)
    write_title(ax, title)
    ax.set(xlim=(-0.2, 8.2), ylim=(-0.6, 1.6))
    ax.axis("off")
    return ax


MOST_BOXES = 500  # of a stage


def to_scale(parts: Sequence[Any], image: tuple[int, int], ax: Axes | None = None) -> Axes:
    """Draw a network's feature maps to scale, input side first, and return the Axes.

    A box is as high as its map and as wide as it has channels; a stage is as many boxes as it has
    modules, or one where there would be more edges than pixels.

    Args:
        parts: as ``networks.cost.parts`` gives them.
        image: (height, channels) of the input.
        ax: Axes to draw on; None makes a figure.
    """
    ax = axes_or_new(ax)
    boxes = [("image", 1, *image)]
    boxes += [(part.name, max(1, part.modules), part.height, part.channels) for part in parts]
    gap = 0.02 * sum(count * channels for _, count, _, channels in boxes)
    left = 0.0
    for index, (name, count, height, channels) in enumerate(boxes):
        color = RESIDUAL if name.startswith("stage") else PALETTE[5]
        drawn = count if count <= MOST_BOXES else 1
        width = channels * count / drawn
        for box in range(drawn):
            corner = (left + box * width, -height / 2)
            ax.add_patch(plt.Rectangle(corner, width, height, fc=color, ec="white", lw=0.5))
        middle, row = left + count * channels / 2, -0.04 - 0.07 * (index % 3)
        foot = ax.get_xaxis_transform()
        ax.text(middle, row, escaped(name), transform=foot, ha="center", color=INK, fontsize=SMALL)
        left += count * channels + gap
    tallest = max(height for _, _, height, _ in boxes)
    ax.set(xlim=(-gap, left), ylim=(-0.55 * tallest, 0.55 * tallest))
    ax.axis("off")
    return ax
