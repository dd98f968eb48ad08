"""A training job behind a panel: whose turn it is, pause and stop, and its end.

TensorFlow, whose import takes seconds, comes with ``fit``: a job exists before it.
"""

import atexit
import gc
import importlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .recording import Recording

if TYPE_CHECKING:
    from .fit import JobCallback

REDRAW = 0.1  # seconds between two redraws, at least
LIVE = ("building", "training", "pausing", "paused", "stopping")  # states of a job under way
EXIT_TIMEOUT = 3  # seconds that the interpreter's exit waits for a step to end


def dtype_policy() -> Any:
    """Keras's policy for new layers in this thread; None before Keras is imported.

    Keras is not imported for this: before its import, nobody has set a policy.
    """
    config = getattr(sys.modules.get("keras"), "config", None)
    return config and config.dtype_policy()


class TrainingJob:
    """One training, from its start to its end; a new start is a new job.

    Each ``fit`` has its own thread, and does everything in its turn, building the network included:
    two networks advance in step, and never at the same time.

    Args:
        makers: as in the panel.
        arguments: of ``fit``, for every network.
        every: of the monitor.
        policy: for the networks' layers, as ``dtype_policy`` returns it.
        lock: an RLock, held while the state changes.
        redraw: called, in the thread whose turn it is, when there is something new to show.
        end: called in the last thread when all have ended.
    """

    def __init__(
        self,
        makers: Mapping[str, Callable[[], Any]],
        arguments: Mapping[str, Any],
        every: int,
        policy: Any,
        lock: threading.RLock,
        redraw: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        self.makers, self.arguments, self.every, self.policy = makers, arguments, every, policy
        self.lock, self.redraw, self.end = lock, redraw, end
        self.callbacks: dict[str, JobCallback] = {}
        self.error: BaseException | None = None
        self.provenance: dict[str, str] = {}  # versions and date, for the record
        self.paused = self.stopping = False  # what was requested
        self._holding = False  # whether a pause holds the thread whose turn it is
        self._changed = threading.Condition(lock)
        self._queue = list(makers)  # names; it is the first one's turn
        self._last_redraw = 0.0
        self._begun = time.monotonic()
        self._threads = {
            name: threading.Thread(
                target=self._train, args=(name,), name=f"fit {name}", daemon=True
            )
            for name in makers
        }

    @property
    def recordings(self) -> list[Recording]:
        """Of the networks that have taken a step, in order."""
        found = [self.callbacks[name].recording for name in self.makers if name in self.callbacks]
        return [recording for recording in found if recording]

    @property
    def state(self) -> str:
        """In one word: what it does, or how it ended."""
        if self._queue:
            if self.stopping:
                return "stopping"
            if self.paused:
                return "paused" if self._holding else "pausing"
            # One after the other is built, and takes its first step.
            return "training" if len(self.recordings) == len(self.makers) else "building"
        return "failed" if self.error else "stopped" if self.stopping else "finished"

    @property
    def seconds(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._begun

    @property
    def seconds_left(self) -> float | None:
        """Seconds of training that are left, or None where that is not known yet."""
        callbacks = [self.callbacks[name] for name in self._queue if name in self.callbacks]
        seconds = [callback.seconds_left for callback in callbacks]
        known = [value for value in seconds if value is not None]
        return sum(known) if len(known) == len(self._queue) else None

    def start(self) -> None:
        """Start the threads; an error before they run ends the job."""
        try:
            with self.lock:
                self.redraw()
            # Here and not in the threads: beside another import they may find half a module.
            importlib.import_module(f"{__package__}.fit")
            # A thread inside TensorFlow when the interpreter exits would abort the process.
            atexit.register(self._stop_at_exit)
            for thread in self._threads.values():
                thread.start()
        except BaseException as error:
            with self._changed:
                self._fail(error)
                not_started = [name for name, thread in self._threads.items() if not thread.ident]
                if not_started:
                    self._leave_queue(*not_started)
            raise

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it has ended within ``timeout`` seconds.

        Raises:
            RuntimeError: called in a thread of the training.
        """
        if threading.current_thread() in self._threads.values():
            raise RuntimeError("a training cannot wait for its own end")
        with self._changed:
            ended = self._changed.wait_for(lambda: not self._queue, timeout)
        for thread in self._threads.values():
            if ended and thread.ident:
                thread.join()
        return ended

    def _stop_at_exit(self) -> None:
        self.set(stopping=True)
        self.wait(EXIT_TIMEOUT)

    def set(self, **flags: bool) -> None:
        """Set ``paused`` or ``stopping``, and wake the threads that wait."""
        with self._changed:
            vars(self).update(flags)
            self._changed.notify_all()

    def take_turn(self, name: str, pass_on: bool = True) -> None:
        """Wait for the next turn, with ``pass_on`` after handing on this one; hold in a pause."""
        with self._changed:
            if pass_on:
                self._queue.append(self._queue.pop(0))
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._queue[0] == name)
            while self.paused and not self.stopping:
                self._holding = True
                self.show()
                self._changed.wait()
            self._holding = False

    def show(self, if_due: bool = False) -> None:
        """Flush the monitors and redraw; with ``if_due`` not too often."""
        now = time.monotonic()
        if if_due and now - self._last_redraw < REDRAW:
            return
        self._last_redraw = now
        with self.lock:
            self.flush()
            self.redraw()

    def flush(self) -> None:
        # The other threads wait for their turn, so their monitors may be read from here.
        for callback in self.callbacks.values():
            callback.flush()

    def _train(self, name: str) -> None:
        self._try(self._fit, name)
        with self._changed:
            self._try(self.flush)
            self._leave_queue(name)
            ended = not self._queue
        # A fit that is stopped within an epoch leaves its iterator in a cycle of references, and
        # TensorFlow may take as long to free an iterator as that has lived, up to a minute. Here
        # nobody waits for it; a garbage collection would come in the midst of the next training.
        if ended and self.stopping:
            gc.collect()

    def _fit(self, name: str) -> None:
        from .fit import fit_network  # which may fail: TensorFlow comes with it

        fit_network(name, self)

    def _try(self, function: Callable[..., None], *arguments: str) -> None:
        try:
            function(*arguments)
        except BaseException as error:  # SystemExit too, which a thread ignores silently
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.error = self.error or error
        self.set(stopping=True)

    def _leave_queue(self, *names: str) -> None:
        """Take networks out of the queue. The last one ends the job, still under the lock: whoever
        takes it next and sees an empty queue sees what ``end`` did."""
        self._queue = [name for name in self._queue if name not in names]
        self._changed.notify_all()
        if not self._queue:
            atexit.unregister(self._stop_at_exit)
            self.end()
