"""What is kept of a training: as much after 100,000 steps as after a hundred.

A recording is plain data. Norms are kept as codes, hundredths of a decade in 16 bits, with
separate codes for zero, NaN and infinity.
"""

import base64
import os
import reprlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...checks import check_rule
from ...files import expand_path
from ...gradients.history import MEASURES
from ...output import without_surrogates
from ...untrusted import OBJECT, load_json

FILE = "resnet-lesson training"  # the "file" entry of a record
INVALID = (KeyError, TypeError, ValueError, RecursionError)  # what reading a wrong record raises
COLUMNS = 120  # for all steps, at most
OPENING = 20  # steps that are kept one by one: what breaks a network often happens there
PER_DECADE = 100
# In this order, so that of two codes the larger is the one to keep.
ZERO, NAN, INFINITE = -32768, 32766, 32767


def encode(norms: np.ndarray) -> np.ndarray:
    """Codes of norms, int16."""
    norms = np.asarray(norms, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        codes = np.clip(np.round(PER_DECADE * np.log10(norms)), ZERO + 1, NAN - 1)
    codes = np.where(norms == 0, ZERO, np.where(np.isnan(norms), NAN, codes))
    return np.where(np.isposinf(norms), INFINITE, codes).astype(np.int16)


def decode(codes: np.ndarray) -> np.ndarray:
    """The norms of codes, to a hundredth of a decade."""
    with np.errstate(over="ignore"):
        norms = 10 ** (np.asarray(codes, dtype=float) / PER_DECADE)
    norms = np.where(codes == ZERO, 0, np.where(codes == NAN, np.nan, norms))
    return np.where(codes == INFINITE, np.inf, norms)


class Strip:
    """Columns of equally many steps: codes of all measures and layers, loss and accuracy.

    When it is full, each two neighbouring columns are merged. Of two codes the larger is kept, so
    that no spike, NaN or infinity is lost, and zero means zero in every step; of loss and accuracy,
    the later.
    """

    def __init__(self, capacity: int, layers: int) -> None:
        self.capacity, self.stride, self.steps = capacity, 1, 0
        self.codes = np.full((capacity, len(MEASURES), layers), ZERO, np.int16)
        self.logs = np.full((capacity, 2), np.nan)

    @property
    def columns(self) -> int:
        return -(-self.steps // self.stride)

    def add(self, codes: np.ndarray, logs: Sequence[float]) -> None:
        """Add a step: (measures, layers) codes, and its loss and accuracy."""
        if self.steps == self.capacity * self.stride:
            self._merge()
        column, is_first = self.steps // self.stride, self.steps % self.stride == 0
        self.codes[column] = codes if is_first else np.maximum(self.codes[column], codes)
        self.logs[column] = logs
        self.steps += 1

    def _merge(self) -> None:
        half = self.capacity // 2
        self.codes[:half] = np.maximum(self.codes[0::2], self.codes[1::2])
        self.logs[:half] = self.logs[1::2]
        self.stride *= 2

    def to_json(self, start: int = 0) -> dict[str, Any]:
        """Its columns from ``start`` on, as JSON can hold them."""
        columns = slice(start, self.columns)
        codes = self.codes[columns].astype("<i2")
        return {
            "stride": self.stride,
            "from": start,
            "codes": base64.b64encode(codes.tobytes()).decode(),
            "loss": _rounded(self.logs[columns, 0]),
            "accuracy": _rounded(self.logs[columns, 1]),
        }


def _rounded(values: np.ndarray) -> list[float | None]:
    """Four significant digits of each; None for NaN and infinity, which JSON does not have."""
    return [float(f"{value:.4g}") if _is_number(float(value)) else None for value in values]


class Recording:
    """One network's training: a strip of all steps, and one of its opening steps.

    Args:
        name: of the network.
        layers: the kernels' names, input side first.
        every: one step in so many is recorded.
        total: how many steps are planned; None where that is unknown.
        metric: the name of what is recorded as accuracy, or None.

    ``bad`` is None, or the monitor's ``FirstBad`` as a dict.
    """

    def __init__(
        self,
        name: str,
        layers: Sequence[str],
        every: int = 1,
        total: int | None = None,
        metric: str | None = None,
    ) -> None:
        self.name, self.layers = name, [str(layer) for layer in layers]
        self.every, self.total, self.metric = every, total, metric
        self.steps, self.seconds = 0, 0.0
        self.bad: dict[str, Any] | None = None
        self.whole = Strip(COLUMNS, len(self.layers))
        self.opening = Strip(OPENING, len(self.layers))

    def add(self, step: int, norms: np.ndarray, logs: Sequence[float]) -> None:
        """Record a step.

        Args:
            step: its number, from 0.
            norms: (measures, layers), in the order of MEASURES.
            logs: loss and accuracy.
        """
        codes = encode(norms)
        self.whole.add(codes, logs)
        if step < OPENING:
            self.opening.add(codes, logs)

    def to_json(self, whole: int = 0, opening: int = 0) -> dict[str, Any]:
        """The recording as JSON can hold it, its strips from these columns on."""
        names = ("name", "layers", "every", "total", "metric", "steps", "bad")
        return {
            # A layer has whatever name Keras takes.
            **without_surrogates({name: getattr(self, name) for name in names}),
            "seconds": round(self.seconds, 2),
            "whole": self.whole.to_json(whole),
            "opening": self.opening.to_json(opening),
        }


def strip_codes(run: dict[str, Any], strip: str = "whole") -> np.ndarray:
    """(columns, measures, layers) codes of a run that ``Recording.to_json`` made."""
    codes = np.frombuffer(base64.b64decode(run[strip]["codes"]), "<i2")
    return codes.reshape(-1, len(MEASURES), len(run["layers"]))


def read(source: str | os.PathLike[str] | dict[str, Any]) -> dict[str, Any]:
    """The recorded training of a file, or of the dict that ``TrainingPanel.record`` returned.

    Raises:
        ValueError: it is not a recorded training.
    """
    path = None if isinstance(source, dict) else expand_path(source)
    try:
        record: Any = source if path is None else load_json(path, OBJECT)
        _check_dict("a recorded training", record)
        if record["file"] != FILE:
            raise ValueError(f"it must say {FILE!r}, received {record['file']!r}")
        check_runs(record["runs"])
        if not record["runs"]:
            raise ValueError("it must hold 1 or 2 runs, received 0")
    except INVALID as error:
        name = "this dict" if path is None else str(source)
        raise ValueError(f"{name} is no recorded training: {_said(error)}") from error
    return record


def check_runs(runs: Sequence[dict[str, Any]]) -> None:
    """Check what ``Recording.to_json`` made.

    Raises:
        ValueError: it did not make this.
    """
    try:
        if not isinstance(runs, list) or len(runs) > 2:
            raise ValueError(f"it must hold a list of 1 or 2 runs, received {reprlib.repr(runs)}")
        for run in runs:
            _check_run(run)
    except INVALID as error:
        raise ValueError(_said(error)) from error
    names = [run["name"] for run in runs]
    if len(set(names)) < len(names):
        raise ValueError(f"its runs must have different names, received {names}")


def _said(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def is_text(value: Any) -> bool:
    """Whether it is text that can be shown and sent: not empty, no half of a surrogate pair."""
    return isinstance(value, str) and value != "" and without_surrogates(value) == value


def _is_number(value: Any) -> bool:
    # The comparison is False for NaN.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300


def _is_count(value: Any, least: int = 1) -> bool:
    # JavaScript's numbers are doubles.
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**53


def _is_bad(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"layer", "step", "what", "where"}
        and _is_count(value["step"], 0)
        and all(is_text(text) for name, text in value.items() if name != "step")
    )


COUNT = "a whole number of at least 1"
# What each entry of a run must be, in the order in which they are checked.
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (is_text, "text that is not empty"),
    "layers": (
        lambda value: isinstance(value, list) and value != [] and all(map(is_text, value)),
        "a list of at least one name",
    ),
    "every": (_is_count, COUNT),
    "total": (lambda value: value is None or _is_count(value), f"{COUNT}, or null"),
    "metric": (lambda value: value is None or is_text(value), "a name or null"),
    "steps": (_is_count, COUNT),
    "seconds": (lambda value: _is_number(value) and value >= 0, "a number of at least 0"),
    "bad": (
        lambda value: value is None or _is_bad(value),
        "null, or say layer, step, what and where",
    ),
}


def _check_run(run: Any) -> None:
    _check_dict("a run", run)
    for name, (is_right, rule) in RULES.items():
        check_rule(name, run[name], f"be {rule}", is_right(run[name]))
    for name, capacity in (("whole", COLUMNS), ("opening", OPENING)):
        _check_strip(name, run[name], capacity, len(run["layers"]))


def _check_strip(name: str, strip: Any, capacity: int, layers: int) -> None:
    """Check the columns of a run: as many of codes as of losses and accuracies."""
    _check_dict(name, strip)
    stride, first = strip["stride"], strip["from"]
    check_rule(f"stride of {name}", stride, f"be {COUNT}", _is_count(stride))
    check_rule(f"from of {name}", first, "be 0", _is_count(first, 0) and first == 0)
    logs = strip["loss"], strip["accuracy"]
    for log in logs:
        is_right = isinstance(log, list) and all(one is None or _is_number(one) for one in log)
        check_rule(f"loss and accuracy of {name}", log, "be lists of numbers or null", is_right)
    try:
        size = len(base64.b64decode(strip["codes"], validate=True))
    except (TypeError, ValueError):
        size = -1
    columns = {len(log) for log in logs} | {size / (2 * len(MEASURES) * layers)}
    if len(columns) > 1 or not 1 <= columns.pop() <= capacity:
        raise ValueError(
            f"{name} must hold 1 to {capacity} columns of codes, loss and accuracy for "
            f"{layers} layers, received {reprlib.repr(strip['codes'])}"
        )


def _check_dict(what: str, value: Any) -> None:
    check_rule(what, value, "be a dict", isinstance(value, dict))
