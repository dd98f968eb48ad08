"""What is trained: the table of depths, the long run that the package ships, and other recipes."""

import dataclasses
import json
from pathlib import Path

from resnet_lesson.training import PRESETS

ROOT = Path(__file__).resolve().parents[2]
LONG_RUN = ROOT / "runs/cifar10-long"
FAST = PRESETS["cifar10-fast"]
LONG = dataclasses.replace(FAST, epochs=120, seed=1)
TABLE = [
    FAST,
    *(
        dataclasses.replace(FAST, depth=depth, shortcut=shortcut, seed=1)
        for depth, shortcut in [(110, True), (110, False), (56, True), (56, False), (20, False)]
    ),
]
# Alternatives to the recipe: each was tried once, and none is better by more than chance.
VARIANTS = [
    dataclasses.replace(FAST, **changes)
    for changes in (
        {"weight_decay": 2e-4},
        {"weight_decay": 1e-3},
        {"learning_rate": 0.1},
        {"learning_rate": 0.4, "weight_decay": 1e-3},
        {"learning_rate": 0.1, "batch_size": 64},
        {"padding": 2},
    )
]
JOBS = [*TABLE, LONG, *VARIANTS]


def write_jobs(path):
    """Write the JSON list that ``torch_runs.py`` reads."""
    path.write_text(json.dumps([job.to_json() for job in JOBS]), encoding="utf-8")
