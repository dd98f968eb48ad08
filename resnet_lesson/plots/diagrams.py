"""Modules and networks as diagrams."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from .style import (
    EDGE,
    GROUND,
    HAIR,
    HUES,
    INK,
    NAME,
    PALETTE,
    RESIDUAL,
    SMALL,
    SOFT,
    TITLE,
    axes_or_new,
    escaped,
    panels,
    write_title,
)

# The colour of each part that a module may have; parts with the same role have the same.
PARTS = {
    **{"conv": PALETTE[5], "BN": PALETTE[4], "ReLU": PALETTE[2]},
    **{"attention or MLP": PALETTE[5], "LN": PALETTE[4]},
}


def wires(
    branch: Sequence[str],
    after: Sequence[str] = (),
    ax: Axes | None = None,
    title: str = "",
    projected: Mapping[str, int] | None = None,
) -> Axes:
    """Draw one module, its input at the left, and return the Axes.

    Args:
        branch: the parts of the branch in order, names of ``PARTS``, such as ("BN", "ReLU",
            "conv"); of a transformer ("LN", "attention or MLP").
        after: the parts after the addition, on the shortcut's wire.
        ax: Axes to draw on; None makes a figure.
        title: the figure's message.
        projected: where a projection on the shortcut could start: dict from a name of the place to
            the number of parts of the branch before it, such as {"raw": 0, "activated": 2}.

    The shortcut is a bold solid line if it is the identity and no part follows the addition, else a
    thin dashed one.
    """
    ax = axes_or_new(ax)
    plus, end = len(branch) + 1, len(branch) + len(after) + 2
    solid: dict[str, Any] = {"color": RESIDUAL, "linewidth": 5, "solid_capstyle": "butt"}
    dashed: dict[str, Any] = {"color": SOFT, "linewidth": 2, "linestyle": "--"}
    if projected:
        _project(ax, projected, end, dashed)
    else:
        ax.plot([0, end], [1, 1], **(dashed if after else solid), zorder=1)
    ax.plot([0.3, 0.3, plus, plus], [1, 0, 0, 1], color=INK, linewidth=1, zorder=0)
    ax.text(plus, 1, "+", ha="center", va="center", bbox={"boxstyle": "circle", "fc": "white"})
    boxes: list[tuple[float, int, str]] = [(x, 0, part) for x, part in enumerate(branch, start=1)]
    boxes += [(_projection(projected), 1, "conv")] if projected else []
    boxes += [(x, 1, part) for x, part in enumerate(after, start=plus + 1)]
    for x, y, part in boxes:
        style = {"boxstyle": "round", "fc": PARTS[part], "ec": INK}
        word = part.replace(" or ", "\nor ")
        ax.text(x, y, word, ha="center", va="center", fontsize=SMALL, color=INK, bbox=style)
    write_title(ax, title)
    ax.set(xlim=(-0.2, max(8.2, end + 0.2)), ylim=(-0.6, 1.6))
    ax.axis("off")
    return ax


def _projection(places: Mapping[str, int]) -> float:
    """Where its box stands, from the left: above the last place."""
    return max(2, *places.values()) + 0.5


def _project(ax: Axes, places: Mapping[str, int], end: int, dashed: Mapping[str, Any]) -> None:
    """Draw the ways from each place to the projection, and from there to the end."""
    box = _projection(places)
    ax.plot([0, 0.3], [1, 1], color=INK, linewidth=1, zorder=0)
    ax.plot([box, end], [1, 1], color=INK, linewidth=1, zorder=0)
    for name, parts in places.items():
        x, y, side = (parts + 0.5, 0, -1) if parts else (0.3, 1, 1)
        ax.plot([x, box], [y, 1], **dashed, zorder=0)
        ax.plot(x, y, "o", color=RESIDUAL, markersize=8)
        place = "center" if parts else "left"
        ax.text(x, y + 0.4 * side, escaped(name), ha=place, va="center", fontsize=SMALL, color=INK)


ACCENT = HUES[2]  # of the widgets' controls


def to_scale(
    parts: Sequence[Any],
    image: tuple[int, int, int],
    picked: str = "",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw a network's feature maps to scale, input side first, and return the Axes.

    A box is as high as its map and as wide as it has channels, as far as it can be seen; a stage
    is as many boxes as it has modules, or one where those would be too thin. Many parts have their
    names alone, without their sizes.

    Args:
        parts: as ``networks.cost.parts`` gives them.
        image: (height, width, channels) of the input.
        picked: the part that is in colour, by its name.
        ax: Axes to draw on; None makes a figure.
        title: the figure's message.
    """
    ax = axes_or_new(ax)
    boxes = [("image", 1, *image)]
    boxes += [(p.name, max(1, p.modules), p.height, p.width, p.channels) for p in parts]
    whole = sum(count * channels for _, count, _, _, channels in boxes)
    thinnest, narrowest, gap = 0.006 * whole, 0.07 * whole, 0.012 * whole
    # The names lie in rows, so that neighbours have room.
    few = len(boxes) < 12
    rows, lines = (3, 2) if few else (6, 1)
    left = 0.0
    for index, (name, count, height, width, channels) in enumerate(boxes):
        color = ACCENT if name == picked else EDGE
        wide = max(count * channels, thinnest)
        drawn = count if wide / count >= thinnest else 1
        column = max(wide, narrowest)
        for box in range(drawn):
            corner = (left + (column - wide) / 2 + box * wide / drawn, -height / 2)
            look = {"fc": color, "ec": GROUND, "lw": 0.5}
            ax.add_patch(plt.Rectangle(corner, wide / drawn, height, **look))
        size = f"{channels}" if name == "classifier" else f"{height}×{width}×{channels}"
        ink = ACCENT if name == picked else INK
        looks = (
            {"color": ink, "fontsize": NAME, "fontweight": "bold"},
            {"color": SOFT, "fontsize": SMALL},
        )
        texts = (_part_name(name), size)[:lines]
        for line, (text, words) in enumerate(zip(texts, looks, strict=False)):
            place = left + column / 2, -0.06 - 0.065 * (lines * (index % rows) + line)
            foot = ax.get_xaxis_transform()
            ax.text(*place, escaped(text), transform=foot, ha="center", **words)
        left += column + gap
    tallest = max(height for _, _, height, _, _ in boxes)
    write_title(ax, title)
    ax.set(xlim=(-gap, left), ylim=(-0.55 * tallest, 0.55 * tallest))
    ax.axis("off")
    return ax


