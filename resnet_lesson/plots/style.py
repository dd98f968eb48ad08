"""The look of all figures: the widgets' colours and sizes, light axes, a ground of their own.

The colours are those of the widgets' style sheet, ``widgets/chart/elements.css``, on a light page.
"""

import itertools
import re
from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import Formatter, Locator, MaxNLocator
from matplotlib.transforms import ScaledTranslation, Transform

from ..output import power, without_surrogates

INK, SOFT, EDGE, HAIR = "#1c2126", "#56616d", "#7c8791", "#e1e6ea"
GROUND, PLAIN, RESIDUAL, WRONG = "#ffffff", "#b84a00", "#0068a6", "#a5261d"
# What is neither plain nor residual takes one of these, in this order.
HUES = (INK, "#99427a", "#00745a", SOFT, "#7d6608")
# Okabe and Ito's colours, for areas; told apart with any colour vision.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Each curve has its own marker and dash, to be told apart without colour.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 3)))

DPI = 96  # so that a point is 4/3 of a page's pixel, and the sizes are those of the widgets
TITLE, NAME, SMALL = 11.25, 9.75, 9  # 15, 13 and 12 pixels
LINE = 2
MARGIN = 0.08  # round a figure, in inches


def colours(names: Iterable[object]) -> list[str]:
    """The colour of each curve: orange where its name says plain, blue for residual, else a hue.

    An order that begins with its letter, as "(b) BN after addition", has the same in all figures.
    """
    hues = itertools.cycle(HUES)
    return [_colour(str(name)) or next(hues) for name in names]


def _colour(name: str) -> str | None:
    kind = re.search(r"\b(plain|residual)\b", name)
    order = re.match(r"\(([a-e])\)(?: |$)", name)
    return KINDS[kind[0]] if kind else HUES["abcde".index(order[1])] if order else None


KINDS = {"plain": PLAIN, "residual": RESIDUAL}


def escaped(text: object) -> str:
    """A user's text, such that matplotlib draws it as it is.

    A dollar would begin a formula, and a leading underscore hides a curve from the legend; after a
    character of zero width it does not.
    """
    shown: str = without_surrogates(str(text))
    if shown.startswith("_"):
        shown = f"\N{ZERO WIDTH SPACE}{shown}"
    return shown.replace("$", r"\$") if plt.rcParams["text.parse_math"] else shown


MOST_OPEN = "figure.max_open_warning"  # matplotlib's name for it: 20, unless a user changes it
OURS = "resnet-lesson"  # the group id of the figures that are made here


def _let_go_of_oldest() -> None:
    """Close the oldest of these figures where pyplot would warn that too many are open.

    A notebook shows it then, and not at the end of its cell. Where windows are in sight, all stay.
    """
    inline = plt.get_backend().endswith("inline")
    in_sight = plt.isinteractive() and not inline
    numbers = plt.get_fignums()
    if in_sight or not 1 <= plt.rcParams[MOST_OPEN] <= len(numbers):
        return
    ours = (figure for figure in map(plt.figure, numbers) if figure.get_gid() == OURS)
    if oldest := next(ours, None):
        if inline:
            from IPython.display import display

            display(oldest)
        plt.close(oldest)


def _subplots(*shape: int, **options: Any) -> Any:
    """A new figure and its Axes, as ``plt.subplots`` returns them."""
    _let_go_of_oldest()
    figure, axes = plt.subplots(*shape, dpi=DPI, **options)
    figure.set_gid(OURS)
    return figure, axes


def panels(rows: int, columns: int, width: float, height: float, **options: Any) -> np.ndarray:
    """(rows, columns) Axes of a new figure, of this width and height in inches.

    pyplot holds the figure, for a notebook or ``plt.show()`` to show, until there are as many as
    ``figure.max_open_warning`` allows: then the oldest is closed, and can be saved still by who
    kept its Axes.

    ``options`` are those of ``plt.subplots``, such as ``sharey``.
    """
    x, y = MARGIN / width, MARGIN / height
    layout = ConstrainedLayoutEngine(rect=(x, y, 1 - 2 * x, 1 - 2 * y))
    options |= {"layout": layout, "squeeze": False}
    figure, axes = _subplots(rows, columns, figsize=(width, height), **options)
    # Opaque, for dark pages. As an artist it keeps its padding where a front end crops a figure.
    ground = plt.Rectangle((0, 0), 1, 1, fc=GROUND, transform=figure.transFigure, zorder=-1)
    figure.set_facecolor(GROUND)
    figure.add_artist(ground)
    return axes


def axes_or_new(ax: Axes | None) -> Axes:
    """These Axes, or those of a new figure."""
    return panels(1, 1, 7, 3.6)[0, 0] if ax is None else ax


