"""The training panel: every layer's gradient, weights and update, while a network trains."""

import json
import threading
import weakref
from numbers import Integral

import anywidget
import numpy as np
import traitlets
from IPython import get_ipython

from ...files import atomic_write
from ..bundle import to_message, with_fallback
from ..source import FOLDER, read_sources
from . import recording
from .race import Race, dtype_policy
from .recording import MEASURES

PARTS = ("chart/elements.js", "chart/charts.js", "panel/panel.js")
RECORDED = FOLDER / "panel/runs.json"  # plain and residual, made by ``runs``
# Redraws after which one is sent whole: a browser that missed some has all again.
WHOLE = 20
_panels = weakref.WeakSet()  # all that were made


class TrainingPanel(anywidget.AnyWidget):
    """Trains one network or two in step, and shows each layer's norms as it goes.

    >>> panel = TrainingPanel({"plain": make_plain, "residual": make_residual}, epochs=5)
    >>> panel  # and press Start, or call panel.start()

    ``start`` trains in threads, so that the notebook stays free; ``run`` returns when all is
    over. What it keeps does not grow with the number of steps (see ``recording``). A training
    ends when its panel is closed, or when the notebook's cell that made the panel runs again.

    Layers get the dtype policy of the thread that starts the training. A browser's start may come
    in a thread that has none: then it is the one of the last start, or of where the panel was made.

    Args:
        makers: dict from a name to a function without arguments, one or two of them. Each
            start calls it anew, for a compiled model, x and y; or for a compiled model and a
            dict of arguments for ``fit``.
        epochs, batch_size: of ``fit``, for all.
        every: record one step in so many.
        quantity: which measure is shown first: ``"gradient_norm"``, ``"weight_norm"`` or
            ``"update_ratio"``.
        zoom: whether the opening steps are shown first, one by one, and not the whole run.

    ``quantity`` and ``zoom`` are traits; what readers choose stays in their browser.

    Raises:
        ValueError: ``makers``, ``epochs``, ``batch_size`` or ``every`` is none of these.
        traitlets.TraitError: ``quantity`` or ``zoom`` is none.
    """

    _esm = read_sources(*PARTS)
    _css = read_sources("chart/elements.css", "panel/panel.css")

    # The last training as a whole. While one goes on, messages carry what is new: a trait
    # belongs to one thread, and the browser's wishes come in another.
    runs = traitlets.List(traitlets.Dict()).tag(sync=True, to_json=to_message)
    trains = traitlets.Bool(False).tag(sync=True)
    quantity = traitlets.Enum(MEASURES, MEASURES[0]).tag(sync=True)
    zoom = traitlets.Bool(False).tag(sync=True)
    # What the browser must know of a recording.
    scale = traitlets.Dict(
        {
            "columns": recording.COLUMNS,
            "opening": recording.OPENING,
            "per_decade": recording.PER_DECADE,
            "zero": recording.ZERO,
            "nan": recording.NAN,
            "infinite": recording.INFINITE,
        }
    ).tag(sync=True)

    _race = None  # the last training
    # Held while a training changes, and by whoever asks how it stands; of a panel whose arguments
    # were refused, and which is closed all the same, the one of the class.
    _lock = threading.RLock()

    def __init__(self, makers=None, *, epochs=1, batch_size=None, every=1, **shown):
        if "runs" not in shown:
            _check_makers(makers)
        self._arguments = {"epochs": _whole("epochs", epochs)}
        if batch_size is not None:
            self._arguments["batch_size"] = _whole("batch_size", batch_size)
        self._makers, self._every = dict(makers or {}), _whole("every", every)
        self._started, self._made, self._policy = 0, {}, dtype_policy()
        self._lock = threading.RLock()
        super().__init__(trains=bool(self._makers), **shown)
        self.on_msg(self._hear)
        self._replace()

    def _replace(self):
        """End what the panels train that this cell made when it ran before."""
        self._cell, self._run = _cell()
        for other in list(_panels):
            if other._cell == self._cell is not None and other._run != self._run:
                other.stop()
        _panels.add(self)

    @classmethod
    def replay(cls, source=RECORDED, **shown):
        """A panel that plays a recorded training: a file's, or the dict of ``record``.

        Without a source: the plain and the residual network of 56 layers that come with the
        package.

        Raises:
            ValueError: the source is no recorded training.
        """
        record = recording.read(source)
        panel = cls(runs=record["runs"], **shown)
        panel._made = {name: value for name, value in record.items() if name != "runs"}
        return panel

    # ------------------------------------------------------------------ training

    @property
    def state(self):
        """``"ready"``, ``"building"``, ``"training"``, ``"pausing"``, ``"paused"``, ``"stopping"``,
        ``"stopped"``, ``"finished"`` or ``"failed"``."""
        with self._lock:
            return self._race.state if self._race else "ready"

    @property
    def active(self):
        """Whether a training is under way, or paused."""
        return self.state in ("building", "training", "pausing", "paused", "stopping")

    def start(self):
        """Train from the beginning, in threads of its own.

        Raises:
            RuntimeError: there is nothing to train, or a training is under way.
        """
        with self._lock:
            if not self._makers:
                raise RuntimeError("a panel made by replay has nothing to train")
            if self.active:
                raise RuntimeError(f"a training is under way ({self.state}): stop it first")
            race = self._next(dtype_policy())
        race.start()

    def _next(self, policy):
        """A new training, under way from here on: its start, which takes seconds, is to follow."""
        self._started, self._redraws, self._sent = self._started + 1, 0, {}
        self._policy = policy
        self._race = Race(
            *(self._makers, self._arguments, self._every, policy, self._lock),
            redraw=self._redraw,
            end=self._end,
        )
        return self._race

    def pause(self):
        """Hold the training before its next step."""
        self._set(paused=True)

    def resume(self):
        """Go on after ``pause``."""
        self._set(paused=False)

    def stop(self):
        """End the training: the step under way is its last, or the next one."""
        self._set(stopping=True)

    def _set(self, **flags):
        with self._lock:
            if self.active:
                self._race.set(**flags)
                self.send(self._frame())

    def close(self):
        """Close the widget, and end its training as ``stop`` does."""
        with self._lock:  # nothing is sent while it closes
            self.stop()
            super().close()

    def wait(self, timeout=None):
        """Return when the training is over.

        Raises:
            TimeoutError: it is not, after ``timeout`` seconds.
            Exception: what ended the training, where something did.
        """
        if self._race is None:
            return
        if not self._race.wait(timeout):
            raise TimeoutError(f"the training goes on after {timeout} seconds")
        if self._race.error:
            raise self._race.error

    def run(self):
        """Train from the beginning, and return when it is over; an interrupt stops it."""
        self.start()
        try:
            self.wait()
        except KeyboardInterrupt:
            self.stop()
            self._race.wait()
            raise

    # ------------------------------------------------------------------ what was recorded

    def record(self):
        """The training as a dict of plain data that ``replay`` takes: norms by layer and column,
        loss, accuracy, versions and date."""
        with self._lock:
            made = self._race.made if self._race else self._made
            return {**made, "runs": self._parts()}

    def norms(self, name, measure, zoom=False):
        """(columns, layers) of a network's measure, to a hundredth of a decade.

        A column is a step among the first ``recording.OPENING`` with ``zoom``, else as many
        steps as were merged: their largest values.

        Raises:
            ValueError: no such network, or no such measure.
        """
        runs = {run["name"]: run for run in self.record()["runs"]}
        if name not in runs:
            raise ValueError(f"name must be one of {', '.join(runs)}, received {name!r}")
        if measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, received {measure!r}")
        codes = recording.strip_codes(runs[name], "opening" if zoom else "whole")
        return recording.decode(codes)[:, MEASURES.index(measure)]

    def save(self, path):
        """Write ``record`` as JSON; the file is whole or untouched.

        Raises:
            RuntimeError: no step has been recorded.
        """
        record = self.record()
        if not record["runs"]:
            raise RuntimeError("a record needs at least 1 step, received 0: train first")
        with atomic_write(path) as part:
            part.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")

    def _parts(self):
        if self._race is None:
            return list(self.runs)
        return [one.part() for one in self._race.recordings]

    # ------------------------------------------------------------------ the browser

    def _hear(self, _widget, content, _buffers):
        """A wish of the browser; one that came too late is none."""
        race = None
        with self._lock:
            if content == "start" and self._makers and self.comm and not self.active:
                here = threading.current_thread() is threading.main_thread()
                race = self._next(dtype_policy() if here else self._policy)
            elif content in ("pause", "resume", "stop"):
                getattr(self, content)()
            elif content == "hello":
                self.send(self._frame(self._parts()))
        if race:
            race.start()

    def _redraw(self):
        self._redraws += 1
        if self._redraws % WHOLE == 0:
            self._sent = {}
        self.send(self._frame(self._news()))

    def _news(self):
        """What recordings have that was not sent; the last column may have changed since."""
        parts = []
        for one in self._race.recordings:
            stride, columns, opening = self._sent.get(one.name, (0, 0, 0))
            whole = max(0, columns - 1) if stride == one.whole.stride else 0
            parts.append(one.part(whole, max(0, opening - 1)))
            self._sent[one.name] = one.whole.stride, one.whole.columns, one.opening.columns
        return parts

    def _frame(self, runs=()):
        """A message to the browser: how the training stands, and what it adds to these runs."""
        race = self._race
        frame = {
            "training": self._started,
            "state": self.state,
            "left": race and race.left,
            "error": _said(race and race.error),
            "runs": list(runs),
        }
        return to_message(frame)

    def _end(self):
        runs = self._parts()
        self.send(self._frame(runs))
        self.runs = runs  # the last word: whoever observes it may start anew

    def _repr_mimebundle_(self, **options):
        """The widget; words that do not vary; a picture for where no widget can run."""
        bundle, metadata = super()._repr_mimebundle_(**options)
        runs = self.record()["runs"]
        names = " and ".join(self._makers or [run["name"] for run in runs])
        verb = "trains" if self.trains else "replays"
        words = f"TrainingPanel: {verb} {names}, each layer's norms step by step."
        return with_fallback(bundle, words, lambda: self._picture(runs)), metadata

    def _picture(self, runs):
        """PNG bytes of the heat maps."""
        from ... import plots

        measure, strip = MEASURES.index(self.quantity), "opening" if self.zoom else "whole"
        maps = {}
        for run in runs:
            norms = recording.decode(recording.strip_codes(run, strip))[:, measure].T
            stride = run[strip]["stride"] * run["every"]
            maps[run["name"]] = norms, stride * np.arange(norms.shape[1]), run["layers"]
        return plots.png(plots.heat_maps(maps, self.quantity.replace("_", " ")))


def _cell():
    """The id of the notebook's cell that runs, and of this run of it; None where there is none."""
    parent = getattr(get_ipython(), "get_parent", dict)()
    return parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")


def _said(error):
    return f"{type(error).__name__}: {error}" if error else ""


def _whole(name, value):
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, received {value!r}")
    return int(value)


def _check_makers(makers):
    if not isinstance(makers, dict) or not 1 <= len(makers) <= 2:
        raise ValueError(f"makers must be a dict of 1 or 2 functions, received {makers!r}")
    for name, make in makers.items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"a network's name must be a non-empty string, received {name!r}")
        if not callable(make) or hasattr(make, "fit"):  # a model can be called, too
            raise ValueError(f"{name!r} must be a function without arguments, received {make!r}")
