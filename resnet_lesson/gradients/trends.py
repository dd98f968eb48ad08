"""What a curve of norms does from layer to layer, in one honest sentence."""

import numpy as np

# The only place of these words: Python fills them in, and so does the browser.
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
LEVEL = 10


def describe(norms, quantity):
    """Fit norms (depth,), input side first, in the order in which the quantity travels.

    A constant factor per layer is named only where an exponential fits better than a power of
    the distance, and fits well.

    Returns:
        A dict: ``shape``, a key of ``SENTENCES``; what it mentions, as strings; the counts
        ``depth``, ``zero`` and ``odd`` (infinite or undefined).
    """
    norms = np.asarray(norms, dtype=float)
    counts = {
        "depth": len(norms),
        "zero": int((norms == 0).sum()),
        "odd": int((~np.isfinite(norms)).sum()),
    }
    return _shape(*_drawable(norms, quantity)) | counts


def trend(norms, quantity):
    """The factor a layer of norms (depth,), and whether it may be called one.

    Returns:
        The factor by which the quantity changes from layer to layer as it travels, by least
        squares of the logarithms (None for fewer than two norms that have one); and whether an
        exponential fits better than a power of the distance, and fits well.
    """
    distance, logs = _drawable(np.asarray(norms, dtype=float), quantity)
    if len(logs) < 2:
        return None, False
    slope, exponential = _exponential(distance, logs)
    return float(10**slope), exponential


def sentence(described, quantity):
    """The words for what ``describe`` returned."""
    endings = [words for name, words in ENDINGS.items() if described[name]]
    words = "".join([SENTENCES[described["shape"]], *endings]).format(**described)
    return f"{SUBJECTS[quantity]} {words}."


def _drawable(norms, quantity):
    """Where norms have a logarithm, in layers travelled from 1, and that logarithm."""
    travelled = norms if quantity == "signal" else norms[::-1]
    drawable = np.isfinite(travelled) & (travelled > 0)
    return 1 + np.flatnonzero(drawable), np.log10(travelled[drawable])


def _shape(distance, logs):
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


def _exponential(distance, logs):
    """Decades a layer, and whether they are constant: the one home of this criterion."""
    slope, missed = _line(distance, logs)
    _, missed_by_power = _line(np.log(distance), logs)
    fits_well = missed < 0.02 * np.sum((logs - logs.mean()) ** 2)
    return slope, bool(missed < missed_by_power and fits_well)


def _line(x, y):
    """The slope of the least-squares line, and the squares that it leaves."""
    slope, intercept = np.polyfit(x, y, 1)
    return slope, float(np.sum((y - slope * x - intercept) ** 2))


def _figure(value):
    """Two digits that matter."""
    return f"{value:.1e}".replace("e+0", "e").replace("e+", "e") if value >= 1e3 else f"{value:.2g}"
