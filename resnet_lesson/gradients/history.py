"""The steps that a monitor has recorded, as rows of numbers, and the arrays made of them."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

MEASURES = ("gradient_norm", "weight_norm", "update_ratio")
# Columns of a row before those of the measures: the step, its loss, and the index of the kernel
# where its forward pass broke (-1 for none, the number of kernels for the loss).
HEAD = 3


# The rows that a tape has written since it was last read: how many steps there were so far; the
# rows, (recorded steps, columns); the paths of the kernels that the columns belong to, and those of
# all kernels of the model, frozen ones too, both in order of use.
Reading = tuple[int, np.ndarray, tuple[str, ...], tuple[str, ...]]


class History:
    """The recorded rows of all fits; any thread may read it.

    ``groups`` has pairs: the paths of the kernels, and an array of rows. ``order`` and
    ``layers`` are those of the last ``Reading``; ``seen`` counts the steps. While a fit goes on,
    ``read`` gives what is new since as many steps as its argument says, or None.
    """

    def __init__(self) -> None:
        self.groups: list[tuple[tuple[str, ...], np.ndarray]] = []
        self.order: tuple[str, ...] = ()
        self.layers: tuple[str, ...] = ()
        self.seen = 0
        self.read: Callable[[int], Reading | None] | None = None
        self._lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        self.fetch()
        return {name: getattr(self, name) for name in ("groups", "order", "layers", "seen")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(vars(History()) | state)

    def fetch(self) -> None:
        """Add what is new."""
        with self._lock:
            reading = self.read(self.seen) if self.read else None
            if reading is None:
                return
            self.seen, rows, self.layers, self.order = reading
            if len(rows):
                self.groups.append((self.layers, rows))

    def close(self) -> None:
        """Add what is new for the last time, and release the tape and its model."""
        with self._lock:
            self.fetch()
            self.read = None

    def records(self, forget: bool = False) -> dict[str, np.ndarray]:
        """The arrays of ``GradientMonitor.records``."""
        with self._lock:
            self.fetch()
            groups = [
                (paths, np.concatenate([rows for _, rows in same]))
                for paths, same in itertools.groupby(self.groups, key=lambda group: group[0])
            ]
            self.groups = [] if forget else list(groups)  # which grows while ``groups`` is read
            # In the model's present order of use; those that it no longer has come last.
            recorded = dict.fromkeys(path for paths, _ in groups for path in paths)
            present = dict.fromkeys(path for path in self.order if path in recorded)
            layers = tuple(present | recorded) or self.layers
        if not groups:  # one without rows gives the shapes of empty records
            groups = [(layers, np.empty((0, HEAD + len(MEASURES) * len(layers))))]
        tables = [_table(paths, rows[:, HEAD:], layers) for paths, rows in groups]
        table = tables[0] if len(tables) == 1 else np.ma.concatenate(tables, axis=1)
        head = np.concatenate([rows[:, :HEAD] for _, rows in groups])
        broken = [np.array([*paths, "loss", ""])[rows[:, 2].astype(int)] for paths, rows in groups]
        return {
            **dict(zip(MEASURES, table, strict=True)),
            "step": head[:, 0].astype(np.int64),
            "loss": head[:, 1],
            "broken": np.concatenate(broken),
            "layers": np.array(layers, dtype=str),
        }


def _table(paths: tuple[str, ...], rows: np.ndarray, layers: tuple[str, ...]) -> np.ndarray:
    """(measures, steps, layers) of the rows of these paths; masked in all other layers."""
    measured = rows.reshape(len(rows), len(MEASURES), len(paths)).swapaxes(0, 1)
    if paths == layers:
        return measured
    table = np.ma.masked_all((len(MEASURES), len(rows), len(layers)))
    table[:, :, [layers.index(path) for path in paths]] = measured
    return table
