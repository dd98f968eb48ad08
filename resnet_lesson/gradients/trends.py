"""How norms change from layer to layer, in honest sentences."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..output import power

# These words stand here only: Python fills them in, and so does the browser. What is seen at the
# far end, which for a gradient is the first layer:
SEEN = {
    "signal_gradient": "The gradient at the first layer is {share} that at the last.",
    "weight_gradient": "The gradient of the first layer's weights is {share} that of the last's.",
    "signal": "The signal at the last layer is {share} that at the first.",
}
NOTHING = {
    "signal_gradient": "No gradient reaches the first layer",
    "weight_gradient": "The weights of the first layer get no gradient",
    "signal": "Nothing of the signal reaches the last layer",
}
ZERO = "{nothing}: in {zero} of {depth} layers it is exactly zero."
ODD = "It overflows: in {odd} of {depth} layers it is out of the range of 32-bit numbers."
ALONE = "There is only one layer, and nothing to compare it with."
# And how it comes to that, by shape.
HOW = {
    "few": "",
    "level": "From end to end it stays within a factor of {ratio}.",
    "shrinks": "Each layer hands on about {factor} of what it gets.",
    "grows": "Each layer makes it about {factor} times as large.",
    "falls": "It falls by no constant factor.",
    "rises": "It rises by no constant factor.",
    "wanders": "On the way it goes up and down, over a factor of {ratio}.",
}
LEVEL = 10  # norms within such a factor are called level


def describe(norms: ArrayLike, quantity: str) -> dict[str, Any]:
    """Fit norms (depth,), input side first, in the order in which the quantity travels.

    A constant factor per layer is named only where an exponential fits better than a power of
    the distance, and fits well.

    Returns:
        A dict: ``shape``, a key of ``HOW``; what that mentions, as strings; ``share``, what the
        far end has of where the quantity sets out, in words, "" where that has no number; the
        counts ``depth``, ``zero`` and ``odd`` (infinite or undefined).
    """
    norms = np.asarray(norms, dtype=float)
    start, end = (norms[0], norms[-1]) if quantity == "signal" else (norms[-1], norms[0])
    measured = np.isfinite([start, end]).all() and start > 0 and end > 0
    ends = {
        "share": _share(float(np.log10(end) - np.log10(start))) if measured else "",
        "depth": len(norms),
        "zero": int((norms == 0).sum()),
        "odd": int((~np.isfinite(norms)).sum()),
    }
    return _shape(*_logarithms(norms, quantity)) | ends


def _share(decades: float) -> str:
    """So many decades as a share: "3.1 % of", "140 times", "about 10⁻⁹ of"."""
    ratio = 10**decades
    if 0.95 < ratio < 1.05:
        return "about as large as"
    if abs(decades) >= 3:
        return f"about {power(10.0 ** round(decades))} {'times' if decades > 0 else 'of'}"
    return f"{_figure(ratio)} times" if ratio > 1 else f"{_figure(100 * ratio)} % of"


def trend(norms: ArrayLike, quantity: str) -> tuple[float | None, bool]:
    """The factor a layer of norms (depth,), and whether it is constant enough to be one.

    Returns:
        The factor by which the quantity changes from layer to layer as it travels, by least
        squares of the logarithms (None if fewer than two norms have one); and whether an
        exponential fits better than a power of the distance, and fits well.
    """
    distance, logs = _logarithms(np.asarray(norms, dtype=float), quantity)
    if len(logs) < 2:
        return None, False
    slope, exponential = _exponential(distance, logs)
    return float(10**slope), exponential


def sentence(described: dict[str, Any], quantity: str) -> str:
    """What is seen, and how it comes to that, for what ``describe`` returned."""
    if described["odd"]:
        seen = ODD
    elif described["depth"] == 1:
        seen = ALONE
    else:
        seen = SEEN[quantity] if described["share"] else ZERO
    words = " ".join(part for part in (seen, HOW[described["shape"]]) if part)
    return words.format(nothing=NOTHING[quantity], **described)


def _logarithms(norms: np.ndarray, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """After how many layers, counted from 1, norms have a logarithm, and which."""
    travelled = norms if quantity == "signal" else norms[::-1]
    positive = np.isfinite(travelled) & (travelled > 0)
    return 1 + np.flatnonzero(positive), np.log10(travelled[positive])


def _shape(distance: np.ndarray, logs: np.ndarray) -> dict[str, str]:
    if len(logs) < 2:
        return {"shape": "few"}
    span, change = np.ptp(logs), logs[-1] - logs[0]
    if span < np.log10(LEVEL):
        return {"shape": "level", "ratio": _figure(10**span)}
    slope, exponential = _exponential(distance, logs)
    if exponential:
        factor = 10**slope  # near one, its second digit says nothing
        text = f"{factor:.3g}" if 0.9 < factor < 1.1 else _figure(factor)
        return {"shape": "grows" if slope > 0 else "shrinks", "factor": text}
    if abs(change) < 0.8 * span:
        return {"shape": "wanders", "ratio": _figure(10**span)}
    return {"shape": "rises" if change > 0 else "falls"}


def _exponential(distance: np.ndarray, logs: np.ndarray) -> tuple[float, bool]:
    """Decades a layer, and whether they are constant, by the one criterion for that."""
    slope, residual = _line(distance, logs)
    _, residual_of_power = _line(np.log(distance), logs)
    fits_well = residual < 0.02 * np.sum((logs - logs.mean()) ** 2)
    return slope, bool(residual < residual_of_power and fits_well)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The slope of the least-squares line, and the sum of squares that it leaves."""
    slope, intercept = np.polyfit(x, y, 1)
    return slope, float(np.sum((y - slope * x - intercept) ** 2))


def _figure(value: float) -> str:
    """A number with two significant digits; a large one by its power of ten."""
    if value >= 1e4:
        return power(10.0 ** round(np.log10(value)))
    return f"{float(f'{value:.2g}'):,g}"
