"""The state of a run in one file, written atomically, that holds numbers and no code.

It is an ``.npz`` with a checksum: the SHA-256 of all bytes before it, as the archive's comment.
"""

import dataclasses
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import shown
from ..files import atomic_write
from ..untrusted import array_heads, naming_damage, parse_json, read_arrays, read_file
from .config import TrainingConfig
from .schemas import STATE

NAME = "checkpoint.npz"
HEAD = "told"  # the file's entry with all that is no array, as JSON
KINDS = ("model", "optimizer")
_DIGITS = 64  # of the checksum, the last bytes of the file
# The last 22 bytes of an archive without a comment, such as the first edition's.
_END = re.compile(rb"PK\x05\x06.{16}\x00\x00", re.DOTALL)


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
    with atomic_write(folder / NAME) as partial:
        with partial.open("wb") as file:
            np.savez(file, **arrays)
        _add_checksum(partial)


def load(folder: Path) -> State | None:
    """The state in this folder, or None.

    Raises:
        ValueError: the file is damaged, or holds something else.
        OSError: it cannot be read.
    """
    path = folder / NAME
    if not path.exists():
        return None
    remedy = "move the folder away to start anew"
    with naming_damage(path, "a checkpoint of this package", remedy):
        return _parse(read_file(path))


def _add_checksum(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = bytes(_DIGITS)
    with path.open("r+b") as file:
        checksum = _checksum(file.read())
        file.seek(-_DIGITS, os.SEEK_END)
        file.write(checksum)


def _checksum(content: bytes) -> bytes:
    """Of a whole file: what its last bytes should be."""
    return hashlib.sha256(content[:-_DIGITS]).hexdigest().encode()


def _parse(content: bytes) -> State:
    """The state in a file's bytes; refuses one with anything damaged: any bit may have flipped."""
    is_first_edition = _END.fullmatch(content[-22:])
    if not is_first_edition and content[-_DIGITS:] != _checksum(content):
        raise ValueError("its checksum is not that of its content")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        heads = array_heads(archive, names)
        # As it was not compressed.
        if sum(head.nbytes for head in heads.values()) > len(content):
            raise ValueError("it unpacks to more than it holds")
        # An entry is read to its end, where zipfile verifies its own checksum.
        arrays = read_arrays(archive, heads)
    # Without a checksum: the number of entries at the end, which zipfile does not verify.
    if is_first_edition and len(arrays) != int.from_bytes(content[-12:-10], "little"):
        raise ValueError(f"only {len(arrays)} of its entries are found")
    head = parse_json(str(arrays.pop(HEAD)).encode(), STATE)
    counts = {kind: sum(name.startswith(f"{kind}_") for name in arrays) for kind in KINDS}
    lists = {
        kind: [arrays.pop(name) for name, _ in _named(kind, range(counts[kind]))] for kind in KINDS
    }
    if arrays:
        raise ValueError(f"nothing is known of {', '.join(arrays)}")
    config, history = TrainingConfig.from_json(head["config"]), head["history"]
    _check_sense(config, history, lists)
    return State(config, head["about"], history, **lists)


def _check_sense(
    config: TrainingConfig, history: list[dict[str, Any]], lists: dict[str, list[np.ndarray]]
) -> None:
    """Refuse what no run has written, such as a file that was made by hand."""
    epochs = [measures["epoch"] for measures in history]
    if epochs != list(range(1, len(history) + 1)) or len(history) > config.epochs:
        raise ValueError(f"its epochs are {shown(epochs)}, of {config.epochs}")
    for kind, arrays in lists.items():
        for array in arrays:
            if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
                raise ValueError(f"its {kind} has {array.dtype} that are no finite numbers")


def _named(kind: str, values: Iterable[Any]) -> list[tuple[str, Any]]:
    return [(f"{kind}_{index}", value) for index, value in enumerate(values)]
