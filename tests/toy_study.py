"""A study that takes no time, for tests of the engine; its workers must be able to import it."""

import os
import signal
import sys
import time
from pathlib import Path

from resnet_lesson.studies import Study, run
from resnet_lesson.studies.engine import product


def measure(size, kind, seed):
    return [{"part": part, "value": size + seed / 3 + part} for part in (0, 1)]


def slow_measure(size, kind, seed):
    time.sleep(0.1)
    return measure(size, kind, seed)


def deadly_measure(size, kind, seed):
    """Kills its process the first time it comes to one of the runs; ``kind`` is a folder."""
    marker = Path(kind) / "killed"
    if (size, seed) == (2, 1) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    with (Path(kind) / "finished").open("a", encoding="utf-8") as log:
        log.write(f"{size} {seed}\n")
    return measure(size, kind, seed)


def failing_measure(size, kind, seed):
    if size == 2:
        raise ArithmeticError(f"no answer for seed {seed}")
    return measure(size, kind, seed)


def study(measure=measure, kinds=("a", "b"), seeds=3):
    return Study("toy", "Is it there?", product(size=(1, 2), kind=kinds), measure, seeds)


if __name__ == "__main__":
    run(study(slow_measure, seeds=8), sys.argv[1])
