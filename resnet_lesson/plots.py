"""Numbers and Axes in, a drawing out; each picture has its text equivalent."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Patch
from numpy.typing import ArrayLike
from PIL import Image

from .output import without_surrogates

# Okabe and Ito's colours, told apart with any colour vision; each goes with its own marker.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def _new_axes(rows: int, columns: int, width: float, height: float) -> np.ndarray:
    """(rows, columns) Axes of a new figure, of this width and height in inches."""
    # A white background keeps black text readable on a dark theme.
    options: dict[str, Any] = {"layout": "constrained", "facecolor": "white"}
    _, axes = plt.subplots(rows, columns, squeeze=False, figsize=(width, height), **options)
    return axes


def _axes(ax: Axes | None) -> Axes:
    return _new_axes(1, 1, 7, 3.6)[0, 0] if ax is None else ax


def _escaped(text: object) -> str:
    """A user's text, such that matplotlib draws it as it is.

    A dollar would begin a formula, and a leading underscore hides a curve from the legend; after a
    character of zero width it does not.
    """
    escaped: str = without_surrogates(str(text))
    if escaped.startswith("_"):
        escaped = f"\N{ZERO WIDTH SPACE}{escaped}"
    return escaped.replace("$", r"\$") if plt.rcParams["text.parse_math"] else escaped


def _style(index: int) -> tuple[str, str]:
    """Colour and marker of the curve with this index."""
    return PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]


def _mark_every(count: int) -> int:
    """About a dozen marks on a curve, however many points it has."""
    return max(1, count // 12)


def _draw_curve(ax: Axes, index: int, label: object, x: Any, y: Any, every: int) -> None:
    """Draw a line in its style, with a marker at one point in ``every``."""
    color, marker = _style(index)
    ax.plot(x, y, color=color, marker=marker, markevery=every, label=_escaped(label))


def _finish(ax: Axes, xlabel: str, ylabel: str) -> Axes:
    """Label the axes, and add a grid and a legend."""
    ax.set(xlabel=_escaped(xlabel), ylabel=_escaped(ylabel))
    ax.grid(alpha=0.3)
    ax.legend(fontsize="small")
    return ax


def quick_axes() -> Axes:
    """Axes whose margins are fixed, not measured: a picture on them takes half the time."""
    figure, ax = plt.subplots(figsize=(7, 3.6), facecolor="white")
    figure.subplots_adjust(left=0.12, right=0.98, bottom=0.14, top=0.96)
    return ax


def gradient_curves(
    curves: Mapping[str, Any], ax: Axes | None = None, ylabel: str = "gradient norm"
) -> Axes:
    """Draw norms by layer on a log axis and return the Axes.

    Args:
        curves: dict from label to an array (layers,) of norms, input side first; or to a pair
            of layers, counted from 1, and their norms.
        ax: Axes to draw on; None makes a figure.
        ylabel: of the axis.

    A log axis has no zero: exact zeros stand at its foot as hollow triangles pointing down,
    infinite or undefined norms at its head pointing up.
    """
    ax = _axes(ax)
    ax.set_yscale("log")
    off_axis = []
    for index, (label, curve) in enumerate(curves.items()):
        pair = curve if isinstance(curve, tuple) else (range(1, len(curve) + 1), curve)
        layers, norms = np.asarray(pair[0]), np.asarray(pair[1], dtype=float)
        shown = np.isfinite(norms) & (norms > 0)
        every, color = _mark_every(len(norms)), _style(index)[0]
        _draw_curve(ax, index, label, layers[shown], norms[shown], every)
        off_axis += [
            (layers[norms == 0][::every], 0.02, "v", color),
            (layers[~np.isfinite(norms)][::every], 0.98, "^", color),
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
    locator: Any = ax.xaxis.get_major_locator()
    locator.set_params(integer=True)
    return _finish(ax, "layer (1 is nearest the input)", ylabel)


def training_curves(
    curves: Mapping[str, Any], ax: Axes | None = None, ylabel: str = "training accuracy"
) -> Axes:
    """Draw a measure by epoch and return the Axes; ``curves``: label -> array (epochs,)."""
    ax = _axes(ax)
    for index, (label, values) in enumerate(curves.items()):
        epochs = np.arange(1, len(values) + 1)
        _draw_curve(ax, index, label, epochs, values, _mark_every(len(values)))
    return _finish(ax, "epoch", ylabel)


def training_run(history: Sequence[Mapping[str, Any]], layers: Sequence[str]) -> Axes:
    """Draw a training run, its accuracies and its gradients by epoch, and return the first Axes.

    Args:
        history: a list of dicts, one an epoch: ``accuracy``, ``test_accuracy`` and
            ``gradient_norm``, a list by layer.
        layers: the layers' names.
    """
    left, right = _new_axes(1, 2, 10, 3.8)[0]
    curves = {
        "training": [row["accuracy"] for row in history],
        "test": [row["test_accuracy"] for row in history],
    }
    training_curves(curves, left, ylabel="accuracy")
    norms = np.transpose([row["gradient_norm"] for row in history])
    heat_map(norms, np.arange(1, len(history) + 1), layers, right)
    right.set(xlabel="epoch")
    return left


def bands(
    curves: Mapping[str, tuple[Any, Any]],
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    log: bool = False,
) -> Axes:
    """Draw the mean over seeds as a line, its least to its largest as a band; return the Axes.

    Args:
        curves: dict from label to (x, values): (n,) and (n, seeds).
        ax: Axes to draw on; None makes a figure.
        xlabel, ylabel: of the axes.
        log: a logarithmic vertical axis; the mean is then that of the logarithms.

    Raises:
        ValueError: a value that a logarithmic axis cannot hold.
    """
    ax = _axes(ax)
    for index, (label, (x, seeds)) in enumerate(curves.items()):
        values = np.asarray(seeds, dtype=float)
        if log and not (values > 0).all():
            raise ValueError(
                f"{label} must be positive on a logarithmic axis, received {values.min()}"
            )
        middle = np.exp(np.log(values).mean(axis=1)) if log else values.mean(axis=1)
        _draw_curve(ax, index, label, x, middle, _mark_every(len(x)))
        least, largest = values.min(axis=1), values.max(axis=1)
        ax.fill_between(x, least, largest, color=_style(index)[0], alpha=0.2, lw=0)
    ax.set_yscale("log" if log else "linear")
    return _finish(ax, xlabel, ylabel)


def dots(groups: Mapping[str, Any], ax: Axes | None = None, xlabel: str = "") -> Axes:
    """Draw each value as a dot, a group in a row, the first on top, and return the Axes.

    Args:
        groups: dict from label to an array (n,), such as one value a seed.
        ax: Axes to draw on; None makes a figure.
        xlabel: of the axis.
    """
    ax = _axes(ax)
    for row, values in enumerate(groups.values()):
        color, marker = _style(row)
        ax.plot(values, np.full(len(values), row), marker, color=color, alpha=0.6, clip_on=False)
    ax.set_yticks(range(len(groups)), [_escaped(label) for label in groups])
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.set(xlabel=_escaped(xlabel))
    ax.grid(alpha=0.3)
    return ax


def heat_map(
    values: np.ndarray,
    steps: ArrayLike,
    layers: Sequence[str] | np.ndarray,
    ax: Axes | None = None,
    label: str = "gradient norm",
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

    A logarithm has no zero: cells that are exactly 0 are white, NaN and infinite ones vermilion,
    those that are masked, as of a frozen layer, grey, and the legend says so where there are any.
    """
    ax = _axes(ax)
    frozen = np.ma.getmaskarray(values)
    values, steps = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan), np.asarray(steps)
    shown = np.isfinite(values) & (values > 0)
    low, high = limits or _limits(values[shown])
    colors = plt.get_cmap("viridis").with_extremes(under="white", over="grey", bad=PALETTE[1])
    cells = np.select([shown, values == 0, frozen], [values, low / 2, high * 2], np.nan)
    # A cell reaches up to the next recorded step, the last one as far as the one before it.
    width = steps[-1] - steps[-2] if len(steps) > 1 else 1
    edges = np.append(steps, steps[-1] + width) - 0.5
    image = ax.pcolormesh(
        edges, np.arange(len(layers) + 1) - 0.5, cells, cmap=colors, norm=LogNorm(low, high)
    )
    ax.figure.colorbar(image, ax=ax, label=_escaped(label))
    off_scale = [
        ("exactly 0", "white", values == 0),
        ("NaN or infinite", PALETTE[1], ~np.isfinite(values) & ~frozen),
        ("frozen", "grey", frozen),
    ]
    patches = [Patch(fc=color, ec="black", label=text) for text, color, at in off_scale if at.any()]
    if patches:
        ax.legend(
            handles=patches, fontsize="small", ncols=3, loc="lower right", bbox_to_anchor=(1, 1)
        )
    every = -(-len(layers) // 20)  # more names than that would overlap
    names = [_escaped(layer) for layer in layers[::every]]
    ax.set_yticks(range(0, len(layers), every), names, fontsize="x-small")
    ax.invert_yaxis()
    ax.set(xlabel="training step")
    return ax


def _limits(values: np.ndarray) -> tuple[float, float]:
    """The least and the largest value, made to differ: a scale needs two ends."""
    low, high = (values.min(), values.max()) if len(values) else (1.0, 1.0)
    return (low / 2, high * 2) if low == high else (low, high)


def heat_maps(maps: Mapping[str, tuple[Any, Any, Any]], label: str = "gradient norm") -> Axes:
    """Draw heat maps side by side on one colour scale, and return the first one's Axes.

    Args:
        maps: dict from a name to (values, steps, layers), as ``heat_map`` takes them; empty
            before a training.
        label: of the colour bars.
    """
    if not maps:
        ax = _axes(None)
        ax.text(0.5, 0.5, "not trained yet", ha="center", fontsize="large")
        ax.axis("off")
        return ax
    axes = _new_axes(1, len(maps), 2 + 4.5 * len(maps), 4)[0]
    values = np.concatenate([np.ravel(values) for values, _, _ in maps.values()])
    limits = _limits(values[np.isfinite(values) & (values > 0)])
    for ax, (name, (values, steps, layers)) in zip(axes, maps.items(), strict=True):
        heat_map(values, steps, layers, ax, label, limits)
        ax.set_title(_escaped(name))
    return axes[0]


def pictures(images: Sequence[Any] | np.ndarray, captions: Sequence[str]) -> Axes:
    """Draw images with a caption over each, six in a row, and return the first one's Axes.

    Args:
        images: (n, H, W, C) in [0, 1].
        captions: n strings.
    """
    rows = -(-len(images) // 6)
    axes = _new_axes(rows, 6, 9, 1.9 * rows).ravel()
    for ax in axes:
        ax.axis("off")
    for ax, image, caption in zip(axes, images, captions, strict=False):
        ax.imshow(image, cmap="gray")
        ax.set_title(_escaped(caption), fontsize="small")
    return axes[0]


@contextlib.contextmanager
def closed_on_error() -> Iterator[None]:
    """Close the figures that the body opens and then fails to draw: a notebook would show them."""
    before = set(plt.get_fignums())
    try:
        yield
    except BaseException:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
        raise


def png(ax: Axes, colors: int | None = 256) -> bytes:
    """The figure of these Axes as PNG bytes; it is closed, so that it is not shown as well.

    The colours are reduced to so many: nobody sees that in a diagram, and a notebook is half as
    large. None keeps all.
    """
    buffer = io.BytesIO()
    figure: Any = ax.figure
    figure.savefig(buffer, format="png", dpi=80)
    plt.close(figure)
    if colors is None:
        return buffer.getvalue()
    reduced = io.BytesIO()
    picture = Image.open(buffer).convert("RGB").quantize(colors, dither=Image.Dither.NONE)
    picture.save(reduced, format="png", optimize=True)
    return reduced.getvalue()


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
    ax = _axes(ax)
    plus, end = len(branch) + 1, len(branch) + len(after) + 2
    solid: dict[str, Any] = {"color": PALETTE[0], "linewidth": 5, "solid_capstyle": "butt"}
    dashed: dict[str, Any] = {"color": PALETTE[1], "linewidth": 2, "linestyle": "--"}
    ax.plot([0, end], [1, 1], **(dashed if after else solid), zorder=1)
    ax.plot([0.3, 0.3, plus, plus], [1, 0, 0, 1], color="black", linewidth=1, zorder=0)
    ax.text(plus, 1, "+", ha="center", va="center", bbox={"boxstyle": "circle", "fc": "white"})
    boxes = [(x, 0, part) for x, part in enumerate(branch, start=1)]
    boxes += [(x, 1, part) for x, part in enumerate(after, start=plus + 1)]
    for x, y, part in boxes:
        style = {"boxstyle": "round", "fc": PARTS[part], "ec": "black"}
        word = part.replace(" or ", "\nor ")
        ax.text(x, y, word, ha="center", va="center", fontsize="small", bbox=style)
    ax.set_title(_escaped(title), loc="left", fontsize="small")
    ax.set(xlim=(-0.2, 8.2), ylim=(-0.6, 1.6))
    ax.axis("off")
    return ax


def to_scale(parts: Sequence[Any], image: tuple[int, int], ax: Axes | None = None) -> Axes:
    """Draw a network's feature maps to scale, input side first, and return the Axes.

    A box is as high as its map and as wide as it has channels; a stage is as many boxes as it has
    modules.

    Args:
        parts: as ``networks.cost.parts`` gives them.
        image: (height, channels) of the input.
        ax: Axes to draw on; None makes a figure.
    """
    ax = _axes(ax)
    boxes = [("image", 1, *image)]
    boxes += [(part.name, max(1, part.modules), part.height, part.channels) for part in parts]
    gap = 0.02 * sum(count * channels for _, count, _, channels in boxes)
    left = 0.0
    for index, (name, count, height, channels) in enumerate(boxes):
        color = PALETTE[0] if name.startswith("stage") else PALETTE[5]
        for box in range(count):
            corner = (left + box * channels, -height / 2)
            ax.add_patch(plt.Rectangle(corner, channels, height, fc=color, ec="white", lw=0.5))
        middle, row = left + count * channels / 2, -0.04 - 0.07 * (index % 3)
        foot = ax.get_xaxis_transform()
        ax.text(middle, row, _escaped(name), transform=foot, ha="center", fontsize="small")
        left += count * channels + gap
    tallest = max(height for _, _, height, _ in boxes)
    ax.set(xlim=(-gap, left), ylim=(-0.55 * tallest, 0.55 * tallest))
    ax.axis("off")
    return ax
