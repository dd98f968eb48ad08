"""Measures as curves, by layer, by epoch, over seeds; and as dots."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .maps import heat_map
from .names import FOOT, HEAD, Curve, name_curves
from .style import (
    DASHES,
    LINE,
    MARKERS,
    axes_or_new,
    colours,
    escaped,
    finish,
    logarithmic,
    panels,
)


def gradient_curves(
    curves: Mapping[str, Any],
    ax: Axes | None = None,
    ylabel: str = "size of the gradient",
    title: str = "",
    xlabel: str = "layer (1 is nearest the input)",
) -> Axes:
    """Draw norms by layer on a log axis and return the Axes.

    Args:
        curves: dict from label to an array (layers,) of norms, input side first; or to a pair
            of layers, counted from 1, and their norms.
        ax: Axes to draw on; None makes a figure.
        ylabel: what is measured, written above the axis.
        title: the figure's message.
        xlabel: of the axis.

    A log axis has no zero: exact zeros stand at its foot as hollow triangles pointing down,
    infinite or undefined norms at its head pointing up.
    """
    ax = axes_or_new(ax)
    ax.set_yscale("log")
    drawn: list[Curve] = []
    off_axis = []
    for index, (color, (label, curve)) in enumerate(_in_colour(curves)):
        pair = curve if isinstance(curve, tuple) else (range(1, len(curve) + 1), curve)
        layers, norms = np.asarray(pair[0]), np.asarray(pair[1], dtype=float)
        shown = np.isfinite(norms) & (norms > 0)
        every = _mark_every(len(norms))
        _draw_curve(ax, index, color, label, layers[shown], norms[shown], every)
        drawn += _ends(label, color, layers, norms)
        off_axis += [
            (layers[norms == 0][::every], FOOT, "v", color),
            (layers[~np.isfinite(norms)][::every], HEAD, "^", color),
        ]
    for layers, height, marker, color in off_axis:
        # x in layers, y as a share of the axis: the edge, wherever the limits end up.
        ax.plot(
            layers,
            np.full(len(layers), height),
            marker,
            color=color,
            markerfacecolor="none",
            transform=ax.get_xaxis_transform(),
        )
    _whole_numbers(ax)
    logarithmic(ax.yaxis)
    indent = name_curves(ax, drawn, either_end=True)
    return finish(ax, xlabel, ylabel, title, indent=indent)


def training_curves(
    curves: Mapping[str, Any],
    ax: Axes | None = None,
    ylabel: str = "training accuracy",
    title: str = "",
) -> Axes:
    """Draw a measure by epoch and return the Axes; ``curves``: label -> array (epochs,)."""
    ax = axes_or_new(ax)
    drawn: list[Curve] = []
    for index, (color, (label, values)) in enumerate(_in_colour(curves)):
        epochs = np.arange(1, len(values) + 1)
        _draw_curve(ax, index, color, label, epochs, values, _mark_every(len(values)))
        drawn += _ends(label, color, epochs, values)
    _whole_numbers(ax)
    name_curves(ax, drawn)
    return finish(ax, "epoch", ylabel, title)


def training_run(history: Sequence[Mapping[str, Any]], layers: Sequence[str]) -> Axes:
    """Draw a training run, its accuracies and its gradients by epoch, and return the first Axes.

    Args:
        history: a list of dicts, one an epoch: ``accuracy``, ``test_accuracy`` and
            ``gradient_norm``, a list by layer.
        layers: the layers' names.
    """
    left, right = panels(1, 2, 10, 3.8)[0]
    curves = {
        "training": [row["accuracy"] for row in history],
        "test": [row["test_accuracy"] for row in history],
    }
    training_curves(curves, left, ylabel="accuracy")
    norms = np.transpose([row["gradient_norm"] for row in history])
    heat_map(norms, np.arange(1, len(history) + 1), layers, right)
    right.set_xlabel("epoch")
    return left


def bands(
    curves: Mapping[str, tuple[Any, Any]],
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    log: bool = False,
    title: str = "",
) -> Axes:
    """Draw the mean over seeds as a line, its least to its largest as a band; return the Axes.

    Args:
        curves: dict from label to (x, values): (n,) and (n, seeds).
        ax: Axes to draw on; None makes a figure.
        xlabel: of the axis.
        ylabel: what is measured, written above the axis.
        log: a logarithmic vertical axis; the mean is then that of the logarithms.
        title: the figure's message.

    Raises:
        ValueError: a value that a logarithmic axis cannot hold.
    """
    ax = axes_or_new(ax)
    drawn: list[Curve] = []
    for index, (color, (label, (x, seeds))) in enumerate(_in_colour(curves)):
        values = np.asarray(seeds, dtype=float)
        if log and not (values > 0).all():
            raise ValueError(
                f"{label} must be positive on a logarithmic axis, received {values.min()}"
            )
        middle = np.exp(np.log(values).mean(axis=1)) if log else values.mean(axis=1)
        _draw_curve(ax, index, color, label, x, middle, _mark_every(len(x)))
        least, largest = values.min(axis=1), values.max(axis=1)
        ax.fill_between(x, least, largest, color=color, alpha=0.2, lw=0)
        drawn += _ends(label, color, x, middle)
    if log:
        ax.set_yscale("log")
        logarithmic(ax.yaxis)
    if all(np.asarray(x).dtype.kind == "i" for x, _ in curves.values()):
        _whole_numbers(ax)
    indent = name_curves(ax, drawn, either_end=log)
    return finish(ax, xlabel, ylabel, title, indent=indent)


def dots(
    groups: Mapping[str, Any], ax: Axes | None = None, xlabel: str = "", title: str = ""
) -> Axes:
    """Draw each value as a dot, a group in a row, the first on top, and return the Axes.

    Args:
        groups: dict from label to an array (n,), such as one value a seed.
        ax: Axes to draw on; None makes a figure.
        xlabel: of the axis.
        title: the figure's message.
    """
    ax = axes_or_new(ax)
    for row, (color, (_, values)) in enumerate(_in_colour(groups)):
        marker = MARKERS[row % len(MARKERS)]
        ax.plot(values, np.full(len(values), row), marker, color=color, alpha=0.6, clip_on=False)
    finish(ax, xlabel, "", title, grid="both")
    ax.set_yticks(range(len(groups)), [escaped(label) for label in groups])
    ax.set_ylim(len(groups) - 0.5, -0.5)
    return ax


def _in_colour(curves: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Each curve, as (label, curve), with its colour before it."""
    return zip(colours(curves), curves.items(), strict=True)


def _whole_numbers(ax: Axes) -> None:
    """Ticks at whole numbers alone: there is no half layer. A caller's own ticks stay."""
    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, MaxNLocator):
        locator.set_params(integer=True)


def _mark_every(count: int) -> int:
    """About a dozen marks on a curve, however many points it has."""
    return max(1, count // 12)


def _draw_curve(
    ax: Axes, index: int, color: str, label: object, x: Any, y: Any, every: int
) -> None:
    """Draw a line with its own dash, and its own marker at one point in ``every``."""
    marker, dash = MARKERS[index % len(MARKERS)], DASHES[index % len(DASHES)]
    ax.plot(
        *(x, y),
        color=color,
        label=escaped(label),
        linestyle=dash,
        linewidth=LINE,
        marker=marker,
        markevery=every,
        markersize=5,
    )


def _ends(label: str, color: str, x: Any, y: Any) -> list[Curve]:
    """What is needed to name a curve; nothing for one without points."""
    points = list(zip(x, y, strict=True))
    return [Curve(label, color, points[0], points[-1])] if points else []
