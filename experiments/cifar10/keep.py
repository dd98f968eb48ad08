"""Make the record, and the long run's folder, of what ``torch_runs.py`` left."""

import datetime
import json

import numpy as np
from jobs import JOBS, LONG, LONG_RUN, TABLE

from resnet_lesson import load
from resnet_lesson.studies.record import COMMITTED, Record, tried, write_record
from resnet_lesson.training import TrainingConfig, checkpoint
from resnet_lesson.training.folder import write_results
from resnet_lesson.training.model import network
from resnet_lesson.training.record import provenance, run_record

SETTINGS = ("depth", "seed", "epochs", "batch_size", "learning_rate", "weight_decay", "padding")
MEASURES = ("loss", "accuracy", "test_loss", "test_accuracy")


def keep(data, output):
    """Write the record, and the folder of the long run as ``training.train`` would have.

    Args:
        data: path of the .npz file of the training.
        output: the folder with ``runs.json`` and ``weights.npz``. A run that diverged is left out.

    Raises:
        SystemExit: the folder of the long run exists already.
    """
    if LONG_RUN.exists():
        raise SystemExit(f"{LONG_RUN} must not exist yet: move it away, and give the command again")
    kept = json.loads((output / "runs.json").read_text(encoding="utf-8"))
    about = {name: kept[name] for name in ("hardware", "versions", "precision")}
    rows = []
    for index, run in enumerate(kept["runs"]):
        config = TrainingConfig.from_json(run["config"])
        if not run["finished"]:
            continue
        rows += _rows(config, run["history"])
        if config == LONG:
            _keep_long(data, output / "weights.npz", index, run["history"], about)
    head = {
        "study": "cifar10",
        "question": "What do depth and shortcut do on CIFAR-10, trained as cifar10-fast?",
        "command": f"python experiments/cifar10 {data.name} OUTPUT",
        "data": data.name,
        "tried": tried(map(_settings, JOBS)),
        "date": datetime.date.today().isoformat(),
        **about,
    }
    write_record(COMMITTED / "cifar10.json", Record(rows, head))


def _rows(config, history):
    """A row for each epoch, with the gradients where they are compared."""
    run = _settings(config)
    rows = [run | {name: epoch[name] for name in ("epoch", *MEASURES)} for epoch in history]
    if config in TABLE:
        for row, epoch in zip(rows, history, strict=True):
            row["gradient_norm"] = [float(f"{norm:.3g}") for norm in epoch["gradient_norm"]]
    return rows


def _settings(config):
    network = {"network": "residual" if config.shortcut else "plain"}
    return network | {name: getattr(config, name) for name in SETTINGS}


def _keep_long(data, weights, index, history, about):
    dataset = load("cifar10", data)
    model = network(LONG, dataset.x_train.shape[1:], len(dataset.class_names))
    with np.load(weights) as file:
        for variable in model.variables:
            variable.assign(file[f"{index}:{variable.path}"])
    # The machine and the versions are those of the run, not of this one.
    about = provenance(dataset, data) | about
    about["trained_by"] = "experiments/cifar10/torch_runs.py, several networks side by side"
    values = [variable.numpy() for variable in model.variables]
    state = checkpoint.State(LONG, about, history, values, [])
    LONG_RUN.mkdir(parents=True)
    checkpoint.save(LONG_RUN, state)
    write_results(LONG_RUN, model, run_record(model, state))
