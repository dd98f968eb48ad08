"""The record of a run: data, machine, configuration, and the measures of each epoch."""

import dataclasses
import datetime
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import device_name, keras, versions
from ..data.datasets import Dataset
from ..gradients.kernels import trainable_kernel_paths
from ..keras_settings import begun_on
from .checkpoint import State
from .config import command


def digest(dataset: Dataset) -> str:
    """SHA-256 of all images and labels, as hexadecimal digits."""
    sha256 = hashlib.sha256()
    for array in (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test):
        sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()


def code_digest() -> str:
    """SHA-256 of this package's Python files, as hexadecimal digits."""
    package, sha256 = Path(__file__).parents[1], hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        text = file.read_text(encoding="utf-8")  # whatever ends its lines
        sha256.update((file.relative_to(package).as_posix() + text).encode())
    return sha256.hexdigest()


def provenance(
    dataset: Dataset, source: str | os.PathLike[str], callbacks: Sequence[Any], strategy: Any
) -> dict[str, Any]:
    """The record's entries about the data, the machine, the code and the day.

    Args:
        dataset: what the run trains on.
        source: the name of the data set, or the path of the local copy.
        callbacks: the user's.
        strategy: the ``tf.distribute.Strategy`` of the devices.
    """
    devices = strategy.num_replicas_in_sync
    names = [type(callback).__name__ for callback in callbacks]
    return {
        "data": Path(source).name,
        "data_sha256": digest(dataset),
        "train_images": len(dataset.x_train),
        "test_images": len(dataset.x_test),
        "date": datetime.date.today().isoformat(),
        "hardware": device_name() if devices == 1 else f"{devices} devices: {device_name()}",
        "versions": versions(),
        "code_sha256": code_digest(),
        **({"callbacks": names} if names else {}),
    }


def resumed(state: State, now: dict[str, Any]) -> State:
    """The state with machine, versions, code and callbacks of this call, where they are others.

    Args:
        state: as it was loaded.
        now: the provenance of this call.
    """
    about, later = dict(state.about), state.about.get("went_on", [])
    here = {name: now[name] for name in ("hardware", "versions", "code_sha256")}
    before = [about, *later][-1]  # of the first edition, it does not name the code
    if any(here[name] != before.get(name) for name in here):
        when = {"after_epoch": len(state.history), "date": now["date"]}
        about["went_on"] = [*later, when | here]
    if "callbacks" in now:
        about["callbacks"] = list(dict.fromkeys([*about.get("callbacks", []), *now["callbacks"]]))
    return dataclasses.replace(state, about=about)


def run_record(
    model: keras.Model, state: State, weights: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The record of a run after its last full epoch.

    Args:
        model: the network.
        state: of that epoch.
        weights: ``weights_after_epoch`` and ``test_accuracy``, if the weights are not those of
            that epoch.
    """
    last = len(state.history)
    return {
        "command": command(state.config, state.about["data"], begun_on(state.about["versions"])),
        "config": state.config.to_json(),
        **state.about,
        "parameters": model.count_params(),
        "seconds": sum(epoch["seconds"] for epoch in state.history),
        **(
            weights
            or {"weights_after_epoch": last, "test_accuracy": state.history[-1]["test_accuracy"]}
        ),
        "layers": list(trainable_kernel_paths(model)),
        "history": state.history,
    }


@dataclasses.dataclass(frozen=True, repr=False)
class Run:
    """A finished run: the trained Keras model, and the record of how it got there."""

    model: keras.Model
    record: dict[str, Any]

    def __repr__(self) -> str:
        return f"<Run: {self.sentence}>"

    @property
    def sentence(self) -> str:
        """What accuracy was reached, by which network, in what time on which machine."""
        record, config = self.record, self.record["config"]
        kind = "ResNet" if config["shortcut"] else "plain network"
        machines = [record["hardware"], *(later["hardware"] for later in record.get("went_on", ()))]
        return (
            f"{record['data']}, {kind}-{config['depth']}, seed {config['seed']}: "
            f"{100 * record['test_accuracy']:.1f} % of {record['test_images']:,} test images right "
            f"{_epochs(record)}, {_duration(record['seconds'])} on "
            f"{', '.join(dict.fromkeys(machines))}"
        )


def _epochs(record: dict[str, Any]) -> str:
    """After how many epochs, and with which weights if not those of the last."""
    ran, planned = len(record["history"]), record["config"]["epochs"]
    epochs = f"after {planned} epochs" if ran == planned else f"after {ran} of {planned} epochs"
    epoch = record.get("weights_after_epoch", ran)  # records of the first edition do not say it
    if epoch == ran:
        return epochs
    whose = "that a callback set" if epoch is None else f"of epoch {epoch}"
    return f"with the weights {whose}, {epochs}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
