"""How long each study takes on all cores, and whether it gives the committed record again.

More than an hour, so this part is measured only when it is named.
"""

import dataclasses
import importlib.metadata
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import record
import scaling
from process import ROOT

from resnet_lesson import studies

RESULTS = ROOT / "results"


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
        Seconds in all, a dict for each run (settings, ``seconds``, ``process``), and whether the
        record's rows are the committed ones.
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
    return seconds, runs, made.runs == studies.record(name, RESULTS).runs


def rows(found):
    """The table's rows: what, figure, target, met."""
    cores = record.cores()
    for name, one in found.items():
        busy = sum(run["seconds"] for run in one["runs"]) / (cores * one["seconds"])
        figure = f"{one['seconds'] / 60:.1f} min for {len(one['runs'])} runs; cores busy {busy:.0%}"
        yield f"`{name}`", figure, "the committed record", one["same"]
    minutes = sum(one["seconds"] for one in found.values()) / 60
    yield "all together", f"{minutes:.0f} min", "", None


def main():
    """(figures by study and of the cluster, versions, rows of the table)."""
    found = {}
    for name in studies.NAMES:
        seconds, runs, same = timed(name)
        found[name] = {"seconds": seconds, "same": same, "runs": runs}
        print(name, seconds, same, flush=True)
    spread, scaling_rows = scaling.measure(found["degradation"]["runs"])
    figures = {"seconds": {name: one["seconds"] for name, one in found.items()}, "dask": spread}
    versions = {
        name: importlib.metadata.version(name) for name in ("tensorflow", "keras", "distributed")
    }
    return figures, versions, [*rows(found), *scaling_rows]
