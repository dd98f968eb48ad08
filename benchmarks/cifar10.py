"""The lesson's networks on CIFAR-10, trained by ``cifar10_torch.py`` on a lent GPU.

In the lesson's environment, from the top of the repository:

``check``: a few steps in Keras and in PyTorch, from the same weights, on the same batches: all
weights and norms must agree.
``jobs FILE``: writes what is to be trained, for ``cifar10_torch.py``.
``keep DATA OUTPUT...``: writes ``results/cifar10.json`` from what that left in its OUTPUT folders,
and ``runs/cifar10-long``: ``python -m resnet_lesson.pretrained`` packs it as the trained network.
"""

import argparse
import dataclasses
import datetime
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from resnet_lesson import GradientMonitor, load
from resnet_lesson.gradients.history import MEASURES
from resnet_lesson.runtime import keras, set_seed
from resnet_lesson.studies.record import Record, write
from resnet_lesson.training import PRESETS, TrainingConfig, checkpoint
from resnet_lesson.training.pipeline import batches
from resnet_lesson.training.run import finish, network, provenance, recorded
from resnet_lesson.training.schedule import Schedule

TORCH = Path(".venv-bench/bin/python")
STEPS, BATCH = 4, 32
FAST = PRESETS["cifar10-fast"]
LONG = dataclasses.replace(FAST, epochs=120, seed=1)
TABLE = [
    FAST,
    *(
        dataclasses.replace(FAST, depth=depth, shortcut=shortcut, seed=1)
        for depth, shortcut in [(110, True), (110, False), (56, True), (56, False), (20, False)]
    ),
]
# What the recipe might have been: each was tried once, and none is better by more than chance.
VARIANTS = [
    dataclasses.replace(FAST, **other)
    for other in (
        {"weight_decay": 2e-4},
        {"weight_decay": 1e-3},
        {"learning_rate": 0.1},
        {"learning_rate": 0.4, "weight_decay": 1e-3},
        {"learning_rate": 0.1, "batch_size": 64},
        {"padding": 2},
    )
]


def check():
    """Steps of a small warm-up, a projection and a plain network among them, in both.

    Raises:
        AssertionError: a weight, an average or a norm differs by more than rounding does.
    """
    for depth, shortcut in [(8, True), (14, False), (20, True)]:
        config = TrainingConfig(
            "cifar10", depth, shortcut, 1, BATCH, warmup_epochs=0.5, weight_decay=5e-4, padding=0
        )
        worst = _differences(config)
        print(f"{depth} layers, shortcut {shortcut}: {worst}")
        # PyTorch's average of the variance divides by one less than Keras's does.
        assert worst.pop("variance") < 1e-3
        assert max(worst.values()) < 1e-6


def _differences(config):
    draw = np.random.default_rng(0)
    x = draw.integers(0, 256, (STEPS * BATCH, 32, 32, 3)) / np.float32(255)
    labels = draw.integers(0, 10, len(x))
    set_seed(0)
    keras.config.set_floatx("float64")  # in float32 rounding alone is a hundredth
    model = network(config, x.shape[1:], 10)
    rate = Schedule.of(config, STEPS)
    model.compile(
        keras.optimizers.SGD(rate, config.momentum, nesterov=True),
        "sparse_categorical_crossentropy",
    )
    given = {variable.path: variable.numpy() for variable in model.variables}
    for index, batch in enumerate(batches(x, labels, config)):
        given |= {f"x{index}": batch[0].numpy(), f"y{index}": batch[1].numpy()}
    monitor = GradientMonitor()
    drawn = batches(x, labels, config)
    model.fit(drawn, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[monitor])
    ours = {variable.path: variable.numpy() for variable in model.variables}
    ours |= {name: monitor.records[name] for name in MEASURES}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savez(folder / "given.npz", **given)
        (folder / "config.json").write_text(
            json.dumps(dataclasses.asdict(config)), encoding="utf-8"
        )
        subprocess.run([TORCH, "benchmarks/cifar10_torch_steps.py", folder], check=True)
        with np.load(folder / "got.npz") as file:
            theirs = {name: file[name] for name in file.files}
    assert set(theirs) == set(ours)
    kinds = ("kernel", "gamma", "beta", "bias", "mean", "variance", *MEASURES)
    return {kind: _difference(ours, theirs, kind) for kind in kinds}


def _difference(ours, theirs, kind):
    """The largest difference in all arrays of a kind, over the largest value."""
    names = [name for name in ours if name.endswith(kind)]
    largest = max(np.abs(ours[name]).max() for name in names)
    return float(max(np.abs(theirs[name] - ours[name]).max() for name in names) / largest)


def jobs(path):
    configs = [dataclasses.asdict(config) for config in (*TABLE, LONG, *VARIANTS)]
    Path(path).write_text(json.dumps(configs), encoding="utf-8")


def keep(data, outputs):
    """Write the record, and the folder of the long run as ``training.train`` would have."""
    rows, about = [], {}
    for output in map(Path, outputs):
        told = json.loads((output / "runs.json").read_text(encoding="utf-8"))
        about = {name: told[name] for name in ("hardware", "versions", "precision")}
        for index, run in enumerate(told["runs"]):
            config = TrainingConfig.from_json(run["config"])
            if run["finished"]:
                rows += _rows(config, run["history"])
            if run["finished"] and config == LONG:
                _keep_long(data, output / "weights.npz", index, run["history"], about)
    head = {
        "study": "cifar10",
        "question": "What do depth and shortcut do on CIFAR-10, trained as cifar10-fast?",
        "command": "benchmarks/cifar10.py, from benchmarks/cifar10_torch.py on a GPU,",
        "data": Path(data).name,
        "date": datetime.date.today().isoformat(),
        **about,
    }
    write("results/cifar10.json", Record(rows, head))


def _rows(config, history):
    """A row each epoch; the gradients are kept where they are compared."""
    settings = ("depth", "seed", "epochs", "batch_size", "learning_rate", "weight_decay", "padding")
    run = {"network": "residual" if config.shortcut else "plain"}
    run |= {name: getattr(config, name) for name in settings}
    measures = ["loss", "accuracy", "test_loss", "test_accuracy"]
    rows = [run | {name: row[name] for name in ("epoch", *measures)} for row in history]
    if config in TABLE:
        for row, epoch in zip(rows, history, strict=True):
            row["gradient_norm"] = [float(f"{norm:.3g}") for norm in epoch["gradient_norm"]]
    return rows


def _keep_long(data, weights, index, history, about):
    dataset = load("cifar10", data)
    model = network(LONG, dataset.x_train.shape[1:], len(dataset.class_names))
    with np.load(weights) as file:
        for variable in model.variables:
            variable.assign(file[f"{index}:{variable.path}"])
    # The machine and the versions are those of the run, not of this one.
    about = provenance(LONG, dataset, data) | about
    about["trained_by"] = "benchmarks/cifar10_torch.py, several networks side by side"
    values = [variable.numpy() for variable in model.variables]
    state = checkpoint.State(LONG, about, history, values, [])
    folder = Path("runs/cifar10-long")
    folder.mkdir(parents=True)
    checkpoint.save(folder, state)
    finish(folder, model, recorded(model, state))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("check")
    tasks.add_parser("jobs").add_argument("path")
    kept = tasks.add_parser("keep")
    kept.add_argument("data")
    kept.add_argument("outputs", nargs="+")
    options = parser.parse_args()
    if options.task == "check":
        check()
    elif options.task == "jobs":
        jobs(options.path)
    else:
        keep(options.data, options.outputs)
