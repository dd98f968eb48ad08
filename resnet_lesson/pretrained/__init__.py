"""A network that has been trained, for those without a GPU: load it, and take it apart.

``python -m resnet_lesson pack RUN OUTPUT`` packs another; RUN is the folder of a finished run.
"""

import contextlib
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import expand_path
from ..untrusted import (
    OBJECT,
    TEXT,
    Head,
    Schema,
    array_heads,
    listed,
    load_json,
    naming_damage,
    read_arrays,
    read_file,
)
from .lesion_record import check_record

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
        ValueError: a file is damaged, or the weights are not those of the record.
    """
    from ..training import Run, TrainingConfig
    from ..training.model import network
    from ..training.schemas import RUN

    folder = expand_path(folder)
    with _naming(folder / RECORD):
        record = load_json(folder / RECORD, _packed(RUN))
        config = TrainingConfig.from_json(record["config"])
    with naming_damage(folder / WEIGHTS, "the weights of its record", "copy it again"):
        content = read_file(folder / WEIGHTS)
        _check_weights(content, record["weights_sha256"], config.depth)
    with _naming(folder / RECORD):
        model = network(config, record["input_shape"], len(record["class_names"]))
    with naming_damage(folder / WEIGHTS, "the weights of its record", "copy it again"):
        weights = _weights(content, model)
    for variable in model.variables:
        variable.assign(weights[variable.path])
    return Run(model, record)


def _packed(run: Schema) -> Schema:
    """The schema of the record that ``pack`` makes of a run's."""
    size = {"type": "integer", "minimum": 1, "maximum": 2**15}
    added = {
        "input_shape": listed(size, least=3) | {"maxItems": 3},
        "class_names": listed(TEXT, least=1),
        "weights_sha256": TEXT,
    }
    return run | {
        "required": [*run["required"], *added],
        "properties": run["properties"] | added,
    }


def _check_weights(content: bytes, sha256: str, depth: int) -> None:
    """Refuse weights that cannot be those of a network, before it is built, which takes a while."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"its checksum is {found}, that of its record {sha256}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        count = len(archive.namelist())
    if count < depth:
        raise ValueError(f"it has {count} arrays, fewer than the {depth} layers of its record")


def _weights(content: bytes, model: Any) -> dict[str, np.ndarray]:
    """The arrays in a file of this content, by the paths of the model's variables."""
    half = np.dtype(np.float16)
    expected = {v.path: Head(tuple(v.shape), half) for v in model.variables}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if array_heads(archive, expected) != expected:  # before they are unpacked
            raise ValueError("its arrays are not those of its network")
        return read_arrays(archive, expected)


def lesions(folder: str | os.PathLike[str] = FOLDER) -> dict[str, Any]:
    """How well the network does without any set of its modules, as a dict.

    ``modules`` are their names, input side first; ``images`` is the number of test images of each
    class; ``without`` has a dict for each set: ``deleted``, a string with a 1 for each module
    that is deleted and a 0 for each that is kept; ``right`` and ``answers``, lists by class of how
    many of its images are classified correctly, and how often it is the answer.

    Raises:
        FileNotFoundError: the folder holds no packed network.
        ValueError: the file is damaged.
    """
    path = expand_path(folder) / LESIONS
    with _naming(path):
        return check_record(load_json(path, OBJECT))


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors say that this is to be a file of a packed network, or how to make it."""
    try:
        with naming_damage(path, f"the {path.name} of a packed network", "copy it again"):
            yield
    except FileNotFoundError:
        raise FileNotFoundError(
            f"no {path}: python -m resnet_lesson pack makes it from a finished run"
        ) from None
