"""Rows of numbers that stay where they were computed until somebody reads them."""

import collections
from typing import Any

import keras
import numpy as np


class Rows:
    """The rows of recorded steps; ``steps`` counts all steps. Any thread may read them.

    They are read once: ``seen`` is the steps at the last time, and nothing to look up.

    Args:
        every: one step in so many is recorded, beginning with the first.
        steps: how many there were before.
    """

    def __init__(self, every: int, steps: int) -> None:
        self.every, self.steps = every, steps
        self._rows: collections.deque[Any] = collections.deque()

    @property
    def is_due(self) -> bool:
        """Whether the present step is to be recorded."""
        return self.steps % self.every == 0

    def step(self, row: Any) -> None:
        """Count a step, with its row if it was due; else with None."""
        if self.is_due:
            self._rows.append((self.steps, row))
        self.steps += 1

    def read(self, seen: int) -> tuple[int, np.ndarray]:
        """How many steps there were, and the rows not read yet, each behind its step's number."""
        steps, found = self.steps, [self._rows.popleft() for _ in range(len(self._rows))]
        if not found:
            return steps, np.empty(0)
        numbers, rows = zip(*found, strict=True)
        return steps, np.column_stack([numbers, keras.ops.convert_to_numpy(keras.ops.stack(rows))])