def quick_axes() -> Axes:
    """Axes whose margins are fixed, not measured: a picture on them takes half the time."""
    figure, ax = _subplots(figsize=(5.8, 3), facecolor=GROUND)
    figure.subplots_adjust(left=0.1, right=0.96, bottom=0.16, top=0.82)
    return ax


def finish(ax: Axes, x: str, y: str, title: str = "", grid: Any = "y", indent: float = 0) -> Axes:
    """Give Axes with a drawing the look of the others, and return them.

    Args:
        ax: without a box afterwards, with a light grid.
        x: the horizontal axis in words.
        y: the measure in words, written above the axis.
        title: the figure's message.
        grid: "y", or where values run along it "x" or "both".
        indent: points that stand free at the left, for the names of curves.
    """
    ax.spines[["top", "left", "right"]].set_visible(False)
    ax.spines["bottom"].set_color(EDGE)
    ax.grid(axis=grid, color=HAIR, linewidth=0.8)
    ax.set_axisbelow(True)
    for locator in (ax.xaxis.get_major_locator(), ax.yaxis.get_major_locator()):
        if isinstance(locator, MaxNLocator):
            locator.set_params(nbins=5)
    ax.tick_params(colors=EDGE, labelcolor=SOFT, labelsize=SMALL)
    # Marks of this length draw the grid on, below the names, to the numbers.
    ax.tick_params(axis="y", which="both", length=indent, color=HAIR)
    ax.set_xlabel(escaped(x), color=SOFT, fontsize=SMALL)
    ax.set_ylabel(escaped(y), color=INK, fontsize=SMALL, rotation=0, ha="left", va="bottom")
    ax.yaxis.set_label_coords(0, 1, transform=_above(ax, 6, indent))
    # A layout makes room for a title, not for this label: a blank one stands in.
    write_title(ax, title or " ", 24 if y and title else 8, indent)
    return ax


def reference(ax: Axes, value: float, words: str) -> Axes:
    """Draw a dotted line at a value that one would expect, with its words on it; return the Axes.

    Args:
        ax: with the curves drawn, as the words stand where the last of them ends.
        value: in units of the vertical axis.
        words: what stands at this value, such as "chance".
    """
    ax.axhline(value, color=EDGE, linestyle=":", linewidth=1, zorder=0)
    place = {"xy": (1, value), "xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
    ax.annotate(escaped(words), xytext=(0, 3), ha="right", fontsize=SMALL, color=SOFT, **place)
    return ax


def write_title(ax: Axes, title: str, pad: float = 8, indent: float = 0, color: str = INK) -> None:
    """Write the figure's message so many points above it, at the left."""
    text = ax.set_title(escaped(title), loc="left", fontsize=TITLE, color=color)
    text.set(fontweight="bold", transform=_above(ax, pad, indent))


def _above(ax: Axes, points: float, indent: float) -> Transform:
    """Shares of the Axes, moved up and to the left."""
    inches = ax.get_figure(root=True).dpi_scale_trans
    return ax.transAxes + ScaledTranslation(-indent / 72, points / 72, inches)


def logarithmic(axis: Axis) -> None:
    """Few ticks on a logarithmic axis, written as powers."""
    axis.set_major_locator(FewPowers())
    axis.set_major_formatter(Powers())
    axis.minorticks_off()


class FewPowers(Locator):
    """Five powers of ten at most, a round number of decades apart; in a decade 1, 2 and 5."""

    def __call__(self) -> np.ndarray:
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        low, high = np.log10(sorted((vmin, vmax)))
        decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        if high - low >= 2:
            inside = [at for at in decades if low <= at <= high]
            by_step = ([at for at in inside if at % step == 0] for step in STEPS)
            return 10.0 ** np.array(next(few for few in by_step if len(few) <= 5))
        parts = (1, 2, 5) if high - low < 1 else (1, 3)
        ticks = [10.0**at * part for at in decades for part in parts]
        ticks = [tick for tick in ticks if low <= np.log10(tick) <= high]
        if len(ticks) > 1:
            return np.array(ticks)
        unit = 10.0 ** np.floor(low)  # MaxNLocator takes tiny numbers for zeros
        return unit * MaxNLocator(4).tick_values(10**low / unit, 10**high / unit)


STEPS = (1, 2, 5, 10, 20, 50, 100, 200)  # in decades


class Powers(Formatter):
    """Plain numbers where all are within a thousandth and a thousand, else powers as 10⁻¹⁰."""

    def format_ticks(self, values: Any) -> list[str]:
        plain = all(1e-3 <= value <= 1e3 for value in values)
        return [f"{value:g}" if plain else power(value) for value in values]

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.format_ticks([x])[0]
