"""Whose turn it is in a training behind a panel; hears pause and stop; knows when it is over.

Nothing here waits for TensorFlow: a training is under way from its start on, and is heard.
"""

import atexit
import datetime
import sys
import threading
import time

from .recording import FILE

REDRAW = 0.1  # seconds between two redraws, at least
FAREWELL = 3  # seconds that the interpreter's end leaves a step to come to its own


def dtype_policy():
    """Keras's policy for new layers in this thread, where Keras keeps it; None before its import.

    It is not imported for this: where it is not, nobody has set a policy.
    """
    config = getattr(sys.modules.get("keras"), "config", None)
    return config and config.dtype_policy()


class Race:
    """One training, from its start to its end; a fresh start is a new one.

    Each ``fit`` has a thread of its own, and all that it does, from building its network on, it
    does in its turn: two networks go forward in step, and never at the same time.

    Args:
        makers: as the panel has them.
        arguments: of ``fit``, for every network.
        every: of the monitor.
        policy: for the networks' layers, as ``dtype_policy`` gives it.
        lock: an RLock, held while anything here changes.
        redraw: called, in the thread whose turn it is, when there is something new to show.
        end: called in the last thread when all is over.
    """

    def __init__(self, makers, arguments, every, policy, lock, redraw, end):
        self.makers, self.arguments, self.every, self.policy = makers, arguments, every, policy
        self.lock, self.redraw, self.end = lock, redraw, end
        self.followers, self.error = {}, None
        self.made = {}  # what a record says of how it came about
        self.paused = self.stopping = self._holds = False
        self._changed = threading.Condition(lock)
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
        self._try(self._fit, name)
        # Whoever sees that it is over sees the last words too: both are said under one lock.
        with self._changed:
            self._try(self.flush)
            self._queue.remove(name)
            self._changed.notify_all()
            if not self._queue:
                atexit.unregister(self._leave)
                self.end()

    def _try(self, act, *arguments):
        """What it raises ends the race."""
        try:
            act(*arguments)
        except BaseException as error:  # SystemExit too: in a thread nobody else would hear of it
            self.error = self.error or error
            self.set(stopping=True)

    def _fit(self, name):
        self.take_turn(name, give=False)
        if self.stopping:
            return
        from ..runtime import versions
        from .follower import fit

        date = datetime.date.today().isoformat()
        self.made = {"file": FILE, **versions(), "date": date}
        fit(name, self)
