"""The state of a run in one file, whole or untouched, that holds numbers and runs nothing."""

import dataclasses
import json
import zipfile

import numpy as np

from ..files import whole
from .config import TrainingConfig

NAME = "checkpoint.npz"


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
    arrays = {f"model_{index}": value for index, value in enumerate(state.model)}
    arrays |= {f"optimizer_{index}": value for index, value in enumerate(state.optimizer)}
    with whole(folder / NAME) as part, part.open("wb") as file:
        np.savez(file, told=np.array(json.dumps(told)), **arrays)


def load(folder):
    """The state in this folder, or None.

    Raises:
        ValueError: the file is damaged, or holds something else.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            told = json.loads(str(file["told"]))
            model, optimizer = (_numbered(file, kind) for kind in ("model", "optimizer"))
        config = TrainingConfig.told(told["config"])
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} must be a checkpoint of this package, received a damaged or other file "
            f"({error}): move it away to start anew"
        ) from error
    return State(config, told["about"], told["history"], model, optimizer)


def _numbered(file, kind):
    count = sum(name.startswith(f"{kind}_") for name in file.files)
    return [file[f"{kind}_{index}"] for index in range(count)]
