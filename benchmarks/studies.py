"""How long each study takes on all cores, and whether it gives the committed record again.

Minutes to an hour each, so they are measured only when they are named.
"""

import dataclasses
import importlib.metadata
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import record
import scaling

from resnet_lesson import studies
from resnet_lesson.studies.record import COMMITTED

NAMES = studies.NAMES


@dataclasses.dataclass(frozen=True)
class Timed:
    """A study's ``measure`` that also appends to a file how long it took, and in which process."""

    measure: Callable
    path: str

    def __call__(self, **settings):
        started = time.perf_counter()
        rows = self.measure(**settings)
        seconds = round(time.perf_counter() - started, 3)
        with Path(self.path).open("a", encoding="utf-8") as file:
            print(json.dumps(settings | {"seconds": seconds, "process": os.getpid()}), file=file)
        return rows


def timed(name):
    """Run the study afresh.

    Returns:
        The record's versions, seconds in all, a dict for each run (settings, ``seconds``,
        ``process``), and the largest ``difference`` of a number from the committed record.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        study = studies.study(name)
        started = time.perf_counter()
        made = studies.run(
            dataclasses.replace(study, measure=Timed(study.measure, str(log))), folder
        )
        seconds = round(time.perf_counter() - started, 1)
        runs = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    off = difference(made.runs, studies.record(name, COMMITTED).runs)
    return dict(made.about["versions"]), seconds, runs, off


def difference(values, others):
    """The largest relative difference of two numbers at one place; infinite where others differ."""
    if isinstance(values, dict) and isinstance(others, dict) and values.keys() == others.keys():
        return max((difference(values[key], others[key]) for key in values), default=0.0)
    if isinstance(values, list) and isinstance(others, list) and len(values) == len(others):
        return max(itertools.starmap(difference, zip(values, others, strict=True)), default=0.0)
    if isinstance(values, float) and isinstance(others, float) and values != others:
        return abs(values - others) / max(abs(values), abs(others))
    return 0.0 if values == others else float("inf")


def main(name):
    """(figures of a study, versions, rows of the table); of ``degradation``, the cluster's too."""
    versions, seconds, runs, off = timed(name)
    busy = sum(run["seconds"] for run in runs) / (record.cores() * seconds)
    figure = f"{seconds / 60:.1f} min for {len(runs)} runs; cores busy {busy:.0%}; "
    figure += f"numbers {f'within {off:.0e} of' if off else 'equal to'} those on record"
    rows = [(f"`{name}`", figure, "equal to five digits", off < 1e-5)]
    figures = {"seconds": seconds, "difference": off}
    if name == "degradation":
        figures["dask"], more = scaling.measure(runs)
        rows += more
        versions |= {"distributed": importlib.metadata.version("distributed")}
    return figures, versions, rows
