"""The Keras callback that measures each epoch, saves its state, and stops a run that diverges."""

import copy
import dataclasses
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import keras
from ..files import round_figures
from ..gradients.first_bad import first_bad
from ..gradients.history import MEASURES
from ..gradients.kernels import trainable_kernel_paths
from ..gradients.monitor import GradientMonitor
from . import checkpoint
from .checkpoint import State
from .folder import write_log
from .model import restore, sgd, variable_values
from .record import run_record


class CheckpointCallback(keras.callbacks.Callback):
    """Saves the state after each full epoch, and stops a run that is no longer worth saving.

    It stands before the users' callbacks, which may change the logs that they are given. ``last``
    stands behind them, as what is saved is what the next epoch starts from.

    Args:
        folder: the run's.
        state: with which ``fit`` starts.
        steps: an epoch.
        monitor: a ``GradientMonitor`` in the same ``fit``.
        test: the test images in batches, as for ``evaluate``.
        watch: a function of the record after each epoch, or None.
        check_folder: raises an OSError where the folder is no longer the run's.
    """

    def __init__(
        self,
        folder: Path,
        state: State,
        steps: int,
        monitor: GradientMonitor,
        test: Any = None,
        watch: Callable[[dict[str, Any]], Any] | None = None,
        check_folder: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.folder, self.state, self.steps = folder, state, steps
        self.monitor, self.test, self.watch = monitor, test, watch
        self.check_folder = check_folder
        self.last = keras.callbacks.LambdaCallback(
            on_test_begin=self._remember_tested, on_epoch_end=lambda epoch, _: self._save(epoch)
        )
        # From the digest of weights to the epoch at whose end the model had them.
        self._epochs = {_digest(state.model): len(state.history)}

    def on_train_begin(self, logs: Any = None) -> None:
        self._compiled_with = self._training_setup()

    def _training_setup(self) -> tuple[Any, ...]:
        """What users' callbacks must not change: optimizer, rate, and which layers train."""
        optimizer, rate = self.model.optimizer, sgd(self.model)._learning_rate
        return id(optimizer), id(rate), trainable_kernel_paths(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._trained, self._batch = time.perf_counter(), batch
        if not np.isfinite(logs["loss"]):
            raise self._divergence(f"the loss is {logs['loss']}")

    def _divergence(self, what: str) -> FloatingPointError:
        """The error at the step that was the last, where this was noticed."""
        step = len(self.state.history) * self.steps + self._batch
        return _divergence(self.monitor.records, step, self.steps, what)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._training_setup() != self._compiled_with:
            raise ValueError(
                "callbacks must leave compile, learning rate and trainable as they are, received a "
                f"model changed before the end of epoch {epoch + 1}"
            )
        is_full = self._batch + 1 == self.steps
        self._measures = self._epoch_measures(epoch, logs) if is_full else None

    def _epoch_measures(self, epoch: int, logs: Any) -> dict[str, Any]:
        """The entry of a full epoch in the history."""
        images, seconds = self.steps * self.state.config.batch_size, self._trained - self._start
        measures = {
            "epoch": epoch + 1,
            "step": (epoch + 1) * self.steps,
            # The schedule does not count a step that float16 skips.
            "learning_rate": float(
                sgd(self.model)._learning_rate(self.model.optimizer.iterations - 1)
            ),
            "loss": logs["cross_entropy"],
            "accuracy": logs["accuracy"],
            "test_loss": logs["val_cross_entropy"],
            "test_accuracy": logs["val_accuracy"],
            "seconds": time.perf_counter() - self._start,
            "images_per_second": images / seconds,
        }
        return {name: round_figures(value) for name, value in measures.items()} | self._norms()

    def _norms(self) -> dict[str, list[float | None]]:
        """The means over the last epoch's steps of the monitor's measures, a list by layer each.

        In the record's order of layers, which differs from the monitor's and is in older files.
        Without the infinite values of steps that float16 skips; None where all were.
        """
        records = self.monitor.records
        layers = records["layers"].tolist()
        columns = [layers.index(path) for path in trainable_kernel_paths(self.model)]

        def means(values: np.ndarray) -> list[float | None]:
            return np.ma.masked_invalid(values[-self.steps :]).mean(axis=0)[columns].tolist()

        return {name: [round_figures(mean) for mean in means(records[name])] for name in MEASURES}

    def _remember_tested(self, logs: Any = None) -> None:
        self._tested = variable_values(self.model)

    def _save(self, epoch: int) -> None:
        """Save the state and the log, if the epoch is full."""
        measures, weights = self._measures, variable_values(self.model)
        if measures is None:
            # A part of an epoch is not saved: its weights count as those of the epoch before. It
            # ends the run, whatever the users' callbacks want, as the next batches belong to it.
            for values in (self._tested, weights):
                self._epochs.setdefault(_digest(values), epoch)
            self.model.stop_training = True
            return
        if not all(np.isfinite(values).all() for values in weights):
            # A ReLU may turn NaN into zero, and the loss looks well.
            raise self._divergence("a weight is no number")
        if _digest(weights) != _digest(self._tested):
            if self.model.stop_training and _digest(weights) in self._epochs:
                weights = self._tested  # a run that ends with earlier weights resumes from the last
            else:
                measures |= self._test_measures()
        if not np.isfinite(measures["test_loss"]):
            # The test images may bring an overflow that those of training do not; JSON has no NaN.
            raise self._divergence(f"the test loss is {measures['test_loss']}")
        self._epochs[_digest(weights)] = epoch + 1
        self.state = dataclasses.replace(
            self.state,
            history=[*self.state.history, measures],
            model=weights,
            optimizer=variable_values(self.model.optimizer),
        )
        self._write(epoch)
        if self.watch:
            self.watch(copy.deepcopy(run_record(self.model, self.state)))

    def _write(self, epoch: int) -> None:
        has_earlier = False  # in a folder that is another's now, there may be one of its own
        try:
            self.check_folder()
            has_earlier = (self.folder / checkpoint.NAME).exists()
            checkpoint.save(self.folder, self.state)
        except OSError as error:
            raise OSError(
                f"epoch {epoch + 1} could not be kept in {self.folder} ({error})"
                + (f"; that of epoch {epoch} is: resume goes on from there" if has_earlier else "")
            ) from error
        write_log(self.folder, self.state.history)

    def record(self) -> dict[str, Any]:
        """The record after ``fit``, which says of which epoch the model's weights are.

        The model gets the weights of the last full epoch if it has those of a part of one.
        """
        history = self.state.history
        epoch = self._epochs.get(_digest(variable_values(self.model)))  # None: a callback's own
        if epoch == len(history):
            restore(self.model, self.state)
        measures = history[epoch - 1] if epoch else self._test_measures()
        weights = {"weights_after_epoch": epoch, "test_accuracy": measures["test_accuracy"]}
        return run_record(self.model, self.state, weights)

    def _test_measures(self) -> dict[str, float]:
        found = self.model.evaluate(self.test, return_dict=True, verbose=0)
        names = {"test_loss": "cross_entropy", "test_accuracy": "accuracy"}
        return {name: round_figures(found[metric]) for name, metric in names.items()}


def _digest(values: list[np.ndarray]) -> bytes:
    return hashlib.sha256(b"".join(value.tobytes() for value in values)).digest()


def _divergence(
    records: dict[str, np.ndarray], step: int, steps: int, what: str
) -> FloatingPointError:
    """The error that says where numbers first were NaN or infinite.

    Args:
        records: the monitor's.
        step: at which it was noticed, counted from the run's first.
        steps: an epoch.
        what: was noticed.
    """
    offset = step + 1 - len(records["step"])
    bad = ~np.isfinite(records["gradient_norm"]).all(axis=1)
    # Where float16 overflows, the update is left out and the loss scale lowered: no harm done.
    harmless = bad & (records["update_ratio"] == 0).all(axis=1)
    harmless[-1] = False
    kept = {name: values[~harmless] for name, values in records.items() if name != "layers"}
    found = first_bad({**kept, "layers": records["layers"]})
    if found is None:
        where = "no gradient of a kernel did before it"
    elif found.where == "gradient":
        where = f"the gradient of {found.layer} went first, at step {offset + found.step}"
    else:
        where = f"the forward pass broke first in {found.layer}, at step {offset + found.step}"
    return FloatingPointError(
        f"at step {step} (epoch {step // steps + 1}) {what}; {where}. A lower "
        "learning_rate or more warmup_epochs may help"
    )
