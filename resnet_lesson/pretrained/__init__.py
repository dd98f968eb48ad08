"""A network that has been trained, for those without a GPU: load it, and take it apart.

``python -m resnet_lesson pack RUN OUTPUT`` packs another; RUN is the folder of a finished run.
"""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import expand_path

if TYPE_CHECKING:
    from ..training.record import Run

FOLDER = Path(__file__).parent / "resnet20"
WEIGHTS, RECORD, LESIONS, MISTAKES = "weights.npz", "record.json", "lesions.json", "mistakes.png"


def load(folder: str | os.PathLike[str] = FOLDER) -> "Run":
    """The trained network and the record of how it got there, as a ``training.Run``.

    The weights are float16 in a file of plain arrays, which holds numbers and no code; the model
    computes in float32.

    Raises:
        FileNotFoundError: the folder holds no packed network.
        ValueError: the weights are not those of the record.
    """
    from ..training import Run, TrainingConfig
    from ..training.model import network

    folder = expand_path(folder)
    record = read_json(folder / RECORD)
    content = (folder / WEIGHTS).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != record["weights_sha256"]:
        raise ValueError(
            f"{folder / WEIGHTS} must have the checksum {record['weights_sha256']} of its record, "
            f"received {digest}: copy it again"
        )
    config = TrainingConfig.from_json(record["config"])
    model = network(config, record["input_shape"], len(record["class_names"]))
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        for variable in model.variables:
            variable.assign(file[variable.path])
    return Run(model, record)


def lesions(folder: str | os.PathLike[str] = FOLDER) -> dict[str, Any]:
    """How well the network does without any set of its modules, as a dict.

    ``modules`` are their names, input side first; ``images`` is the number of test images of each
    class; ``without`` has a dict for each set: ``deleted``, a string with a 1 for each module
    that is deleted and a 0 for each that is kept; ``right`` and ``answers``, lists by class of how
    many of its images are classified correctly, and how often it is the answer.

    Raises:
        FileNotFoundError: the folder holds no packed network.
    """
    return read_json(expand_path(folder) / LESIONS)


def read_json(path: Path) -> dict[str, Any]:
    """The dict in one of these files.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"no {path}: python -m resnet_lesson pack makes it from a finished run"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} must be JSON, received a damaged or other file ({error}): copy it again"
        ) from error
