"""Plain against residual networks of equal layers: how well, how fast, and what the steps do."""

from .engine import Study, product

BUDGETS = (10, 20, 40)  # epochs after which the accuracies are taken
STEPS = (0, 1, 5, 20)


def measure(depth, shortcut, learning_rate, warmup, budget, seed):
    """One line for each of BUDGETS up to ``budget``; the first also tells of the first steps.

    ``first`` and ``last`` are the first and the last of the equal convolutions; a step's
    gradient and weight norm are those before it, its update is relative to the weight.
    ``epochs_to_90`` is the first epoch with a mean training accuracy of 0.9, or null; beyond the
    shortest budget, in which few plain networks come half as far, ``epochs_to_50`` is told too.
    """
    from .trainer import epochs_to, trainer

    network = trainer(depth, shortcut)
    network.restart(seed)
    rows, early, accuracies = [], [], []
    epochs = network.epochs(learning_rate, warmup, seed)
    for epoch, (norms, accuracy) in zip(range(1, budget + 1), epochs, strict=False):
        early += list(norms) if epoch <= 2 else []
        accuracies.append(accuracy)
        if epoch in BUDGETS:
            row = {"epochs": epoch} | network.accuracies() | {"mean_accuracy": accuracy}
            rows.append(row | _ends("end", norms[-1]))
    for step in STEPS:
        rows[0] |= _ends(f"step{step}", early[step])
    milestones = (90, 50) if budget > BUDGETS[0] else (90,)
    reached = {f"epochs_to_{percent}": epochs_to(percent, accuracies) for percent in milestones}
    return [row | reached for row in rows]


def _ends(when, norms):
    from .trainer import NORMS

    return {
        f"{when}_{end}_{name}": float(value)
        for end, values in zip(("first", "last"), norms, strict=True)
        for name, value in zip(NORMS, values, strict=True)
    }


_SHORT = product(
    depth=(110, 56, 20, 8),
    shortcut=(False, True),
    learning_rate=(0.03, 0.1, 0.3),
    warmup=(0, 2),
    budget=(10,),
)
# The deepest takes most of the time of a setting: without those that were best for neither kind.
_SHORT = tuple(
    c
    for c in _SHORT
    if c["depth"] < 110 or (c["learning_rate"], c["warmup"]) in [(0.1, 0), (0.1, 2), (0.3, 2)]
)
# Plain and 56 layers deep is best at a low rate, without warm-up: there the budget grows. The
# residual one is all but done after ten epochs, and needs no lower rate.
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
