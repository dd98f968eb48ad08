"""What is kept of a training: as much after 100,000 steps as after a hundred.

A recording is plain data. Norms are kept as codes, hundredths of a decade in 16 bits, with
separate codes for zero, NaN and infinity.
"""

import base64
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...files import expand_path
from ...gradients.history import MEASURES

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
            **{name: getattr(self, name) for name in names},
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
        record: Any = source if path is None else json.loads(path.read_text(encoding="utf-8"))
        if record["file"] != FILE:
            raise ValueError(f"it must say {FILE!r}, received {record['file']!r}")
        if not 1 <= len(record["runs"]) <= 2:
            raise ValueError(f"it must hold 1 or 2 runs, received {len(record['runs'])}")
        check_runs(record["runs"])
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
        for run in runs:
            _check_run(run)
    except INVALID as error:
        raise ValueError(_said(error)) from error
    names = [run["name"] for run in runs]
    if len(set(names)) < len(names):
        raise ValueError(f"its runs must have different names, received {names}")


def _said(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _check_run(run: dict[str, Any]) -> None:
    for name, capacity in (("whole", COLUMNS), ("opening", OPENING)):
        strip = run[name]
        columns = len(strip_codes(run, name))
        logs = strip["loss"], strip["accuracy"]
        if columns > capacity or {len(values) for values in logs} != {columns}:
            raise ValueError(f"{name} must hold at most {capacity} columns, with loss and accuracy")
        if strip["from"] != 0 or not _is_count(strip["stride"]):
            raise ValueError(f"{name} must begin with its first column")
        if not all(value is None or _is_number(value) for values in logs for value in values):
            raise ValueError(f"{name} must hold numbers or null as loss and accuracy")
    counts = run["steps"], run["every"]
    if not all(map(_is_count, counts)) or not isinstance(run["name"], str):
        raise ValueError("a run must have a name, steps and every")
    if not _is_number(run["seconds"]) or not (run["total"] is None or _is_count(run["total"])):
        raise ValueError("a run must have seconds, and as total a number of steps or null")
    if not isinstance(run["layers"], list) or not all(isinstance(n, str) for n in run["layers"]):
        raise ValueError(f"layers must be a list of names, received {run['layers']!r}")
    if not isinstance(run["metric"], (str, type(None))):
        raise ValueError(f"metric must be a name or null, received {run['metric']!r}")
    bad = run["bad"]
    if bad is not None and not (
        set(bad) == {"layer", "step", "what", "where"} and isinstance(bad["step"], int)
    ):
        raise ValueError(f"bad must say layer, step, what and where, received {bad!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) < 1e300  # False for NaN


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and 1 <= value < 2**53  # JavaScript's numbers are doubles
