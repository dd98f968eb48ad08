"""Figures as PNG bytes, and figures that are not left open."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from PIL import Image

from .style import DPI


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
    figure.savefig(buffer, format="png", dpi=DPI)
    plt.close(figure)
    if colors is None:
        return buffer.getvalue()
    reduced = io.BytesIO()
    picture = Image.open(buffer).convert("RGB").quantize(colors, dither=Image.Dither.NONE)
    picture.save(reduced, format="png", optimize=True)
    return reduced.getvalue()
