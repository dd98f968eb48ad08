"""One network's ``fit`` in a race: what it makes of its turns, and what is recorded of it."""

import time

import numpy as np

from ...gradients.first_bad import first_bad
from ...gradients.monitor import GradientMonitor
from ...runtime import callback_list, keras
from .recording import MEASURES, Recording


def fit(name, race):
    """Build a race's network in this thread, and train it.

    Raises:
        ValueError: its maker returned nothing that can be trained, or the other one's model.
    """
    if race.policy is not None:
        keras.config.set_dtype_policy(race.policy)
    model, arguments = _made(name, race.makers[name]())
    if race.stopping:
        return
    if any(other.network is model for other in race.followers.values()):
        raise ValueError(f"two networks must be two models, received one, again for {name!r}")
    callbacks = callback_list(arguments.pop("callbacks", None))
    monitor = GradientMonitor(race.every)
    follower = race.followers[name] = _Follower(name, race, monitor, model)
    arguments = {"verbose": 0, **race.arguments, **arguments}
    model.fit(**arguments, callbacks=[*callbacks, monitor, follower])


def _made(name, made):
    """The model and the arguments of ``fit`` that a maker returned."""
    match made:
        case (keras.Model() as model, dict(arguments)):
            return model, dict(arguments)
        case (keras.Model() as model, x, y):
            return model, {"x": x, "y": y}
    raise ValueError(
        f"the function of {name!r} must return a compiled model, x and y, or a compiled model and "
        f"a dict of arguments for fit, received {type(made).__name__}"
    )


class _Follower(keras.callbacks.Callback):
    """In each step: wait for the turn, count, obey stop, and have it shown."""

    def __init__(self, name, race, monitor, network):
        super().__init__()
        self.name, self.race, self.monitor, self.network = name, race, monitor, network
        self.recording = None
        self._epoch = None  # the first one
        self._metric = None
        self._seen = 0  # steps
        self._logs = []  # since the last flush: steps seen, loss, accuracy
        self._seconds, self._first, self._since = 0.0, 0.0, None

    @property
    def left(self):
        total = self._total()
        if total is None or self._seen < 2:
            return None
        # The first step traces the graph, and says nothing about those that follow.
        return (self._seconds - self._first) / (self._seen - 1) * max(0, total - self._seen)

    def _total(self):
        """Steps that are planned; None where nobody knows, or not yet: Keras tells in time."""
        steps = (self.params or {}).get("steps")
        if steps is None or self._epoch is None:
            return None
        return int(steps * (self.params["epochs"] - self._epoch))

    def on_epoch_begin(self, epoch, logs=None):
        if self._epoch is None:
            self._epoch = epoch
        self._before = self._seen

    def on_train_batch_begin(self, batch, logs=None):
        # Not at the end of the last step: what Keras does at the end of an epoch is in turn too.
        self.race.take_turn(self.name, give=self._seen > 0)
        self._since = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._seconds += time.monotonic() - self._since
        self._first = self._first or self._seconds
        if not self._seen:
            self._metric = _metric(logs)
        self._seen = self._before + batch + 1
        loss, accuracy = (_number(logs.get(name, np.nan)) for name in ("loss", self._metric))
        self._logs.append((self._seen, loss, accuracy))
        self._obey()
        self.race.show(if_due=True)

    def on_epoch_end(self, epoch, logs=None):
        # Under steps_per_execution Keras counts the last execution of an epoch as a full one.
        self._seen = min(self._seen, self.monitor.steps)
        if self._logs:
            self._logs[-1] = (self._seen, *self._logs[-1][1:])
        self._obey()  # in a validation too, which may take longer than any step

    def _obey(self):
        if self.race.stopping:
            self.model.stop_training = True

    def flush(self):
        """Move what the monitor holds into the recording."""
        records = self.monitor.drain()
        if self.recording is None:
            if not len(records["step"]):
                return
            self.recording = Recording(
                self.name, records["layers"], self.monitor.every, self._total(), self._metric
            )
        if list(records["layers"]) != self.recording.layers:
            raise ValueError(
                f"the layers of {self.name!r} must stay the same while it trains, received others "
                "after a callback froze or unfroze some: train in two panels"
            )
        seen = [one[0] for one in self._logs]
        logs = [one[1:] for one in self._logs] + [(np.nan, np.nan)]  # a step that raised has none
        norms = np.stack([records[measure] for measure in MEASURES], axis=1)
        for step, row in zip(records["step"], norms, strict=True):
            self.recording.add(step, row, logs[np.searchsorted(seen, step, side="right")])
        if len(records["step"]):
            self._logs.clear()
        bad = first_bad(records)
        if self.recording.bad is None and bad is not None:
            self.recording.bad = bad._asdict()
        self.recording.steps, self.recording.seconds = self._seen, self._seconds


def _metric(logs):
    """What stands for accuracy: the first metric of that name, else the first one.

    One that is a single number goes before one that is a vector, such as a score for each class.
    """
    others = [name for name in logs if name != "loss"]
    return min(others, key=lambda name: (np.ndim(logs[name]) > 0, "acc" not in name), default=None)


def _number(value):
    """A metric as one number: of a vector, its mean."""
    return float(np.mean(value))
