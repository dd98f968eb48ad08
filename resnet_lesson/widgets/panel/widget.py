"""The training panel: every layer's gradient, weights and update, while a network trains."""

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets
from IPython import get_ipython

from ...checks import check_choice, check_flag, check_integer, shown
from ...gradients.history import MEASURES
from ..frontend import Checked, LessonWidget, read_bundle, to_message, write_json
from . import recording
from .job import LIVE, TrainingJob, dtype_policy

RECORDED = Path(__file__).parent / "runs.json"  # plain and residual, made by ``runs``
# One redraw in so many sends all columns, for a browser that missed some.
FULL_REDRAW = 20
_panels: weakref.WeakSet["TrainingPanel"] = weakref.WeakSet()


def _check_runs(what: str, runs: Any) -> list[dict[str, Any]]:
    try:
        recording.check_runs(runs)
    except ValueError as error:
        raise ValueError(f"{what} must be recorded ones: {error}") from error
    return list(runs)


class TrainingPanel(LessonWidget):
    """Trains one network or two in step, and shows each layer's norms as it goes.

    >>> panel = TrainingPanel({"plain": make_plain, "residual": make_residual}, epochs=5)
    >>> panel  # and press Start, or call panel.start()

    ``start`` trains in threads, so that the notebook stays free; ``run`` returns at the end, and
    ``finish``, too, which trains only what nobody has trained. What is kept does not grow with the
    number of steps (see ``recording``). A training ends when its panel is closed, or when the
    notebook's cell that made the panel runs again.

    Layers get the dtype policy of the thread that starts the training. A browser's start may come
    in a thread that has none: then it is that of the last start, or of where the panel was made.

    Args:
        makers: dict from a name to a function without arguments, one or two of them. Each
            start calls it again, for a compiled model, x and y; or for a compiled model and a
            dict of arguments for ``fit``.
        epochs, batch_size: of ``fit``, for all networks.
        every: record one step in so many.
        quantity: which measure is shown first: ``"gradient_norm"``, ``"weight_norm"`` or
            ``"update_ratio"``.
        zoom: whether the opening steps are shown first, one by one, and not the whole run.

    ``quantity`` and ``zoom`` are traits; what readers choose stays in their browser.

    Raises:
        ValueError: ``makers``, ``epochs``, ``batch_size`` or ``every`` is not allowed.
        traitlets.TraitError: ``quantity`` or ``zoom`` is not allowed, or ``runs`` was not recorded.
    """

    _esm, _css = read_bundle("panel")

    # The last training, complete. During a training, messages carry what is new: a trait belongs to
    # one thread, and the browser's commands come in another.
    runs = Checked([], _check_runs).tag(sync=True)
    # What can be trained, by name: pictures have room for it before the first step.
    networks = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    quantity = Checked(MEASURES[0], check_choice, MEASURES).tag(sync=True)
    zoom = Checked(False, check_flag).tag(sync=True)
    # What the browser must know to read a recording.
    scale = traitlets.Dict(
        {
            "columns": recording.COLUMNS,
            "opening": recording.OPENING,
            "per_decade": recording.PER_DECADE,
            "zero": recording.ZERO,
            "nan": recording.NAN,
            "infinite": recording.INFINITE,
        },
        read_only=True,
    ).tag(sync=True)

    _from_page = ("quantity", "zoom")
    _job: TrainingJob | None = None  # the last one
    # Held while a training changes, and while its state is read. The class has one too, for a
    # panel whose arguments were refused, which is closed all the same.
    _lock = threading.RLock()

    def __init__(
        self,
        makers: dict[str, Callable[[], Any]] | None = None,
        *,
        epochs: int = 1,
        batch_size: int | None = None,
        every: int = 1,
        **traits: Any,
    ) -> None:
        if not traits.get("runs"):
            _check_makers(makers)
        self._arguments = {"epochs": check_integer("epochs", epochs)}
        if batch_size is not None:
            self._arguments["batch_size"] = check_integer("batch_size", batch_size)
        self._makers, self._every = dict(makers or {}), check_integer("every", every)
        self._trainings, self._redraws = 0, 0
        self._sent: dict[str, tuple[int, int, int]] = {}  # stride and columns of each strip
        self._provenance: dict[str, Any] = {}  # of a replayed record
        self._policy = dtype_policy()
        self._lock = threading.RLock()
        self.set_trait("networks", list(self._makers))
        super().__init__(**traits)
        self.on_msg(self._on_message)
        self._stop_previous()

    def _stop_previous(self) -> None:
        """Stop the panels that an earlier run of the same cell made."""
        self._cell, self._cell_run = _current_cell()
        for other in list(_panels):
            if other._cell == self._cell is not None and other._cell_run != self._cell_run:
                other.stop()
        _panels.add(self)

    @classmethod
    def replay(
        cls, source: str | os.PathLike[str] | dict[str, Any] = RECORDED, **traits: Any
    ) -> "TrainingPanel":
        """A panel that plays a recorded training: a file's, or the dict of ``record``.

        Without a source: the plain and the residual network of 56 layers that come with the
        package.

        Raises:
            ValueError: the source is not a recorded training.
        """
        record = recording.read(source)
        panel = cls(runs=record["runs"], **traits)
        panel._provenance = {name: value for name, value in record.items() if name != "runs"}
        return panel

    @traitlets.validate("runs")
    def _check_not_empty(self, proposal: Any) -> list[dict[str, Any]]:
        if not (proposal.value or self._makers):
            raise traitlets.TraitError(
                "runs must hold 1 or 2 runs in a panel with nothing to train, received []"
            )
        return proposal.value

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a front end has set: all but ``quantity`` and ``zoom`` is the kernel's.

        Raises:
            traitlets.TraitError: it says something else of what is the kernel's, or something
                that is not allowed. Then nothing changes.
        """
        known = set(sync_data) & set(self.keys)
        own = self.get_state(known.difference(self._from_page))
        for name, value in own.items():
            # JSON has no tuples.
            if sync_data[name] != (list(value) if isinstance(value, tuple) else value):
                raise traitlets.TraitError(f"{name} is set by the kernel, not by a front end")
        super().set_state(sync_data)

    # ------------------------------------------------------------------ training

    @property
    def state(self) -> str:
        """``"ready"``, ``"building"``, ``"training"``, ``"pausing"``, ``"paused"``, ``"stopping"``,
        ``"stopped"``, ``"finished"`` or ``"failed"``."""
        with self._lock:
            return self._job.state if self._job else "ready"

    @property
    def active(self) -> bool:
        """Whether a training is running, or paused."""
        return self.state in LIVE

    def start(self) -> None:
        """Train from the beginning, in separate threads.

        Raises:
            RuntimeError: there is nothing to train, or a training is running.
        """
        with self._lock:
            if not self._makers:
                raise RuntimeError("a panel made by replay has nothing to train")
            if self.active:
                raise RuntimeError(f"a training is under way ({self.state}): stop it first")
            job = self._new_job(dtype_policy())
        job.start()

    def _new_job(self, policy: Any) -> TrainingJob:
        """A new job, active from here on; its start, which takes seconds, is left to the caller."""
        self._trainings, self._redraws, self._sent = self._trainings + 1, 0, {}
        self._policy = policy
        self._job = TrainingJob(
            *(self._makers, self._arguments, self._every, policy, self._lock),
            redraw=self._redraw,
            end=self._end,
        )
        return self._job

    def pause(self) -> None:
        """Hold the training before its next step."""
        self._set(paused=True)

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._set(paused=False)

    def stop(self) -> None:
        """End the training: the current step is its last, or the next one."""
        self._set(stopping=True)

    def _set(self, **flags: bool) -> None:
        with self._lock:
            if self._job and self.active:
                self._job.set(**flags)
                self.send(self._frame())

    def close(self) -> None:
        """Close the widget, and end its training as ``stop`` does."""
        with self._lock:  # nothing is sent while it closes
            self.stop()
            super().close()

    def wait(self, timeout: float | None = None) -> None:
        """Return when the training has ended.

        Raises:
            TimeoutError: it has not, after ``timeout`` seconds.
            Exception: the error that ended the training, if there was one.
        """
        if not self._wait(timeout):
            raise TimeoutError(f"the training goes on after {timeout} seconds")
        if self._job and self._job.error:
            raise self._job.error

    def _wait(self, timeout: float | None = None) -> bool:
        return self._job is None or self._job.wait(timeout)

    def run(self) -> None:
        """Train from the beginning, and return at the end; an interrupt stops the training."""
        self.start()
        try:
            self.wait()
        except KeyboardInterrupt:
            self.stop()
            self._wait()
            raise

    def finish(self) -> None:
        """Return when the training has ended; start it where nobody has, and end a pause.

        Raises:
            RuntimeError: it was stopped before its end.
            Exception: the error that ended it, if there was one.
        """
        if self.state == "ready":
            return self.run()
        self.resume()
        self.wait()
        if self.state == "stopped":
            raise RuntimeError(
                "the training was stopped before its end: press Start again, or call panel.run()"
            )

    # ------------------------------------------------------------------ what was recorded

    def record(self) -> dict[str, Any]:
        """The training as a dict of plain data that ``replay`` takes: norms by layer and column,
        loss, accuracy, versions and date."""
        with self._lock:
            provenance = self._job.provenance if self._job else self._provenance
            return {**provenance, "runs": self._recorded_runs()}

    def norms(self, name: str, measure: str, zoom: bool = False) -> np.ndarray:
        """(columns, layers) of a network's measure, to a hundredth of a decade.

        With ``zoom`` a column is one of the first ``recording.OPENING`` steps. Without, it is the
        largest values of as many steps as were merged.

        Raises:
            ValueError: no such network, or no such measure.
        """
        runs = {run["name"]: run for run in self.record()["runs"]}
        run = runs[check_choice("name", name, runs)]
        check_choice("measure", measure, MEASURES)
        codes = recording.strip_codes(run, "opening" if zoom else "whole")
        return recording.decode(codes)[:, MEASURES.index(measure)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write ``record`` as JSON, atomically.

        Raises:
            RuntimeError: no step has been recorded.
        """
        record = self.record()
        if not record["runs"]:
            raise RuntimeError("a record needs at least 1 step, received 0: train first")
        write_json(path, lambda: record)

    def _recorded_runs(self) -> list[dict[str, Any]]:
        if self._job is None:
            return list(self.runs)
        return [one.to_json() for one in self._job.recordings]

    # ------------------------------------------------------------------ the browser

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Obey a command of the browser; one that comes too late has no effect."""
        job = None
        with self._lock:
            # What was recorded is dropped on request only: another view may have trained.
            starts = content == "start again" or (content == "start" and not self._recorded_runs())
            if starts and self._makers and self.comm and not self.active:
                in_main_thread = threading.current_thread() is threading.main_thread()
                job = self._new_job(dtype_policy() if in_main_thread else self._policy)
            elif content in ("pause", "resume", "stop"):
                getattr(self, content)()
            elif content in ("hello", "start", "start again"):
                self.send(self._frame(self._recorded_runs()))
        if job:
            job.start()

    def _redraw(self) -> None:
        self._redraws += 1
        if self._redraws % FULL_REDRAW == 0:
            self._sent = {}
        self.send(self._frame(self._new_columns()))

    def _new_columns(self) -> list[dict[str, Any]]:
        """The runs, with the columns that were not sent and the last one, which may have changed.

        All columns of a strip whose stride has changed.
        """
        runs = []
        for one in self._job.recordings if self._job else []:
            stride, columns, opening = self._sent.get(one.name, (0, 0, 0))
            start = max(0, columns - 1) if stride == one.whole.stride else 0
            runs.append(one.to_json(start, max(0, opening - 1)))
            self._sent[one.name] = one.whole.stride, one.whole.columns, one.opening.columns
        return runs

    def _frame(self, runs: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """A message to the browser: the state of the training, and what it adds to these runs."""
        job = self._job
        error = job and job.error
        frame = {
            "training": self._trainings,
            "state": self.state,
            "seconds": job and job.seconds,
            "left": job and job.seconds_left,
            "error": f"{type(error).__name__}: {error}" if error else "",
            "runs": list(runs),
        }
        return to_message(frame)

    def _end(self) -> None:
        runs = self._recorded_runs()
        self.send(self._frame(runs))
        self.runs = runs  # last of all: an observer may start the next training

    def _fallback(self) -> tuple[str, Callable[[], bytes]]:
        runs = self.record()["runs"]
        names = " and ".join(self._makers or [run["name"] for run in runs])
        verb = "trains" if self._makers else "replays"
        words = f"TrainingPanel: {verb} {names}, each layer's norms step by step."
        return words, lambda: self._picture(runs)

    def _picture(self, runs: Sequence[dict[str, Any]]) -> bytes:
        """PNG bytes of the heat maps; before a training, of their places."""
        from ... import plots

        if not runs:
            return plots.png(plots.empty_maps(self._makers))
        measure, strip = MEASURES.index(self.quantity), "opening" if self.zoom else "whole"
        maps = {}
        for run in runs:
            norms = recording.decode(recording.strip_codes(run, strip))[:, measure].T
            stride = run[strip]["stride"] * run["every"]
            maps[run["name"]] = norms, stride * np.arange(norms.shape[1]), run["layers"]
        return plots.png(plots.heat_maps(maps, self.quantity.replace("_", " ")))


def _current_cell() -> tuple[str | None, str | None]:
    """The ids of the running notebook cell, and of this run of it; None outside a notebook."""
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)()
    return parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")


def _check_makers(makers: Any) -> None:
    if not isinstance(makers, dict) or not 1 <= len(makers) <= 2:
        raise ValueError(f"makers must be a dict of 1 or 2 functions, received {shown(makers)}")
    for name, make in makers.items():
        if not recording.is_text(name):
            raise ValueError(
                "a network's name must be text that can be shown, not empty, "
                f"received {shown(name)}"
            )
        if not callable(make) or hasattr(make, "fit"):  # a model can be called, too
            raise ValueError(
                f"{name!r} must be a function without arguments, received {shown(make)}"
            )
