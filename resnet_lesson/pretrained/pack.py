"""Pack a finished run: ``python -m resnet_lesson.pretrained RUN DATA OUTPUT``."""

import argparse
import hashlib

import numpy as np

from .. import plots
from ..data import load as load_data
from ..files import atomic_write, expand_path, json_table, round_figures
from ..networks.dissect import confusions, module_names
from ..output import print_line
from ..training import TrainingConfig
from ..training.run import digest, network
from . import LESIONS, MISTAKES, RECORD, WEIGHTS, _told

SHOWN = 12  # mistakes in the picture


def pack(run, data, folder):
    """Write a finished run's weights as float16, and what is measured of the network with them.

    The weights are those that the run's record speaks of, ``model.weights.h5``.

    Args:
        run: the folder of a run that ``training.train`` has finished.
        data: the path of the data it was trained on, or None as for ``load``.
        folder: where the four files go; made if it is missing.

    Raises:
        ValueError: the run is not finished, the data are not its own, or ``folder`` holds a packed
            network.
        FloatingPointError: a weight is beyond what float16 holds.
    """
    run, folder = expand_path(run), expand_path(folder)
    if not (run / "record.json").exists():
        raise ValueError(f"{run} must hold a finished run, received none: train --resume ends it")
    if (folder / RECORD).exists():
        raise ValueError(
            f"output must be a folder without a packed network, received {folder}: move that away, "
            "or choose another"
        )
    record = _told(run / "record.json")
    config = TrainingConfig.from_json(record["config"])
    dataset = load_data(config.dataset, data)
    if digest(dataset) != record["data_sha256"]:
        raise ValueError(f"data must be what {run} was trained on, received other data")
    images, labels, names = dataset.x_test, dataset.y_test, dataset.class_names
    model = network(config, images.shape[1:], len(names))
    model.load_weights(run / "model.weights.h5")
    weights = halved(model)
    for variable in model.variables:
        variable.assign(weights[variable.path])
    probabilities = model.predict(images, batch_size=500, verbose=0)
    answers = model.predict(noise(images.shape[1:]), verbose=0)
    worst = most_confident_mistakes(probabilities, labels)
    captions = [f"{names[m['answer']]} {m['confidence']:.3f}\n{names[m['label']]}" for m in worst]
    picture = plots.png(plots.pictures(images[[m["index"] for m in worst]], captions), None)
    lesions = _lesions(model, images, labels, names)
    head = {key: value for key, value in record.items() if key != "history"} | {
        "input_shape": images.shape[1:],
        "class_names": names,
        "float16_test_accuracy": float(np.mean(probabilities.argmax(axis=1) == labels)),
        "mistakes": worst,
        "noise_answers": [[round_figures(p) for p in row] for row in answers.tolist()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / WEIGHTS) as part:
        with part.open("wb") as file:
            np.savez_compressed(file, **weights)
        head["weights_sha256"] = hashlib.sha256(part.read_bytes()).hexdigest()
    with atomic_write(folder / MISTAKES) as part:
        part.write_bytes(picture)
    with atomic_write(folder / LESIONS) as part:
        part.write_text(lesions, encoding="utf-8")
    # The record comes last: where it is that of the weights, all else is, too.
    with atomic_write(folder / RECORD) as part:
        part.write_text(json_table(head, "history", record["history"]), encoding="utf-8")


def halved(model):
    """The model's weights in half precision, by name."""
    weights = {}
    for variable in model.variables:
        value = variable.numpy()
        with np.errstate(over="ignore"):  # said below
            weights[variable.path] = value.astype(np.float16)
        if not np.isfinite(weights[variable.path]).all():
            raise FloatingPointError(
                f"{variable.path} must stay below {np.finfo(np.float16).max} to be kept as "
                f"float16, received {np.abs(value).max()}"
            )
    return weights


def noise(shape):
    """Images of noise, to tell by the answers that a network computes as the packed one did."""
    return np.random.default_rng(0).random((4, *shape), dtype=np.float32)


def most_confident_mistakes(probabilities, labels, count=SHOWN):
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


def _lesions(model, images, labels, names):
    counts = confusions(model, images, labels, len(names))
    rows = [
        {
            "deleted": deleted,
            "right": np.diag(count).tolist(),
            "answers": count.sum(axis=0).tolist(),
        }
        for deleted, count in counts.items()
    ]
    head = {
        "modules": module_names(model),
        "class_names": names,
        "images": np.bincount(labels, minlength=len(names)).tolist(),
    }
    return json_table(head, "without", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m resnet_lesson.pretrained", description=__doc__)
    parser.add_argument("run", help="the folder of a finished run")
    parser.add_argument("data", help="the path of the data it was trained on")
    parser.add_argument("output", help="the folder for the packed network")
    options = parser.parse_args()
    try:
        pack(options.run, options.data, options.output)
    except (ValueError, OSError, FloatingPointError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    print_line(f"Packed. pretrained.load({options.output!r}) opens it.")
