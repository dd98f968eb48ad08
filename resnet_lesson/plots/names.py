"""Names at the ends of curves, in the curves' colours, that keep apart from each other."""

import textwrap
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from .style import GROUND, NAME, SMALL, escaped

MOST = 3  # more curves than this have a legend
WIDTH = 24  # letters in a line of a name
GAP = 1.3 * NAME  # from a line to the next, in points
BESIDE = 7  # from a curve to its name, in points


class Curve(NamedTuple):
    """A curve that was drawn: its first and its last point, as (x, y)."""

    label: str
    color: str
    first: tuple[float, float]
    last: tuple[float, float]


def name_curves(ax: Axes, curves: list[Curve], either_end: bool = False) -> float:
    """Write each curve's name at its end, or a legend if they are many.

    Args:
        ax: with the curves drawn, and scales set.
        curves: those that are to be named.
        either_end: at the beginning, if the curves are further apart there than at the end.

    Returns:
        The points that must be free at the left of the Axes.
    """
    if len(curves) > MOST:
        ax.legend(fontsize=SMALL, frameon=False)
        return 0
    ends = [curve.last for curve in curves]
    starts = [curve.first for curve in curves]
    at_left = either_end and _apart(ax, starts) > _apart(ax, ends)
    points = starts if at_left else ends
    names = [_Name(ax, *pair, at_left) for pair in zip(curves, points, strict=True)]
    for name in names:
        ax.add_artist(name).set_clip_on(False)  # it stands outside the Axes
    figure = ax.get_figure(root=True)
    wide = max((name.get_window_extent().width * 72 / figure.dpi for name in names), default=0)
    wide += BESIDE
    if figure.get_layout_engine() is None and len(figure.axes) == 1:
        _make_room(ax, wide / 72 / figure.get_figwidth(), at_left)
    return wide if at_left else 0


def _make_room(ax: Axes, share: float, at_left: bool) -> None:
    """Take this share of the figure's width from Axes whose margins nothing else measures."""
    box = ax.get_position()
    margins = {"left": box.x0 + share} if at_left else {"right": box.x1 - share}
    ax.get_figure(root=True).subplots_adjust(**margins)


def _apart(ax: Axes, points: list[tuple[float, float]]) -> float:
    """The least distance between neighbours in height, in pixels."""
    ax.get_ylim()  # lets matplotlib settle the limits
    places = (_place(ax, point) for point in points)
    heights = sorted(transform.transform(at)[1] for transform, at in places)
    return float(min(np.diff(heights), default=0))


def _place(ax: Axes, point: tuple[float, float]) -> tuple[Any, tuple[float, float]]:
    """A point as a transform and its coordinates: at an edge, where the axis has no such value."""
    x, y = point
    if ax.get_yscale() == "log" and y == 0:
        return ax.get_xaxis_transform(), (x, FOOT)
    if not np.isfinite(y):
        return ax.get_xaxis_transform(), (x, HEAD)
    return ax.transData, point


FOOT, HEAD = 0.02, 0.98  # the heights at which zeros, and what is infinite or no number, stand


class _Name(Annotation):
    """A curve's name. All names of the Axes are moved apart when one is drawn or measured: only
    then the scale and the size are known."""

    def __init__(self, ax: Axes, curve: Curve, point: tuple[float, float], at_left: bool) -> None:
        transform, at = _place(ax, point)
        super().__init__(
            textwrap.fill(escaped(curve.label), WIDTH),
            at,
            xycoords=transform,
            xytext=(-BESIDE if at_left else BESIDE, 0),
            textcoords="offset points",
            annotation_clip=False,
            color=curve.color,
            fontsize=NAME,
            fontweight="bold",
            bbox={"fc": GROUND, "ec": "none", "pad": 1},  # no line runs through it
            ha="right" if at_left else "left",
            va="center",
        )

    def update_positions(self, renderer: Any) -> None:
        names = [text for text in self.axes.texts if isinstance(text, _Name)]
        gap = GAP * max(1 + name.get_text().count("\n") for name in names)
        points = 72 / self.get_figure(root=True).dpi
        heights = [points * name.xycoords.transform(name.xy)[1] for name in names]
        for name, height, free in zip(names, heights, spread(heights, gap), strict=True):
            offset = name.xyann[0], free - height
            if not np.allclose(offset, name.xyann, atol=0.01):  # a change asks for a new drawing
                name.xyann = offset
        super().update_positions(renderer)


def spread(heights: list[float], gap: float) -> np.ndarray:
    """Heights moved as little as can be, in their order, so that neighbours are a gap apart."""
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(heights))
    free = np.empty(len(heights))
    free[order] = _rising(np.array(heights)[order] - steps) + steps
    return free


def _rising(values: np.ndarray) -> np.ndarray:
    """The numbers next to these, by least squares, of which none is below the one before it."""
    count = len(values)
    return np.array(
        [
            max(
                min(values[first:end].mean() for end in range(at + 1, count + 1))
                for first in range(at + 1)
            )
            for at in range(count)
        ]
    )
