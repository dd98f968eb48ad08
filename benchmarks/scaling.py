"""How far a study spreads over a Dask cluster.

What a run costs the machine where the study was started is measured, with runs that do nothing; so
is the gain of a second worker here. From both, and from the times of a study's runs, larger
clusters are simulated; the simulation is held against real workers that only sleep.
"""

import dataclasses
import heapq
import statistics
import tempfile
import time
from pathlib import Path

from distributed import Client, LocalCluster

from resnet_lesson import studies
from resnet_lesson.studies import Study
from resnet_lesson.studies.engine import product

WORKERS = (2, 4, 8, 16, 32, 64, 128)
ENOUGH = 0.8  # of the time of the workers must go into runs
EMPTY_RUNS = 1000
SHRUNK, SLEEPERS = 0.05, 32  # of the real times; workers
NETWORK = ("depth", "shortcut")  # settings by which a worker builds a network of the study anew


def nothing(index, seed):
    """A run without work, whose row is as long as one of ``degradation``."""
    return [{f"a measure of this run, {number}": 1 / (number + seed + 1) for number in range(33)}]


def train_briefly(index, seed):
    """A run of a second: ResNet-8 on digits for ten epochs."""
    from resnet_lesson.studies.trainer import start

    trainer = start(seed, 8, True)
    trainer.train(10, 0.1, seed)
    return [trainer.accuracies()]


def seconds_on(workers, measure, runs):
    """Seconds of a study of so many runs on Dask workers here that have TensorFlow loaded."""
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    study = Study("scaling", "How fast?", product(index=range(runs)), measure, seeds=1)
    warm_up = dataclasses.replace(study, grid=product(index=range(4 * workers)))
    with tempfile.TemporaryDirectory() as folder, LocalCluster(**options) as cluster:
        studies.run(warm_up, Path(folder) / "warm_up", scheduler=cluster.scheduler_address)
        started = time.perf_counter()
        studies.run(study, folder, scheduler=cluster.scheduler_address)
        return time.perf_counter() - started


def typical(log):
    """What the log of a study tells of its runs.

    Args:
        log: for each run its settings, ``seconds`` and ``process``, in the order of their ends.

    Returns:
        A list of (network, seconds) for each run in the order of the log, the seconds being the
        median over seeds; and by network, the seconds that the first run on a worker takes beyond
        that, in which the worker builds and traces the network.
    """
    own = ("seed", "seconds", "process")

    def settings(run):
        return tuple((name, value) for name, value in run.items() if name not in own)

    def network(run):
        return tuple(run[name] for name in NETWORK)

    by_configuration, beyond, seen = {}, {}, set()
    for run in log:
        by_configuration.setdefault(settings(run), []).append(run["seconds"])
    median = {each: statistics.median(times) for each, times in by_configuration.items()}
    for run in log:
        if (run["process"], network(run)) not in seen:
            seen.add((run["process"], network(run)))
            late = run["seconds"] - median[settings(run)]
            beyond.setdefault(network(run), []).append(late)
    runs = [(network(run), median[settings(run)]) for run in log]
    return runs, {each: statistics.mean(times) for each, times in beyond.items()}


def simulated(runs, workers, overhead, first=None):
    """Seconds until the last result is kept.

    A free worker takes the next run; results go through one machine, each for ``overhead`` seconds.

    Args:
        runs: (network, seconds) of each.
        first: by network, the seconds that it costs a worker once.
    """
    free = [(0.0, worker) for worker in range(workers)]
    ends, built = [], set()
    for network, seconds in runs:
        now, worker = heapq.heappop(free)
        if first and (worker, network) not in built:
            built.add((worker, network))
            now += first[network]
        heapq.heappush(free, (now + seconds, worker))
        ends.append(now + seconds)
    kept = 0.0
    for end in sorted(ends):
        kept = max(kept, end) + overhead
    return kept


def sleeping(runs):
    """Seconds in which SLEEPERS real workers sleep through all runs, shrunk by SHRUNK."""
    options = {"n_workers": SLEEPERS, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=False, **options) as cluster, Client(cluster) as client:
        client.gather(client.map(time.sleep, [0.0] * SLEEPERS, pure=False))
        started = time.perf_counter()
        naps = [SHRUNK * seconds for _, seconds in runs]
        client.gather(client.map(time.sleep, naps, pure=False))
        return time.perf_counter() - started


def measure(log):
    """(figures, rows of the table) for the study with this log."""
    runs, first = typical(log)
    overhead = seconds_on(2, nothing, EMPTY_RUNS) / EMPTY_RUNS
    one, two = (seconds_on(workers, train_briefly, 30) for workers in (1, 2))
    slept = sleeping(runs)
    expected = simulated([(network, SHRUNK * s) for network, s in runs], SLEEPERS, 0.0)
    alone = sum(seconds for _, seconds in runs)
    share = {
        workers: alone / workers / simulated(runs, workers, overhead, first) for workers in WORKERS
    }
    figures = {
        "seconds_of_a_run": {
            "median": statistics.median(seconds for _, seconds in runs),
            "longest": max(seconds for _, seconds in runs),
            "all": round(alone, 1),
        },
        "seconds_of_a_first_run_beyond": {str(net): round(s, 2) for net, s in first.items()},
        "overhead_seconds": round(overhead, 5),
        "seconds_by_workers_here": {1: round(one, 1), 2: round(two, 1)},
        "sleeping_seconds": {"slept": round(slept, 2), "simulated": round(expected, 2)},
        "share_of_workers_time_in_runs": {n: round(each, 3) for n, each in share.items()},
    }
    return figures, list(rows(figures))


def rows(figures):
    here, slept = figures["seconds_by_workers_here"], figures["sleeping_seconds"]
    share = figures["share_of_workers_time_in_runs"]
    figure = f"{1000 * figures['overhead_seconds']:.1f} ms a run"
    yield "Dask's scheduler, the journal and the record, of runs that do nothing", figure, "", None
    figure = f"{here[1]:.1f} s, {here[2]:.1f} s: {here[1] / here[2]:.2f} times as fast"
    yield "30 trainings of a second on one Dask worker here, and on two", figure, "", None
    figure = f"{slept['slept']:.1f} s; simulated {slept['simulated']:.1f} s"
    yield f"{SLEEPERS} workers that sleep through `degradation`'s runs, shortened", figure, "", None
    figure = ", ".join(f"{workers}: {each:.0%}" for workers, each in share.items())
    longest = figures["seconds_of_a_run"]["longest"]
    most = max((workers for workers, each in share.items() if each >= ENOUGH), default=1)
    what = "`degradation` simulated on more workers: the share of their time that goes into runs"
    most = f"at least {ENOUGH:.0%} up to {most}; the longest run takes {longest:.0f} s"
    yield what, f"{figure}; {most}", "", None
