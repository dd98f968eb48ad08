"""Whose turn it is in a training behind a panel; hears pause and stop; knows when it is over.

TensorFlow, whose import takes seconds, comes with ``follower``: a race is there before it.
"""

import atexit
import datetime
import importlib
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
        self._threads = {
            name: threading.Thread(
                target=self._train, args=(name,), name=f"fit {name}", daemon=True
            )
            for name in makers
        }

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
        """Begin it; an error that comes before it has begun is its end too."""
        try:
            with self.lock:
                self.redraw()
            # Here and not in the threads: an import beside another one may find half a module.
            importlib.import_module(f"{__package__}.follower")
            # A thread that is inside TensorFlow when the interpreter ends would abort it.
            atexit.register(self._leave)
            for thread in self._threads.values():
                thread.start()
        except BaseException as error:
            with self._changed:
                self._fail(error)
                missing = [name for name, thread in self._threads.items() if not thread.ident]
                if missing:
                    self._leave_queue(*missing)
            raise

    def wait(self, timeout=None):
        """Whether it is over within ``timeout`` seconds.

        Raises:
            RuntimeError: a training's own thread cannot wait for its end.
        """
        if threading.current_thread() in self._threads.values():
            raise RuntimeError("a training cannot wait for its own end")
        with self._changed:
            over = self._changed.wait_for(lambda: not self._queue, timeout)
        for thread in self._threads.values():
            if over and thread.ident:
                thread.join()
        return over

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
        with self._changed:
            self._try(self.flush)
            self._leave_queue(name)

    def _try(self, act, *arguments):
        try:
            act(*arguments)
        except BaseException as error:  # SystemExit too: in a thread nobody else would hear of it
            self._fail(error)

    def _fail(self, error):
        self.error = self.error or error
        self.set(stopping=True)

    def _leave_queue(self, *names):
        """The last one says the last words. Whoever sees that it is over has the lock after it."""
        self._queue = [name for name in self._queue if name not in names]
        self._changed.notify_all()
        if not self._queue:
            atexit.unregister(self._leave)
            self.end()

    def _fit(self, name):
        self.take_turn(name, give=False)
        if self.stopping:
            return
        from ...runtime import versions
        from .follower import fit

        date = datetime.date.today().isoformat()
        self.made = {"file": FILE, **versions(), "date": date}
        fit(name, self)
