"""Run a grid of configurations over seeds, here or on a Dask cluster, and lose no finished run.

Each finished run is appended to a journal beside the record at once. A study that was killed
resumes from there, and its record is the same as that of a study that ran without interruption.
"""

import contextlib
import datetime
import itertools
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import stopping
from ..checks import check_integer, shown
from ..files import exclusive_lock, naming_errors, round_figures, sync_to_disk, user_path
from ..keras_settings import NEEDS_TENSORFLOW, configured_backend
from ..output import console
from ..untrusted import COUNT, OBJECT, TEXT, naming_damage, objects, parse_json, read_file
from .record import (
    ROWS,
    VERSIONS,
    Record,
    Row,
    canonical_json,
    checksum,
    read_record,
    tried,
    write_record,
)

Configuration = dict[str, Any]
Entry = dict[str, Any]  # a finished run in the journal
MOST_SEEDS = 1000  # all runs of a study stand in one list
_KEY = {"type": "array", "items": [OBJECT, COUNT], "minItems": 2, "maxItems": 2}
_ENTRY = objects(key=TEXT, seed=COUNT, date=TEXT, versions=VERSIONS, runs=ROWS)
# The first edition's have no checksum. The name of one that is damaged is unknown, too.
_LINE = _ENTRY | {
    "properties": _ENTRY["properties"] | {"sha256": TEXT},
    "additionalProperties": False,
}
# TensorFlow's seed and settings belong to the process, and a Dask worker may have several threads.
_one_run_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Study:
    """A question as data.

    ``grid`` is a tuple of configurations, dicts with the same keys; ``measure(seed=...,
    **configuration)`` returns a list of flat dicts of measures, one for each row of the record,
    and is called in a process where TensorFlow uses one thread.
    """

    name: str
    question: str
    grid: tuple[Configuration, ...]
    measure: Callable[..., list[Row]]
    seeds: int = 5


def product(**settings: Iterable[Any]) -> tuple[Configuration, ...]:
    """A grid: every combination of the settings, dicts whose last setting changes fastest."""
    return tuple(
        dict(zip(settings, values, strict=True)) for values in itertools.product(*settings.values())
    )


def run(
    study: Study,
    folder: str | os.PathLike[str],
    seeds: int | None = None,
    scheduler: str | None = None,
) -> Record:
    """Run what the record in ``folder`` lacks, write it, and return it.

    Args:
        study: a ``Study``.
        folder: where the record, ``NAME.json``, and the journal of an unfinished study are.
        seeds: how many; None takes the study's own number. Seeds on record are kept.
        scheduler: address of a Dask scheduler whose workers have this package; None takes the
            cores of this machine.

    Raises:
        ValueError: what is on record was made with other versions or on another device, or is
            damaged; or another process is running the study there.
        ImportError: a scheduler, but no Dask; or Keras is set to another backend than TensorFlow.
        OSError: ``folder`` cannot be written to, or a process that measured was ended from outside.
            What was measured before is kept.
    """
    seeds = check_seeds("seeds", study.seeds if seeds is None else seeds)
    if scheduler is not None:
        check_scheduler("scheduler", scheduler)
    place = user_path("folder", folder)
    path, journal = place / f"{study.name}.json", place / f"{study.name}.journal"
    with naming_errors(place):
        place.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(place / f".{study.name}.lock", f"run of {study.name} in {place}") as check:
        return _run_missing(study, path, journal, seeds, scheduler, check)


def check_seeds(what: str, value: Any) -> int:
    """A number of seeds.

    Raises:
        ValueError: the value is anything else.
    """
    return check_integer(what, value, most=MOST_SEEDS)


def check_scheduler(what: str, value: Any) -> None:
    """The address of a Dask scheduler.

    Raises:
        ValueError: the value is anything else.
    """
    try:
        parts = urlsplit(value if "://" in value else f"tcp://{value}")
        is_address = parts.scheme == "inproc" or bool(parts.hostname and parts.port)
    except (TypeError, ValueError):
        is_address = False
    if not is_address:
        raise ValueError(
            f"{what} must be an address such as tcp://127.0.0.1:8786, received {shown(value)}"
        )


