"""A run's folder: the files in it, and that it belongs to one training at a time."""

import contextlib
import csv
import hashlib
import os
import shlex
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..backend import keras
from ..files import atomic_write, exclusive_lock, json_table, user_path, weights_content
from ..gradients.monitor import GradientMonitor
from ..untrusted import naming_damage, read_file, read_json
from . import checkpoint
from .config import TrainingConfig
from .schemas import COLUMNS, RUN

LOG, WEIGHTS, CURVES, RECORD = "log.csv", "model.weights.h5", "curves.png", "record.json"
GRADIENTS = "gradients.csv"  # of the call that began the run
NAMES = (checkpoint.NAME, LOG, WEIGHTS, CURVES, RECORD, GRADIENTS)
LOCK = ".training.lock"


def begun(output: str | os.PathLike[str]) -> TrainingConfig | None:
    """The configuration of the run in this folder, or None."""
    state = checkpoint.load(user_path("output", output))
    return state.config if state else None


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[Callable[[], None]]:
    """The folder for one training at a time; made if missing, and removed if empty at the end.

    Yields a function that raises an OSError where the folder was moved away meanwhile.

    Raises:
        ValueError: another training holds it, or it is a file.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise ValueError(f"output must be a folder, received the file {folder}") from error
        with exclusive_lock(folder / LOCK, f"training in {folder}") as check:
            yield check
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # it is not empty
                path.rmdir()


def check_no_other_files(folder: Path, names: Iterable[str] = NAMES) -> None:
    """Refuse a folder that has files under these names, a run's, where nothing was begun.

    Raises:
        ValueError: with their names.
    """
    others = [name for name in names if (folder / name).exists()]
    if others:
        raise ValueError(
            f"output must be a folder without files of others, received {folder} with "
            f"{', '.join(others)}: choose another, or move them away"
        )


def gradients_name(done: int) -> str:
    """The file of the gradients of a call that goes on after so many epochs."""
    return f"gradients_from_epoch_{done + 1}.csv" if done else GRADIENTS


@contextlib.contextmanager
def keeping_gradients(
    path: Path, monitor: GradientMonitor, check: Callable[[], None]
) -> Iterator[None]:
    """Write what the monitor has recorded at the end, also at that by an error or Ctrl-C.

    An error in writing does not take the place of that error.

    Args:
        path: of the file.
        monitor: of the ``fit`` in the context.
        check: raises an OSError where the folder is no longer the run's.
    """

    def write() -> None:
        check()
        if len(monitor.records["step"]):
            monitor.to_csv(path)

    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            write()
        raise
    write()


def load_finished(
    folder: Path, history: list[dict[str, Any]], model: keras.Model
) -> dict[str, Any] | None:
    """The record of the finished run with this history, and its weights into the model.

    None where one of them cannot be read: then both are to be written again.
    """
    try:
        record = read_record(folder)
        if record["history"] == history:
            load_weights(folder, record, model)
            return record
    except (OSError, ValueError):
        pass
    return None


def read_record(folder: Path) -> dict[str, Any]:
    """The record of the finished run in this folder.

    Raises:
        ValueError: it is damaged.
        OSError: it cannot be read.
    """
    return read_json(folder / RECORD, RUN, "the record of a run", _remedy(folder))


def _remedy(folder: Path) -> str:
    command = f"python -m resnet_lesson train --resume --output {shlex.quote(str(folder))}"
    return f"{command} writes it again from the checkpoint"


def load_weights(folder: Path, record: dict[str, Any], model: keras.Model) -> None:
    """Give a model the weights of the finished run in this folder.

    Raises:
        ValueError: they are damaged, or not those of the record.
        OSError: they cannot be read.
    """
    path = folder / WEIGHTS
    with naming_damage(path, "the weights of a run", _remedy(folder)):
        digest = hashlib.sha256(read_file(path)).hexdigest()
        if digest != record.get("weights_sha256", digest):  # the first edition's has none
            raise ValueError(f"its checksum is not that of {RECORD}")
        model.load_weights(path)


def write_log(folder: Path, history: list[dict[str, Any]]) -> None:
    """Write one line of ``log.csv`` an epoch, without the norms."""
    with (
        atomic_write(folder / LOG) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(history)


def write_results(folder: Path, model: keras.Model, record: dict[str, Any]) -> None:
    """Write all that a finished run leaves beside its checkpoint.

    The record gets the checksum of the weights.
    """
    write_log(folder, record["history"])
    if record["history"]:
        _write_curves(folder, record)
    # The record comes last, and together with the weights: where it is, everything else is, too.
    weights = weights_content(model)
    record["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    with atomic_write(folder / RECORD) as partial:
        partial.write_text(json_table(record, "history"), encoding="utf-8")
        with atomic_write(folder / WEIGHTS) as partial_weights:
            partial_weights.write_bytes(weights)


def _write_curves(folder: Path, record: dict[str, Any]) -> None:
    """Write the picture of the curves; warn where it cannot be drawn."""
    from .. import plots

    try:
        with plots.closed_on_error():
            picture = plots.png(plots.training_run(record["history"], record["layers"]))
    except Exception as error:
        warnings.warn(f"curves.png cannot be drawn: {error}", stacklevel=3)
        return
    with atomic_write(folder / CURVES) as partial:
        partial.write_bytes(picture)
