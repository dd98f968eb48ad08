"""Run a grid of configurations over seeds, here or on a Dask cluster, and lose nothing.

Each finished run goes to a journal beside the record at once. A study that was killed goes on
from there, and its record is the same as if it had never been.
"""

import contextlib
import datetime
import itertools
import json
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from ..files import exclusive_lock, expand_path, naming_errors, round_figures, sync_to_disk
from ..output import console
from .record import Record, parsed, read, write

# TensorFlow's seed and settings belong to the process, and a Dask worker may have several threads.
_alone = threading.Lock()
# What an entry of a journal has.
_ENTRY = {"key": str, "seed": int, "date": str, "versions": dict, "runs": list}


@dataclass(frozen=True)
class Study:
    """A question as data.

    ``grid`` is a tuple of configurations, dicts with the same keys; ``measure(seed=...,
    **configuration)`` returns a list of flat dicts of measures, one for each line of the record,
    and is called in a process of one thread.
    """

    name: str
    question: str
    grid: tuple
    measure: Callable
    seeds: int = 5


def product(**settings):
    """A grid: every combination of the settings, dicts whose last setting changes fastest."""
    combinations = itertools.product(*settings.values())
    return tuple(dict(zip(settings, values, strict=True)) for values in combinations)


def run(study, folder, seeds=None, scheduler=None):
    """Run what the record in ``folder`` lacks, write it, and return it.

    Args:
        study: a ``Study``.
        folder: where the record, ``NAME.json``, and the journal of an unfinished study are.
        seeds: how many; None takes the study's own number. Seeds on record are kept.
        scheduler: address of a Dask scheduler whose workers have this package; None takes the
            cores of this machine.

    Raises:
        ValueError: what is on record was made with other versions or on another device, or is
            damaged; or the study is being run there already.
        ImportError: a scheduler, but no Dask.
        OSError: ``folder`` cannot be written to. What was measured before is kept.
    """
    seeds = study.seeds if seeds is None else seeds
    if seeds < 1:
        raise ValueError(f"seeds must be at least 1, received {seeds}")
    folder = expand_path(folder).absolute()  # wherever the process goes meanwhile
    path, journal = folder / f"{study.name}.json", folder / f"{study.name}.journal"
    with naming_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(folder / f".{study.name}.lock", f"run of {study.name} in {folder}"):
        return _completed(study, path, journal, seeds, scheduler)


def _completed(study, path, journal, seeds, scheduler):
    """The record after what it lacked was run."""
    recorded = _recorded(study, path)
    entries = recorded | _journalled(journal)
    seeds = max([seeds, *(entry["seed"] + 1 for entry in entries.values())])
    tasks = {_key(c, seed): (c, seed) for c in study.grid for seed in range(seeds)}
    missing = {key: task for key, task in tasks.items() if key not in entries}
    made_with = {_text(entry["versions"]) for entry in entries.values()}
    if missing:
        _log(journal, "")  # Before an hour of work, find out whether it can be kept.
        for entry in _measured(study, missing, len(tasks), scheduler):
            made_with.add(_text(entry["versions"]))
            _check_versions(study, made_with, path)
            entries[entry["key"]] = entry
            _log(journal, json.dumps(entry, allow_nan=False) + "\n")
    if recorded.keys() != tasks.keys():
        write(path, _record(study, [entries[key] for key in tasks], seeds))
    journal.unlink(missing_ok=True)
    return read(path)


def _text(value):
    """The same text for the same value, to tell and find it by."""
    return json.dumps(value, sort_keys=True)


def _key(configuration, seed):
    return _text([configuration, seed])


def _recorded(study, path):
    """The finished record as journal entries."""
    if not path.exists():
        return {}
    record, entries = read(path), {}
    for run in record.runs:
        key = _key({name: run.get(name) for name in study.grid[0]}, run["seed"])
        about = {name: record.about[name] for name in ("date", "versions")}
        entry = entries.setdefault(key, {"key": key, "seed": run["seed"], "runs": []} | about)
        entry["runs"].append(run)
    return entries


def _log(journal, text):
    """Add to the journal, to the disk."""
    with naming_errors(journal), journal.open("a", encoding="utf-8") as log:
        log.write(text)
        sync_to_disk(log)


def _journalled(journal):
    """The entries of a study that was interrupted; a last line cut short is cut off."""
    if not journal.exists():
        return {}
    whole, end, torn = journal.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(journal, len(whole + end))
    entries = {}
    for number, line in enumerate(whole.split(b"\n") if end else (), start=1):
        entry = parsed(line, _ENTRY)
        if entry is None:
            raise ValueError(
                f"each line of a journal must be the entry of a run, received {journal}, line "
                f"{number}: remove that line, and its run is made again"
            )
        entries[entry["key"]] = entry
    return entries


def _record(study, entries, seeds):
    command = f"python -m resnet_lesson study {study.name}"
    if seeds != study.seeds:
        command += f" --seeds {seeds}"
    about = {"study": study.name, "question": study.question, "command": command}
    about |= {"date": min(entry["date"] for entry in entries), "versions": entries[0]["versions"]}
    return Record([run for entry in entries for run in entry["runs"]], about)


def _check_versions(study, made_with, path):
    if len(made_with) > 1:
        raise ValueError(
            f"all runs of {study.name} must come from one device and one set of versions, received "
            f"{' and '.join(sorted(made_with))}: move {path.with_suffix('')}.* away to start afresh"
        )


def _measured(study, tasks, total, scheduler):
    """The journal entry of each task as it is done, in any order, under a progress bar."""
    from rich.progress import Progress  # not for those who only read a record

    with _pool(scheduler) as pool, Progress(console=console()) as progress:
        bar = progress.add_task(study.name, total=total, completed=total - len(tasks))
        futures = [pool.submit(_entry, study.measure, *task) for task in tasks.values()]
        try:
            for future in as_completed(futures):
                yield future.result()
                progress.advance(bar)
        finally:
            for future in futures:
                future.cancel()


def _entry(measure, configuration, seed):
    """What one run leaves in the journal; called where it is computed."""
    from ..runtime import use_one_thread, versions

    with _alone:
        use_one_thread()
        measures = measure(seed=seed, **configuration)
    runs = [{name: round_figures(value) for name, value in row.items()} for row in measures]
    return {
        "key": _key(configuration, seed),
        "seed": seed,
        "date": datetime.date.today().isoformat(),
        "versions": versions() | {"threads": "1"},
        "runs": [configuration | {"seed": seed} | run for run in runs],
    }


@contextlib.contextmanager
def _pool(scheduler):
    if scheduler is None:
        # A forked TensorFlow hangs; a spawned process imports its own.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(mp_context=spawn, initializer=_end_with_parent) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError('a scheduler needs Dask: pip install "resnet-lesson[cluster]"') from error
    with Client(scheduler) as client, client.get_executor(pure=False) as pool:
        yield pool


def _end_with_parent():
    """End this worker when its parent is killed: alone, it would wait for work forever."""

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