def _run_missing(
    study: Study,
    path: Path,
    journal: Path,
    seeds: int,
    scheduler: str | None,
    check_folder: Callable[[], None],
) -> Record:
    """Run what record and journal lack, and return the complete record.

    ``check_folder`` raises an OSError where the folder is no longer the study's.
    """
    on_record = _read_entries(study, path)
    entries = on_record | _read_journal(journal)
    _check_versions(study, entries.values(), path)
    seeds = max([seeds, *(entry["seed"] + 1 for entry in entries.values())])
    check_seeds(f"the number of seeds on record in {path.with_suffix('')}.*", seeds)
    tasks = {_key(c, seed): (c, seed) for c in study.grid for seed in range(seeds)}
    missing = [task for key, task in tasks.items() if key not in entries]
    if missing:
        if scheduler is None and (backend := configured_backend()) != "tensorflow":
            raise ImportError(NEEDS_TENSORFLOW.format(backend))
        with (
            _pool(scheduler) as pool,
            contextlib.closing(_run_tasks(study, missing, len(tasks), pool)) as finished,
        ):
            _append_text(journal, "")  # before an hour of work, find out whether it can be kept
            for entry in finished:
                entries[entry["key"]] = entry
                # One of those before stands for all: a comparison with each would slow a large one.
                _check_versions(study, (next(iter(entries.values())), entry), path)
                check_folder()
                _append(journal, entry)
    check_folder()
    if on_record.keys() != tasks.keys():
        write_record(path, _record(study, [entries[key] for key in tasks], seeds))
    journal.unlink(missing_ok=True)
    return read_record(path)


def _key(configuration: Configuration, seed: int) -> str:
    return canonical_json([configuration, seed])


def _read_entries(study: Study, path: Path) -> dict[str, Entry]:
    """The finished record as journal entries, by key."""
    if not path.exists():
        return {}
    record = read_record(path, study.name)
    about = {name: record.about[name] for name in ("date", "versions")}
    entries: dict[str, Entry] = {}
    for row in record.runs:
        key = _key({name: row.get(name) for name in study.grid[0]}, row["seed"])
        entry = entries.setdefault(key, {"key": key, "seed": row["seed"], "runs": []} | about)
        entry["runs"].append(row)
    return entries


def _append(journal: Path, entry: Entry) -> None:
    """Append a line with the entry and its checksum."""
    line = json.dumps(entry | {"sha256": checksum(entry)}, allow_nan=False)
    _append_text(journal, f"{line}\n")


def _append_text(journal: Path, text: str) -> None:
    """Append to the journal, and wait until it is on the disk."""
    with naming_errors(journal), journal.open("a", encoding="utf-8") as file:
        file.write(text)
        sync_to_disk(file)


def _read_journal(journal: Path) -> dict[str, Entry]:
    """The entries of an interrupted study, by key; an incomplete last line is removed."""
    if not journal.exists():
        return {}
    with naming_damage(journal, "the journal of a study", "move it away"):
        content = read_file(journal)
    *lines, last = content.split(b"\n")
    entries = [_parsed(line, journal, number) for number, line in enumerate(lines, start=1)]
    if last:
        try:
            entries.append(_parsed(last, journal, len(lines) + 1))
        except ValueError:
            if not _begins_an_entry(last):
                raise
            os.truncate(journal, len(content) - len(last))
        else:  # an editor may have taken the end of the line
            _append_text(journal, "\n")
    return {entry["key"]: entry for entry in entries}


def _begins_an_entry(line: bytes) -> bool:
    """Whether this may be an entry whose end did not reach the disk."""
    beginning = b'{"key": '
    in_one_line = all(byte >= 32 for byte in line)
    return in_one_line and line[: len(beginning)] == beginning[: len(line)]


