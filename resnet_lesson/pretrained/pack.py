"""Pack a finished run: its weights in half precision, and what is measured of its network."""

import hashlib
import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import plots
from ..backend import keras
from ..data import Dataset
from ..data import load as load_data
from ..files import atomic_write, expand_path, json_table, round_figures
from ..networks.dissect import confusions, module_names
from ..training import TrainingConfig
from ..training import folder as run_folder
from ..training.model import network
from ..training.record import digest
from . import LESIONS, MISTAKES, RECORD, WEIGHTS

FILES = (RECORD, LESIONS, MISTAKES, WEIGHTS)
SHOWN = 12  # mistakes in the picture


def pack(
    run: str | os.PathLike[str],
    data: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str],
) -> None:
    """Write a finished run's weights as float16, and what is measured of the network with them.

    The weights are those that the run's record describes, ``model.weights.h5``.

    Args:
        run: the folder of a run that ``training.train`` has finished.
        data: the path of the data it was trained on, or None as for ``load``.
        folder: where the four files go; made if it is missing. (The lesson keeps the picture of
            the mistakes beside its notebooks.)

    Raises:
        ValueError: the run is not finished, the data are not its own, or ``folder`` holds files
            under these names.
        FloatingPointError: a weight is beyond what float16 holds.
    """
    run, folder = expand_path(run), expand_path(folder)
    if not (run / run_folder.RECORD).exists():
        raise ValueError(f"{run} must hold a finished run, received none: train --resume ends it")
    run_folder.check_no_other_files(folder, FILES)
    record = run_folder.read_record(run)
    config = TrainingConfig.from_json(record["config"])
    dataset = load_data(config.dataset, data)
    if digest(dataset) != record["data_sha256"]:
        raise ValueError(f"data must be what {run} was trained on, received other data")
    images, labels, names = dataset.x_test, dataset.y_test, dataset.class_names
    model = network(config, images.shape[1:], len(names))
    run_folder.load_weights(run, record, model)
    weights: dict[str, Any] = halved(model)
    for variable in model.variables:
        variable.assign(weights[variable.path])
    probabilities = model.predict(images, batch_size=500, verbose=0)
    answers = model.predict(noise(images.shape[1:]), verbose=0)
    mistakes = most_confident_mistakes(probabilities, labels)
    picture = _picture(mistakes, dataset)
    lesions = _lesions(model, images, labels, names)
    record |= {
        "input_shape": images.shape[1:],
        "class_names": names,
        "float16_test_accuracy": float(np.mean(probabilities.argmax(axis=1) == labels)),
        "mistakes": mistakes,
        "noise_answers": [[round_figures(p) for p in row] for row in answers.tolist()],
    }
    memory = io.BytesIO()
    np.savez_compressed(memory, **weights)
    record["weights_sha256"] = hashlib.sha256(memory.getbuffer()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    # They take their places when all are complete, the record last: where it is that of the
    # weights, the other files are theirs, too.
    with (
        atomic_write(folder / RECORD) as its_record,
        atomic_write(folder / LESIONS) as its_lesions,
        atomic_write(folder / MISTAKES) as its_mistakes,
        atomic_write(folder / WEIGHTS) as its_weights,
    ):
        its_record.write_text(json_table(record, "history"), encoding="utf-8")
        its_lesions.write_text(lesions, encoding="utf-8")
        its_mistakes.write_bytes(picture)
        its_weights.write_bytes(memory.getbuffer())


def _picture(mistakes: list[dict[str, Any]], dataset: Dataset) -> bytes:
    """A PNG of the images with the wrong answer, its probability and the label under each."""
    names = dataset.class_names
    captions = [
        f"{names[m['answer']]} {m['confidence']:.3f}\n{names[m['label']]}" for m in mistakes
    ]
    images = dataset.x_test[[m["index"] for m in mistakes]]
    return plots.png(plots.pictures(images, captions), None)


def halved(model: keras.Model) -> dict[str, np.ndarray]:
    """The model's weights in half precision, by name."""
    weights = {}
    for variable in model.variables:
        value = variable.numpy()
        with np.errstate(over="ignore"):  # it is reported below
            weights[variable.path] = value.astype(np.float16)
        if not np.isfinite(weights[variable.path]).all():
            raise FloatingPointError(
                f"{variable.path} must stay below {np.finfo(np.float16).max} to be kept as "
                f"float16, received {np.abs(value).max()}"
            )
    return weights


def noise(shape: Sequence[int]) -> np.ndarray:
    """Images of noise, (4, *shape): a network computes as the packed one if its answers agree."""
    return np.random.default_rng(0).random((4, *shape), dtype=np.float32)


def most_confident_mistakes(
    probabilities: np.ndarray, labels: np.ndarray, count: int = SHOWN
) -> list[dict[str, Any]]:
    """The wrong answers given with the highest probability, the highest first, as dicts.

    Args:
        probabilities: (N, classes).
        labels: (N,).
        count: at most so many.
    """
    answers, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return [
        {
            "index": int(index),
            "label": int(labels[index]),
            "answer": int(answers[index]),
            "confidence": round(float(confidence[index]), 4),
        }
        for index in worst
    ]


def _lesions(
    model: keras.Model, images: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> str:
    """The JSON of ``pretrained.lesions``."""
    counts = confusions(model, images, labels, len(names))
    rows = [
        {
            "deleted": deleted,
            "right": np.diag(count).tolist(),
            "answers": count.sum(axis=0).tolist(),
        }
        for deleted, count in counts.items()
    ]
    lesions = {
        "modules": module_names(model),
        "class_names": names,
        "images": np.bincount(labels, minlength=len(names)).tolist(),
        "without": rows,
    }
    return json_table(lesions, "without")
