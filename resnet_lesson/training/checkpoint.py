"""The state of a run in one file, written atomically, that holds numbers and no code."""

import dataclasses
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..files import atomic_write
from .config import TrainingConfig

NAME = "checkpoint.npz"
HEAD = "told"  # the file's entry with all that is no array, as JSON
KINDS = ("model", "optimizer")


@dataclasses.dataclass(frozen=True)
class State:
    """Where a run stands after its last full epoch.

    The order of the images and all random draws follow from ``config.seed`` and the epoch, of
    which ``history`` has one dict each. ``model`` and ``optimizer`` are lists of arrays; ``about``
    is a dict of strings and numbers: the provenance, with which the record begins.
    """

    config: TrainingConfig
    about: dict[str, Any]
    history: list[dict[str, Any]]
    model: list[np.ndarray]
    optimizer: list[np.ndarray]


def save(folder: Path, state: State) -> None:
    """Write the state in place of the one before."""
    head = {"config": state.config.to_json(), "about": state.about, "history": state.history}
    arrays: dict[str, Any] = {HEAD: np.array(json.dumps(head))}
    for kind in KINDS:
        arrays |= _named(kind, getattr(state, kind))
    with atomic_write(folder / NAME) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def load(folder: Path) -> State | None:
    """The state in this folder, or None.

    Raises:
        ValueError: the file is damaged, or holds something else.
        OSError: it cannot be read.
    """
    path = folder / NAME
    if not path.exists():
        return None
    content = path.read_bytes()
    try:
        return _parse(content)
    except Exception as error:  # a flipped bit makes NumPy and zipfile raise all kinds of errors
        raise ValueError(
            f"{path} must be a checkpoint of this package, received a damaged or other file "
            f"({error}): move the folder away to start anew"
        ) from error


def _parse(content: bytes) -> State:
    """The state in a file's bytes; refuses one with anything damaged: any bit may have flipped."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        # An entry is read to its end, where zipfile verifies its checksum.
        arrays = {
            name.removesuffix(".npy"): np.load(io.BytesIO(file.read(name)), allow_pickle=False)
            for name in file.namelist()
        }
    # The archive ends with the number of its entries, which zipfile does not verify.
    if len(arrays) != int.from_bytes(content[-12:-10], "little"):
        raise ValueError(f"only {len(arrays)} of its entries are found")
    head = json.loads(str(arrays.pop(HEAD)))
    counts = {kind: sum(name.startswith(f"{kind}_") for name in arrays) for kind in KINDS}
    lists = {
        kind: [arrays.pop(name) for name, _ in _named(kind, range(counts[kind]))] for kind in KINDS
    }
    if arrays:
        raise ValueError(f"nothing is known of {', '.join(arrays)}")
    return State(TrainingConfig.from_json(head["config"]), head["about"], head["history"], **lists)


def _named(kind: str, values: Iterable[Any]) -> list[tuple[str, Any]]:
    return [(f"{kind}_{index}", value) for index, value in enumerate(values)]
