"""One network's ``fit`` in a training job: its turns, and the recording of its steps."""

import datetime
import time
from typing import Any

import numpy as np

from ...gradients.first_bad import first_bad
from ...gradients.history import MEASURES
from ...gradients.monitor import GradientMonitor
from ...runtime import callback_list, keras, versions
from .recording import FILE, Recording


def fit_network(name: str, job: Any) -> None:
    """Build a network of a ``TrainingJob`` in this thread, when it is its turn, and train it.

    Raises:
        ValueError: its maker returned nothing that can be trained, or the other network's model.
    """
    job.take_turn(name, pass_on=False)
    if job.stopping:
        return
    date = datetime.date.today().isoformat()
    job.provenance = {"file": FILE, **versions(), "date": date}
    if job.policy is not None:
        keras.config.set_dtype_policy(job.policy)
    model, arguments = _model_and_arguments(name, job.makers[name]())
    if job.stopping:
        return
    if any(other.network is model for other in job.callbacks.values()):
        raise ValueError(f"two networks must be two models, received one, again for {name!r}")
    callbacks = callback_list(arguments.pop("callbacks", None))
    monitor = GradientMonitor(job.every)
    arguments = {"verbose": 0, **job.arguments, **arguments}
    job.callbacks[name] = JobCallback(name, job, monitor, model)
    model.fit(**arguments, callbacks=[*callbacks, monitor, job.callbacks[name]])


def _model_and_arguments(name: str, made: Any) -> tuple[Any, dict[str, Any]]:
    """The model and the arguments of ``fit``, from what a maker returned."""
    match made:
        case (keras.Model() as model, dict(arguments)):
            return model, dict(arguments)
        case (keras.Model() as model, x, y):
            return model, {"x": x, "y": y}
    raise ValueError(
        f"the function of {name!r} must return a compiled model, x and y, or a compiled model and "
        f"a dict of arguments for fit, received {type(made).__name__}"
    )


class JobCallback(keras.callbacks.Callback):
    """In each step: wait for the turn, record, obey a stop, and request a redraw."""

    def __init__(self, name: str, job: Any, monitor: GradientMonitor, network: Any) -> None:
        super().__init__()
        self.name, self.job, self.monitor, self.network = name, job, monitor, network
        self.recording: Recording | None = None
        self._first_epoch: int | None = None
        self._metric: str | None = None
        self._steps = self._steps_before_epoch = 0
        # Since the last flush: the number of steps taken, loss, accuracy.
        self._logs: list[tuple[int, float, float]] = []
        self._seconds = self._first_seconds = self._step_start = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds of training that are left, None where that is not known yet."""
        total = self._total_steps()
        if total is None or self._steps < 2:
            return None
        # The first step traces the graph, and says nothing about those that follow.
        seconds_per_step = (self._seconds - self._first_seconds) / (self._steps - 1)
        return seconds_per_step * max(0, total - self._steps)

    def _total_steps(self) -> int | None:
        """Steps that are planned; None where Keras does not know, or not yet."""
        steps = (self.params or {}).get("steps")
        if steps is None or self._first_epoch is None:
            return None
        return int(steps * (self.params["epochs"] - self._first_epoch))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._first_epoch is None:  # not ``initial_epoch``, which BackupAndRestore passes over
            self._first_epoch = epoch
        self._steps_before_epoch = self._steps

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # Not at the end of a step: what Keras does at the end of an epoch is part of the turn.
        self.job.take_turn(self.name, pass_on=self._steps > 0)
        self._step_start = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._seconds += time.monotonic() - self._step_start
        self._first_seconds = self._first_seconds or self._seconds
        if not self._steps:
            self._metric = _accuracy_name(logs)
        self._steps = self._steps_before_epoch + batch + 1
        # Of a metric that is a vector, the mean.
        loss, accuracy = (float(np.mean(logs.get(name, np.nan))) for name in ("loss", self._metric))
        self._logs.append((self._steps, loss, accuracy))
        self._obey()
        self.job.show(if_due=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        # Under steps_per_execution Keras counts the last execution of an epoch as a full one.
        self._steps = min(self._steps, self.monitor.steps)
        if self._logs:
            self._logs[-1] = (self._steps, *self._logs[-1][1:])
        self._obey()  # a stop during validation, which may take longer than any step

    def _obey(self) -> None:
        if self.job.stopping:
            self.model.stop_training = True

    def flush(self) -> None:
        """Move the monitor's records into the recording."""
        records = self.monitor.drain()
        if self.recording is None:
            if not len(records["step"]):
                return
            self.recording = Recording(
                self.name,
                list(records["layers"]),
                self.monitor.every,
                self._total_steps(),
                self._metric,
            )
        norms = np.ma.stack([records[measure] for measure in MEASURES], axis=1)
        # Masked where a layer was not watched in one of these steps.
        if list(records["layers"]) != self.recording.layers or np.ma.is_masked(norms):
            raise ValueError(
                f"the layers of {self.name!r} must stay the same while it trains, received others "
                "after a callback froze or unfroze some: train in two panels"
            )
        ends = [steps for steps, _, _ in self._logs]
        # A step that raised has no logs.
        logs = [(loss, accuracy) for _, loss, accuracy in self._logs] + [(np.nan, np.nan)]
        for step, row in zip(records["step"], norms.data, strict=True):
            self.recording.add(step, row, logs[np.searchsorted(ends, step, side="right")])
        if len(records["step"]):
            self._logs.clear()
        bad = first_bad(records)
        if self.recording.bad is None and bad is not None:
            self.recording.bad = bad._asdict()
        # A step that raised was taken, too, where its gradients were seen.
        self.recording.steps = max([self._steps, *(records["step"] + 1).tolist()])
        self.recording.seconds = self._seconds


def _accuracy_name(logs: dict[str, Any]) -> str | None:
    """The metric recorded as accuracy: the first with "acc" in its name, else the first one.

    Metrics that are a single number come before vectors, such as a score for each class.
    """
    others = [name for name in logs if name != "loss"]
    return min(others, key=lambda name: (np.ndim(logs[name]) > 0, "acc" not in name), default=None)