def _part_name(name: str) -> str:
    """A part as the builder's page calls it."""
    known = {"pooled": "pool", "classifier": "classes"}
    return known.get(name, re.sub(r"(?<=^stage)(?=\d+$)", " ", name))


def lesions(
    modules: Sequence[str],
    deleted: Sequence[str],
    accuracy: float,
    whole: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw a network without some of its modules and what it still knows, and return the Axes.

    The wire is straight, with the branches of the modules below it, and under that is a bar. Where
    a later stage begins, a 1x1 convolution stands on the wire.

    Args:
        modules: their names, input side first, such as "stage1_unit2".
        deleted: those that are gone.
        accuracy: a share of the test images, without these modules.
        whole: the same of the whole network.
        ax: Axes to draw on; None makes a figure.
    """
    ax = panels(1, 1, 7, 2.5)[0, 0] if ax is None else ax
    end = len(modules)
    ax.plot([0, end], [1, 1], color=RESIDUAL, linewidth=4, solid_capstyle="butt")
    stages: dict[str, list[float]] = {}
    for left, name in enumerate(modules):
        stage, numbered, unit = name.replace("stage", "stage ").partition("_unit")
        stages.setdefault(stage if numbered else "", []).append(left + 0.5)
        _draw_branch(ax, left, unit or name, name in deleted)
        if unit == "1" and stage != "stage 1":
            box = {"boxstyle": "square,pad=0.3", "fc": GROUND, "ec": RESIDUAL, "lw": 1.5}
            ax.text(left + 0.5, 1, "1×1", fontsize=SMALL, **CENTRED, bbox=box)
    bold = {"fontweight": "bold", "color": INK}
    for name, places in stages.items():
        ax.text(np.mean(places), 1.5, escaped(name), fontsize=NAME, ha="center", **bold)
    ax.text(0, 1.5, "image", fontsize=SMALL, color=SOFT)
    ax.text(end, 1.5, "class", fontsize=SMALL, color=SOFT, ha="right")
    bars: list[tuple[float, dict[str, Any]]] = [
        (1, {"fc": "none", "ec": HAIR}),
        (whole, {"fc": HAIR}),
        (accuracy, {"fc": RESIDUAL}),
    ]
    for share, look in bars:
        ax.add_patch(plt.Rectangle((0, -1.9), share * end, 0.5, **look))
    ax.plot(2 * [whole * end], [-1.9, -1.4], color=INK, linewidth=1.5)
    ax.text(0, -1.3, f"Accuracy: {100 * accuracy:.1f} %", fontsize=TITLE, **bold)
    beside = f"whole network: {100 * whole:.1f} %"
    ax.text(end, -1.3, beside, fontsize=SMALL, color=SOFT, ha="right")
    ax.set(xlim=(-0.05, end + 0.05), ylim=(-2, 1.9))
    ax.axis("off")
    return ax


CENTRED = {"ha": "center", "va": "center"}


def _draw_branch(ax: Axes, left: float, name: str, gone: bool) -> None:
    """Draw a module's branch below the wire, or where it was."""
    look = {"fc": "#c7dde9", "ec": RESIDUAL}  # a tint of the same blue
    if gone:
        look = {"fc": GROUND, "ec": EDGE, "ls": "--"}
    else:
        branch = left + np.array([0.2, 0.2, 0.8, 0.8])
        ax.plot(branch, [1, 0, 0, 1], color=INK, linewidth=1.5)
        plus = {"boxstyle": "circle,pad=0.1", "fc": GROUND, "ec": INK}
        ax.text(branch[-1], 1, "+", fontsize=SMALL, **CENTRED, bbox=plus)
    words = {"fontsize": NAME, "color": SOFT if gone else INK, **CENTRED}
    ax.text(left + 0.5, 0, escaped(name), **words, bbox={"boxstyle": "round,pad=0.5", **look})
