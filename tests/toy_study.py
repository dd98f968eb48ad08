"""A study that takes no time, for tests of the engine; its workers must be able to import it."""

from resnet_lesson import stopping

if __name__ == "__main__":
    stopping.listen()

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

from resnet_lesson import studies
from resnet_lesson.__main__ import main
from resnet_lesson.studies import Study, engine
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


def endless_measure(size, kind, seed):
    """Says that it has begun, and is not done before a test has lost its patience."""
    Path(os.environ["BEGUN"]).touch()
    time.sleep(600)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def dying_measure(size, kind, seed):
    die()


def deadly(append, moment, number):
    """``append``, which dies in the middle of a run's line, just after it, or some time later."""
    runs = itertools.count(1)

    def append_and_die(journal, text):
        run = next(runs) if text else 0
        if run == number and moment == "in writing":
            append(journal, text[: len(text) // 2])
            die()
        append(journal, text)
        if run == number and moment == "just written":
            die()
        if run == 1 and moment == "any time":
            threading.Timer(number / 1000, die).start()

    return append_and_die


if __name__ == "__main__":  # FOLDER SEEDS MEASURE MOMENT NUMBER, as the command line would run it
    folder, *rest = sys.argv[1:]
    seeds, name, moment, number = [*rest, *("8", "slow_measure", "never", "0")[len(rest) :]]
    toy = study(globals()[name], seeds=int(seeds))
    studies.study = lambda name: toy
    engine._append_text = deadly(engine._append_text, moment, int(number))
    try:
        main(["study", "toy", "--output", folder])
    finally:
        stopping.finish()
