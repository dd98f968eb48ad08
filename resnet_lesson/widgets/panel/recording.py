"""What is kept of a training: as much after 100,000 steps as after a hundred.

A recording is plain data. Norms are held as codes, hundredths of a decade in 16 bits, with a code
of its own for each of zero, NaN and infinity.
"""

import base64
import json

import numpy as np

from ...files import expand_path

FILE = "resnet-lesson training"  # what marks a file as ours
MEASURES = ("gradient_norm", "weight_norm", "update_ratio")  # the monitor's
COLUMNS = 120  # of the whole training, at most
OPENING = 20  # steps that are kept one by one: what breaks a network often happens there
PER_DECADE = 100
# In this order, so that the larger code of two is the one to keep.
ZERO, NAN, INFINITE = -32768, 32766, 32767


def encode(norms):
    """Codes of norms, int16."""
    norms = np.asarray(norms, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        codes = np.clip(np.round(PER_DECADE * np.log10(norms)), ZERO + 1, NAN - 1)
    codes = np.where(norms == 0, ZERO, np.where(np.isnan(norms), NAN, codes))
    return np.where(np.isposinf(norms), INFINITE, codes).astype(np.int16)


def decode(codes):
    """The norms of codes, to a hundredth of a decade."""
    with np.errstate(over="ignore"):
        norms = 10 ** (np.asarray(codes, dtype=float) / PER_DECADE)
    norms = np.where(codes == ZERO, 0, np.where(codes == NAN, np.nan, norms))
    return np.where(codes == INFINITE, np.inf, norms)


class Strip:
    """Columns of equally many steps: the codes of all measures and layers, loss and accuracy.

    When it is full, neighbours become one column. Of two codes the larger is kept, so that no
    spike, no NaN and no infinity is lost, and zero stands for zero in every step; of loss and
    accuracy, the later.
    """

    def __init__(self, most, layers):
        self.most, self.stride, self.rows = most, 1, 0
        self.codes = np.full((most, len(MEASURES), layers), ZERO, np.int16)
        self.logs = np.full((most, 2), np.nan)

    @property
    def columns(self):
        return -(-self.rows // self.stride)

    def add(self, codes, logs):
        """One more step: (measures, layers) codes, and its loss and accuracy."""
        if self.rows == self.most * self.stride:
            self._halve()
        column, opens = self.rows // self.stride, self.rows % self.stride == 0
        self.codes[column] = codes if opens else np.maximum(self.codes[column], codes)
        self.logs[column] = logs
        self.rows += 1

    def _halve(self):
        kept = self.most // 2
        self.codes[:kept] = np.maximum(self.codes[0::2], self.codes[1::2])
        self.logs[:kept] = self.logs[1::2]
        self.stride *= 2

    def part(self, start=0):
        """Its columns from ``start`` on, as JSON can hold them."""
        columns = slice(start, self.columns)
        codes = self.codes[columns].astype("<i2")
        return {
            "stride": self.stride,
            "from": start,
            "codes": base64.b64encode(codes.tobytes()).decode(),
            "loss": _numbers(self.logs[columns, 0]),
            "accuracy": _numbers(self.logs[columns, 1]),
        }


def _numbers(values):
    """Four digits of each; None for NaN and infinity, which JSON has no word for."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


class Recording:
    """One network's training: a strip of the whole, and one of its opening steps.

    Args:
        name: of the network.
        layers: the kernels' names, input side first.
        every: one step in so many is recorded.
        total: how many steps are planned; None where nobody knows.
        metric: the name of what is recorded as accuracy, or None.

    ``bad`` is None, or the monitor's ``FirstBad`` as a dict.
    """

    def __init__(self, name, layers, every=1, total=None, metric=None):
        self.name, self.layers = name, [str(layer) for layer in layers]
        self.every, self.total, self.metric = every, total, metric
        self.steps, self.seconds, self.bad = 0, 0.0, None
        self.whole = Strip(COLUMNS, len(self.layers))
        self.opening = Strip(OPENING, len(self.layers))

    def add(self, step, norms, logs):
        """Take what one step did.

        Args:
            step: its number, from 0.
            norms: (measures, layers), in the order of MEASURES.
            logs: loss and accuracy.
        """
        codes = encode(norms)
        self.whole.add(codes, logs)
        if step < OPENING:
            self.opening.add(codes, logs)

    def part(self, whole=0, opening=0):
        """The recording as JSON can hold it, its strips from these columns on."""
        names = ("name", "layers", "every", "total", "metric", "steps", "bad")
        return {
            **{name: getattr(self, name) for name in names},
            "seconds": round(self.seconds, 2),
            "whole": self.whole.part(whole),
            "opening": self.opening.part(opening),
        }


def strip_codes(run, strip="whole"):
    """(columns, measures, layers) codes of a run that ``part`` made."""
    codes = np.frombuffer(base64.b64decode(run[strip]["codes"]), "<i2")
    return codes.reshape(-1, len(MEASURES), len(run["layers"]))


def read(source):
    """The recorded training of a file, or of the dict that ``TrainingPanel.record`` gave.

    Raises:
        ValueError: it is none.
    """
    record, name = source, "this dict"
    if not isinstance(source, dict):
        name = str(source)
        try:
            record = json.loads(expand_path(source).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name} is no recorded training: {error}") from error
    try:
        if record["file"] != FILE:
            raise ValueError(f"it must say {FILE!r}, received {record['file']!r}")
        if not 1 <= len(record["runs"]) <= 2:
            raise ValueError(f"it must hold 1 or 2 runs, received {len(record['runs'])}")
        for run in record["runs"]:
            _check_run(run)
        names = [run["name"] for run in record["runs"]]
        if len(set(names)) < len(names):
            raise ValueError(f"its runs must have different names, received {names}")
    except (KeyError, TypeError, ValueError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{name} is no recorded training: {what}") from error
    return record


def _check_run(run):
    for strip, most in (("whole", COLUMNS), ("opening", OPENING)):
        held = run[strip]
        columns = len(strip_codes(run, strip))
        if columns > most or {len(held["loss"]), len(held["accuracy"])} != {columns}:
            raise ValueError(f"{strip} must hold at most {most} columns, with loss and accuracy")
        if held["from"] != 0 or not _is_count(held["stride"]):
            raise ValueError(f"{strip} must begin with its first column")
        if not all(
            value is None or _is_number(value) for value in (*held["loss"], *held["accuracy"])
        ):
            raise ValueError(f"{strip} must hold numbers or null as loss and accuracy")
    if (
        not _is_count(run["steps"])
        or not _is_count(run["every"])
        or not isinstance(run["name"], str)
    ):
        raise ValueError("a run must have a name, steps and every")
    if not _is_number(run["seconds"]) or not (run["total"] is None or _is_count(run["total"])):
        raise ValueError("a run must have seconds, and as total a number of steps or null")
    if not isinstance(run["layers"], list) or not all(isinstance(n, str) for n in run["layers"]):
        raise ValueError(f"layers must be a list of names, received {run['layers']!r}")
    if not isinstance(run["metric"], (str, type(None))):
        raise ValueError(f"metric must be a name or null, received {run['metric']!r}")
    _ = run["bad"]


def _is_number(value):
    return isinstance(value, (int, float)) and abs(value) < 1e300  # NaN is not


def _is_count(value):
    return isinstance(value, int) and 1 <= value < 2**53  # to the browser all are floats
