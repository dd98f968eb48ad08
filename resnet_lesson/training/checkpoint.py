"""The state of a run in one file, whole or untouched, that holds numbers and runs nothing."""

import dataclasses
import io
import json
import zipfile

import numpy as np

from ..files import atomic_write
from .config import TrainingConfig

NAME = "checkpoint.npz"
KINDS = ("model", "optimizer")


@dataclasses.dataclass(frozen=True)
class State:
    """Where a run stands after its last full epoch.

    The order of the images and all random draws follow from ``config.seed`` and the epoch, of
    which ``history`` has one row each. ``model`` and ``optimizer`` are lists of arrays; ``about``
    is a dict of strings and numbers that the record begins with.
    """

    config: TrainingConfig
    about: dict
    history: list
    model: list
    optimizer: list


def save(folder, state):
    """Put the state in the place of the one before."""
    told = {
        "config": dataclasses.asdict(state.config),
        "about": state.about,
        "history": state.history,
    }
    arrays = {name: value for kind in KINDS for name, value in _named(kind, getattr(state, kind))}
    with atomic_write(folder / NAME) as part, part.open("wb") as file:
        np.savez(file, told=np.array(json.dumps(told)), **arrays)


def load(folder):
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
        return _state(content)
    except Exception as error:  # a flipped bit makes NumPy and zipfile raise whatever there is
        raise ValueError(
            f"{path} must be a checkpoint of this package, received a damaged or other file "
            f"({error}): move the folder away to start anew"
        ) from error


def _state(content):
    """That of a file's bytes, with nothing missing or damaged: a bit may have flipped anywhere."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        # Each entry is read whole: its checksum is looked at when its end is.
        arrays = {name.removesuffix(".npy"): _array(file.read(name)) for name in file.namelist()}
    # The archive ends with the number of its entries, which zipfile does not count.
    if len(arrays) != int.from_bytes(content[-12:-10], "little"):
        raise ValueError(f"only {len(arrays)} of its entries are found")
    told = json.loads(str(arrays.pop("told")))
    counts = {kind: sum(name.startswith(f"{kind}_") for name in arrays) for kind in KINDS}
    lists = {
        kind: [arrays.pop(name) for name, _ in _named(kind, range(counts[kind]))] for kind in KINDS
    }
    if arrays:
        raise ValueError(f"nothing is known of {', '.join(arrays)}")
    return State(TrainingConfig.from_json(told["config"]), told["about"], told["history"], **lists)


def _array(content):
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _named(kind, values):
    return [(f"{kind}_{index}", value) for index, value in enumerate(values)]
