"""Measures by layer and step as heat maps, and pictures in rows."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from .style import (
    EDGE,
    GROUND,
    INK,
    SMALL,
    SOFT,
    WRONG,
    FewPowers,
    Powers,
    axes_or_new,
    colours,
    escaped,
    panels,
    write_title,
)


def heat_map(
    values: np.ndarray,
    steps: ArrayLike,
    layers: Sequence[str] | np.ndarray,
    ax: Axes | None = None,
    label: str = "size of the gradient",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw a measure by layer and training step on a logarithmic colour scale; return the Axes.

    Args:
        values: (layers, steps) not negative; the first layer is drawn on top.
        steps: (steps,) rising step numbers.
        layers: the layers' names.
        ax: Axes to draw on; None makes a figure.
        label: of the colour bar.
        limits: (least, largest) of the colours; None takes them from the values.

    A logarithm has no zero: cells that are exactly 0 are white, NaN and infinite ones red,
    those that are masked, as of a frozen layer, grey, and the legend says so where there are any.
    """
    ax = axes_or_new(ax)
    frozen = np.ma.getmaskarray(values)
    values, steps = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan), np.asarray(steps)
    shown = np.isfinite(values) & (values > 0)
    low, high = limits or _limits(values[shown])
    colors = plt.get_cmap("viridis").with_extremes(under=GROUND, over=FROZEN, bad=WRONG)
    cells = np.select([shown, values == 0, frozen], [values, low / 2, high * 2], np.nan)
    # A cell reaches up to the next recorded step, the last one as far as the one before it.
    width = steps[-1] - steps[-2] if len(steps) > 1 else 1
    edges = np.append(steps, steps[-1] + width) - 0.5
    image = ax.pcolormesh(
        edges, np.arange(len(layers) + 1) - 0.5, cells, cmap=colors, norm=LogNorm(low, high)
    )
    _draw_key(ax, image, label)
    off_scale = [
        ("exactly 0", GROUND, values == 0),
        ("NaN or infinite", WRONG, ~np.isfinite(values) & ~frozen),
        ("frozen", FROZEN, frozen),
    ]
    patches = [Patch(fc=color, ec=INK, label=text) for text, color, at in off_scale if at.any()]
    if patches:
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 3}
        dense = {"handlelength": 1, "columnspacing": 1, "borderpad": 0.2}
        ax.legend(handles=patches, fontsize=SMALL, frameon=False, **place, **dense)
    every = -(-len(layers) // 16)  # more names than that would overlap
    names = [escaped(layer) for layer in layers[::every]]
    ax.set_yticks(range(0, len(layers), every), names)
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    ax.tick_params(colors=EDGE, labelcolor=SOFT, labelsize=SMALL)
    ax.tick_params(axis="y", length=0)
    locator: Any = ax.xaxis.get_major_locator()
    locator.set_params(integer=True, nbins=5)
    ax.set_xlabel("training step", color=SOFT, fontsize=SMALL)
    return ax


FROZEN = "#a9b3bd"


def _draw_key(ax: Axes, image: Any, label: str) -> None:
    """Draw the scale of a heat map's colours, what they measure written above it."""
    bar = ax.get_figure(root=True).colorbar(image, ax=ax, ticks=FewPowers(), format=Powers())
    bar.minorticks_off()
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=EDGE, labelcolor=SOFT, labelsize=SMALL)
    words = textwrap.fill(escaped(label), 18)
    bar.ax.set_title(words, loc="right", fontsize=SMALL, color=INK, pad=8)


def _limits(values: np.ndarray) -> tuple[float, float]:
    """The least and the largest value, made to differ: a scale needs two ends."""
    low, high = (values.min(), values.max()) if len(values) else (1.0, 1.0)
    return (low / 2, high * 2) if low == high else (low, high)


def heat_maps(
    maps: Mapping[str, tuple[Any, Any, Any]], label: str = "size of the gradient"
) -> Axes:
    """Draw heat maps side by side on one colour scale, and return the first one's Axes.

    Args:
        maps: dict from a name to (values, steps, layers), as ``heat_map`` takes them.
        label: of the colour bars.
    """
    axes = panels(1, len(maps), 2 + 4.5 * len(maps), 4)[0]
    values = np.concatenate([np.ravel(values) for values, _, _ in maps.values()])
    limits = _limits(values[np.isfinite(values) & (values > 0)])
    for ax, color, (name, heat) in zip(axes, colours(maps), maps.items(), strict=True):
        heat_map(*heat, ax, label, limits)
        write_title(ax, name, 24 if ax.get_legend() else 8, color=color)
    return axes[0]


def empty_maps(names: Iterable[str]) -> Axes:
    """Draw where heat maps will be, and what they will show; return the first one's Axes."""
    names = list(names)
    axes = panels(1, len(names), 4.5 * len(names), 1.2)[0]
    for ax, color, name in zip(axes, colours(names), names, strict=True):
        ax.spines[:].set_color(EDGE)
        ax.grid(False)
        ax.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        words = "Run this cell, then press Start:\nthe layers appear here, step by step."
        ax.text(0.5, 0.5, words, ha="center", va="center", color=SOFT, transform=ax.transAxes)
        write_title(ax, name, 8, color=color)
    return axes[0]


def pictures(images: Sequence[Any] | np.ndarray, captions: Sequence[str]) -> Axes:
    """Draw images with a caption over each, six in a row, and return the first one's Axes.

    Args:
        images: (n, H, W, C) in [0, 1].
        captions: n strings.
    """
    rows = -(-len(images) // 6)
    axes = panels(rows, 6, 9, 1.9 * rows).ravel()
    for ax in axes:
        ax.axis("off")
    for ax, image, caption in zip(axes, images, captions, strict=False):
        ax.imshow(image, cmap="gray")
        ax.set_title(escaped(caption), fontsize=SMALL, color=INK)
    return axes[0]