def _parsed(line: bytes, journal: Path, number: int) -> Entry:
    """The entry in a line of a journal, without its checksum."""
    place, remedy = f"{journal}, line {number}", "remove that line, and its run is made again"
    with naming_damage(place, "the entry of a run", remedy):
        entry = parse_json(line, _LINE)
        if entry.pop("sha256", None) not in (None, checksum(entry)):
            raise ValueError("its checksum is not that of its content")
        configuration, seed = parse_json(entry["key"].encode(), _KEY)
        whole = configuration | {"seed": entry["seed"]}
        if seed != entry["seed"] or not all(row.items() >= whole.items() for row in entry["runs"]):
            raise ValueError("its runs are not those of its key")
        return entry


def _record(study: Study, entries: list[Entry], seeds: int) -> Record:
    command = f"python -m resnet_lesson study {study.name}"
    if seeds != study.seeds:
        command += f" --seeds {seeds}"
    about = {
        "study": study.name,
        "question": study.question,
        "command": command,
        "tried": tried(study.grid),
        "date": min(entry["date"] for entry in entries),
        "versions": entries[0]["versions"],
    }
    return Record([row for entry in entries for row in entry["runs"]], about)


def _check_versions(study: Study, entries: Iterable[Entry], path: Path) -> None:
    made_with = {canonical_json(entry["versions"]) for entry in entries}
    if len(made_with) > 1:
        raise ValueError(
            f"all runs of {study.name} must come from one device and one set of versions, received "
            f"{' and '.join(sorted(made_with))}: move {path.with_suffix('')}.* away to start afresh"
        )


def _run_tasks(
    study: Study, tasks: list[tuple[Configuration, int]], total: int, pool: Executor
) -> Generator[Entry, None, None]:
    """The journal entry of each task as soon as it is done, in any order, under a progress bar."""
    from rich.progress import Progress  # not needed where a record is only read

    with Progress(console=console()) as progress:
        bar = progress.add_task(study.name, total=total, completed=total - len(tasks))
        try:
            with _without_interrupts():
                futures = [pool.submit(_run_task, study.measure, *task) for task in tasks]
            for future in as_completed(futures):
                yield future.result()
                progress.advance(bar)
        except BrokenExecutor as error:
            raise ChildProcessError(
                f"a process that measured {study.name} was ended from outside, perhaps for want of "
                "memory: what was finished is kept, and the same command goes on from there"
            ) from error


def _run_task(measure: Callable[..., list[Row]], configuration: Configuration, seed: int) -> Entry:
    """Measure one configuration and seed, on a worker, and return the journal entry."""
    from ..runtime import use_one_thread, versions

    with _one_run_at_a_time:
        use_one_thread()
        measured = measure(seed=seed, **configuration)
    rows = [{name: round_figures(value) for name, value in row.items()} for row in measured]
    return {
        "key": _key(configuration, seed),
        "seed": seed,
        "date": datetime.date.today().isoformat(),
        "versions": versions() | {"threads": "1"},
        "runs": [configuration | {"seed": seed} | row for row in rows],
    }


@contextlib.contextmanager
def _pool(scheduler: str | None) -> Iterator[Executor]:
    """Processes that measure. An error ends what they are at: nobody will ask for it any more."""
    if scheduler is None:
        # TensorFlow hangs in a forked process; a spawned one imports its own.
        spawn = multiprocessing.get_context("spawn")
        others = multiprocessing.active_children()
        with _without_interrupts():
            pool = ProcessPoolExecutor(mp_context=spawn, initializer=_begin_worker)
        with pool:
            try:
                yield pool
            except BaseException:
                for process in {*multiprocessing.active_children()} - {*others}:
                    process.kill()
                raise
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError('a scheduler needs Dask: pip install "resnet-lesson[cluster]"') from error
    with Client(scheduler) as client, client.get_executor(pure=False) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False)
            raise


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C, which goes to all of a terminal, does not reach.

    A process inherits what its parent blocks. What starts them is not interrupted, either, so that
    none is forgotten.
    """
    with stopping.held_back():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end this process when the parent is killed.

    It would wait for work forever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where nothing can be blocked

    def wait() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
