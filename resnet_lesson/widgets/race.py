"""Trains one or two networks behind a panel, step by step in turn; hears pause and stop."""

import atexit
import threading
import time

import numpy as np

from ..monitor import GradientMonitor
from ..runtime import keras
from .recording import MEASURES, Recording

REDRAW = 0.1  # seconds between two redraws, at least
FAREWELL = 3  # seconds that the interpreter's end leaves a step to come to its own


class Race:
    """One training, from its start to its end; a fresh start is a new one.

    Each ``fit`` has a thread of its own, and all that it does, from building its network on, it
    does in its turn: two networks go forward in step, and never at the same time.

    Args:
        makers: as the panel has them.
        arguments: of ``fit``, for every network.
        every: of the monitor.
        lock: held while recordings change.
        redraw: called, in the thread whose turn it is, when there is something new to show.
        end: called in the last thread when all is over.
    """

    def __init__(self, makers, arguments, every, lock, redraw, end):
        self.makers, self.arguments, self.every = makers, arguments, every
        self.lock, self.redraw, self.end = lock, redraw, end
        self.followers, self.error = {}, None
        self.paused = self.stopping = self._holds = False
        self._changed = threading.Condition()
        self._queue = list(makers)  # of names; it is the first one's turn
        self._last = 0.0
        self._threads = [
            threading.Thread(target=self._train, args=(name,), name=f"fit {name}", daemon=True)
            for name in makers
        ]

    @property
    def recordings(self):
        """Of the networks that have taken a step, in order."""
        found = [self.followers[name].recording for name in self.makers if name in self.followers]
        return [recording for recording in found if recording]

    @property
    def state(self):
        """In one word: what it does, or how it ended."""
        if self._queue:
            if self.stopping:
                return "stopping"
            if self.paused:
                return "paused" if self._holds else "pausing"
            return "training" if self.recordings else "building"
        return "failed" if self.error else "stopped" if self.stopping else "finished"

    @property
    def left(self):
        """Seconds of training that are left, or None where nobody can know yet."""
        followers = [self.followers.get(name) for name in self._queue]
        each = [follower and follower.left for follower in followers]
        return None if None in each else sum(each)

    def start(self):
        # A thread that is inside TensorFlow when the interpreter ends would abort it.
        atexit.register(self._leave)
        for thread in self._threads:
            thread.start()

    def wait(self, timeout=None):
        """Whether it is over within ``timeout`` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if until is None else max(0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _leave(self):
        self.set(stopping=True)
        self.wait(FAREWELL)

    def set(self, **flags):
        """Set ``paused`` or ``stopping``, and wake who waits for it."""
        with self._changed:
            vars(self).update(flags)
            self._changed.notify_all()

    def take_turn(self, name, give=True):
        """Give the turn away, and come back with the next one: not while the race is paused."""
        with self._changed:
            if give:
                self._queue.append(self._queue.pop(0))
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._queue[0] == name)
            while self.paused and not self.stopping:
                self._holds = True
                self.show()
                self._changed.wait()
            self._holds = False

    def show(self, if_due=False):
        """Take what the monitors have recorded, and have it drawn."""
        now = time.monotonic()
        if if_due and now - self._last < REDRAW:
            return
        self._last = now
        with self.lock:
            self.flush()
            self.redraw()

    def flush(self):
        # The others wait for their turn: their monitors may be read from here.
        for follower in self.followers.values():
            follower.flush()

    def _train(self, name):
        try:
            self.take_turn(name, give=False)
            if not self.stopping:
                self._fit(name)
        except Exception as error:
            self.error = self.error or error
            self.set(stopping=True)
        finally:
            with self._changed:
                self._queue.remove(name)
                self._changed.notify_all()
                over = not self._queue
            if over:
                atexit.unregister(self._leave)
                with self.lock:
                    try:
                        self.flush()
                    finally:
                        self.end()

    def _fit(self, name):
        model, arguments = _made(name, self.makers[name]())
        monitor = GradientMonitor(self.every)
        follower = self.followers[name] = _Follower(name, self, monitor)
        callbacks = [*arguments.pop("callbacks", ()), monitor, follower]
        model.fit(**{**self.arguments, **arguments}, callbacks=callbacks, verbose=0)


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

    def __init__(self, name, race, monitor):
        super().__init__()
        self.name, self.race, self.monitor = name, race, monitor
        self.recording = None
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
        steps = self.params.get("steps")
        return steps and steps * self.params["epochs"]

    def on_train_batch_begin(self, batch, logs=None):
        # Not at the end of the last step: what Keras does at the end of an epoch is in turn too.
        self.race.take_turn(self.name, give=self._seen > 0)
        self._batch, self._since = batch, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._seconds += time.monotonic() - self._since
        self._first = self._first or self._seconds
        self._seen += batch - self._batch + 1  # several, under steps_per_execution
        self._metric = _metric(logs)
        loss, accuracy = (logs.get(name, np.nan) for name in ("loss", self._metric))
        self._logs.append((self._seen, loss, accuracy))
        if self.race.stopping:
            self.model.stop_training = True
        self.race.show(if_due=True)

    def flush(self):
        """Move what the monitor holds into the recording."""
        records = self.monitor.drain()
        if self.recording is None:
            if not len(records["step"]):
                return
            self.recording = Recording(
                self.name, records["layers"], self.monitor.every, self._total(), self._metric
            )
        seen = [one[0] for one in self._logs]
        logs = [one[1:] for one in self._logs] + [(np.nan, np.nan)]  # a step that raised has none
        norms = np.stack([records[measure] for measure in MEASURES], axis=1)
        for step, row in zip(records["step"], norms, strict=True):
            self.recording.add(step, row, logs[np.searchsorted(seen, step, side="right")])
        if len(records["step"]):
            self._logs.clear()
        self.recording.steps, self.recording.seconds = self._seen, self._seconds


def _metric(logs):
    """What stands for accuracy: the first metric of that name, else the first one."""
    others = [name for name in logs if name != "loss"]
    return next((name for name in others if "acc" in name), others[0] if others else None)
