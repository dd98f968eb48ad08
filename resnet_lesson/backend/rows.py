"""Rows of numbers that stay where they were computed until somebody reads them."""

import collections
from collections.abc import Sequence
from typing import Any

import numpy as np


class Rows:
    """The rows of recorded steps; ``steps`` counts all steps. Any thread may read them.

    They are read once: ``seen`` is the steps at the last time, and nothing to look up.

    Args:
        tape: says which steps are recorded, see ``gradients.tape``.
        capacity: rows that stay on the device, at most, until they are read.
    """

    def __init__(self, tape: Any, capacity: int) -> None:
        self.tape, self.steps = tape, tape.seen
        self.capacity = max(capacity, tape.model.steps_per_execution)
        self._rows: collections.deque[Any] = collections.deque()

    def open(self) -> None:
        """Nothing is kept in variables of the model's."""

    @property
    def is_due(self) -> bool:
        """Whether the present step is to be recorded."""
        return self.steps % self.tape.every == 0

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
        return steps, np.column_stack([numbers, self.fetched(rows)])

    def fetched(self, rows: Sequence[Any]) -> np.ndarray:
        """(steps, numbers) these rows as an array; the backend's own way."""
        raise NotImplementedError
