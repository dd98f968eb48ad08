"""Plain against residual networks of equal layers: how well, how fast, and what the steps do."""

import itertools
from typing import Any

import numpy as np

from .engine import Study, product
from .record import Row

BUDGETS = (10, 20, 40)  # epochs after which the accuracies are taken
STEPS = (0, 1, 5, 20)
# What the trainer measures of a kernel at a step: the norms of its gradient and of the kernel, and
# the norm of the step's change over that of the kernel.
NORMS = ("gradient", "weight", "update")


def measure(
    depth: int, shortcut: bool, learning_rate: float, warmup: int, budget: int, seed: int
) -> list[Row]:
    """One row for each of BUDGETS up to ``budget``; the first also has the norms of early steps.

    ``first`` and ``last`` are the first and the last of the equal convolutions; a step's
    gradient and weight norm are those before it, its update is relative to the weight.
    ``epochs_to_90`` is the first epoch with a mean training accuracy of 0.9, or null. With a budget
    beyond the shortest, in which few plain networks reach even half of that, there is
    ``epochs_to_50`` too.
    """
    from .trainer import epochs_to, start

    trainer = start(seed, depth, shortcut)
    rows: list[Row] = []
    early: list[np.ndarray] = []
    accuracies: list[float] = []
    epochs = itertools.islice(trainer.epochs(learning_rate, warmup, seed), budget)
    for epoch, (norms, accuracy) in enumerate(epochs, start=1):
        if epoch <= 2:
            early += list(norms)
        accuracies.append(accuracy)
        if epoch in BUDGETS:
            row = {"epochs": epoch} | trainer.accuracies() | {"mean_accuracy": accuracy}
            rows.append(row | _step_norms("end", norms[-1]))
    for step in STEPS:
        rows[0] |= _step_norms(f"step{step}", early[step])
    milestones = (90, 50) if budget > BUDGETS[0] else (90,)
    reached = {f"epochs_to_{percent}": epochs_to(percent, accuracies) for percent in milestones}
    return [row | reached for row in rows]


def _step_norms(when: str, norms: np.ndarray) -> dict[str, Any]:
    """The (2, 3) norms of a step, named after their kernel and measure."""
    return {
        f"{when}_{kernel}_{name}": float(value)
        for kernel, values in zip(("first", "last"), norms, strict=True)
        for name, value in zip(NORMS, values, strict=True)
    }


_SHORT = product(
    depth=(110, 56, 20, 8),
    shortcut=(False, True),
    learning_rate=(0.01, 0.03, 0.1, 0.3),
    warmup=(0, 2),
    budget=(10,),
)
# The deepest networks take most of the time. They leave out settings that were best for neither
# kind; the residual one has no need of low rates.
_SHORT = tuple(
    c
    for c in _SHORT
    if c["depth"] < 110
    or (c["learning_rate"], c["warmup"]) in [(0.1, 0), (0.1, 2), (0.3, 2)]
    or (c["learning_rate"] < 0.1 and not c["shortcut"])
)
# The plain network of 56 layers is best at a low rate, without warm-up: there the budget grows. The
# residual one has almost finished after ten epochs, and needs no lower rate.
_LONG = tuple(
    {"depth": 56, "shortcut": shortcut, "learning_rate": rate, "warmup": 0, "budget": 40}
    for shortcut, rate in [(False, 0.01), (False, 0.03), (False, 0.1), (True, 0.03), (True, 0.1)]
)
_COVERED = [configuration | {"budget": 10} for configuration in _LONG]
STUDY = Study(
    name="degradation",
    question="Does a deeper network train worse, and what do its first steps do?",
    grid=_LONG + tuple(c for c in _SHORT if c not in _COVERED),
    measure=measure,
)
