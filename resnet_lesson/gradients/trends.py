"""How norms change from layer to layer, in one honest sentence."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# These words stand here only: Python fills them in, and so does the browser.
SUBJECTS = {
    "signal_gradient": "Going back from the loss, the gradient of the signal",
    "weight_gradient": "Going back from the loss, the gradient of the weights",
    "signal": "Going forward from the input, the signal",
}
SENTENCES = {
    "single": "has a single value",
    "nothing": "has no value that can be drawn",
    "level": "stays within a factor of {ratio} from end to end",
    "shrinks": "shrinks {factor}x a layer: by 1e-9 in {layers} layers",
    "grows": "grows {factor}x a layer: by 1e9 in {layers} layers",
    "falls": "falls {ratio}x from end to end, by no constant factor",
    "rises": "rises {ratio}x from end to end, by no constant factor",
    "wanders": "goes up and down over a factor of {ratio}",
}
ENDINGS = {
    "zero": "; in {zero} of {depth} layers it is exactly zero",
    "odd": "; in {odd} of {depth} layers it overflows",
}
LEVEL = 10  # norms within such a factor are called level


def describe(norms: ArrayLike, quantity: str) -> dict[str, Any]:
    """Fit norms (depth,), input side first, in the order in which the quantity travels.

    A constant factor per layer is named only where an exponential fits better than a power of
    the distance, and fits well.

    Returns:
        A dict: ``shape``, a key of ``SENTENCES``; what that mentions, as strings; the counts
        ``depth``, ``zero`` and ``odd`` (infinite or undefined).
    """
    norms = np.asarray(norms, dtype=float)
    counts = {
        "depth": len(norms),
        "zero": int((norms == 0).sum()),
        "odd": int((~np.isfinite(norms)).sum()),
    }
    return _shape(*_logarithms(norms, quantity)) | counts


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
    """The sentence for what ``describe`` returned."""
    endings = [words for name, words in ENDINGS.items() if described[name]]
    words = "".join([SENTENCES[described["shape"]], *endings]).format(**described)
    return f"{SUBJECTS[quantity]} {words}."


def _logarithms(norms: np.ndarray, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """After how many layers, counted from 1, norms have a logarithm, and which."""
    travelled = norms if quantity == "signal" else norms[::-1]
    positive = np.isfinite(travelled) & (travelled > 0)
    return 1 + np.flatnonzero(positive), np.log10(travelled[positive])


def _shape(distance: np.ndarray, logs: np.ndarray) -> dict[str, str]:
    if len(logs) < 2:
        return {"shape": "single" if len(logs) else "nothing"}
    span, change = np.ptp(logs), logs[-1] - logs[0]
    if span < np.log10(LEVEL):
        return {"shape": "level", "ratio": _figure(10**span)}
    slope, exponential = _exponential(distance, logs)
    if exponential:
        layers = int(np.ceil(9 / abs(slope)))
        shape = "grows" if slope > 0 else "shrinks"
        return {"shape": shape, "factor": f"{10**slope:.3g}", "layers": str(layers)}
    if abs(change) < 0.8 * span:
        return {"shape": "wanders", "ratio": _figure(10**span)}
    return {"shape": "rises" if change > 0 else "falls", "ratio": _figure(10 ** abs(change))}


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
    """A number with two significant digits."""
    return f"{value:.1e}".replace("e+0", "e").replace("e+", "e") if value >= 1e3 else f"{value:.2g}"
