"""Gradient norm, weight norm and relative update of every kernel, recorded while a model trains.

The callback records in ``optimizer.apply``, inside the training graph: no second backward pass, and
no copy to the host but one for every few hundred steps.
"""

import copy
import csv
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..backend import keras
from ..checks import check_choice, check_integer
from ..files import atomic_write
from .first_bad import FirstBad, first_bad
from .history import MEASURES, History
from .kernels import WHICH, check_model, trainable_kernels
from .tape import Tape

# The attributes that belong to a model and its device, and are not copied.
_OF_A_MODEL = ("_model", "_fit", "_monitored", "_due")


class GradientMonitor(keras.callbacks.Callback):
    """Records what each training step does to each kernel; give it to ``fit`` as a callback.

    Serves any compiled Keras model with one optimizer: functional or subclassed, mixed
    precision, ``jit_compile``, gradient accumulation, ``steps_per_execution``, ``run_eagerly``,
    ``MirroredStrategy``. The kernels are those of ``gradient_norms``: the trainable weights of two
    axes or more, without biases and the scales of normalisation layers, unless ``which`` is "all".

    Training stays as it was. In float32 on a CPU with op determinism the weights are the same
    bit for bit. Under ``jit_compile`` or several devices a compiler may fuse other operations:
    after six steps the kernels agree within 1e-5 of their norm, in mixed precision within 1e-3.
    The wrapped ``optimizer.apply`` is in place only while a step runs, so a ``fit`` that raises
    leaves the optimizer clean, and the next ``fit`` without this monitor is unmonitored. The
    monitor holds the kernels' old values during a step, the table of an ``Embedding`` included, and
    sums the gradients of several replicas a second time.

    Layers may be frozen or unfrozen between fits; what was recorded stays. A training step is
    traced anew for the monitor: what was changed in the model since ``compile`` counts from then
    on. A monitor can be copied and pickled: the copy has its records, and follows a model of its
    own.

    Args:
        every: record one step in ``every``, beginning with the first.
        which: "kernels", or "all" for every trainable weight: biases, the scales of normalisation
            layers, adapters.

    Attributes:
        records: a dict of arrays, see there.
        first_bad: None, or where numbers first were NaN or infinite.
        copies: a monitor with the records of each deep copy made of this one; a tuner trains a
            copy in each of its trials.

    Raises:
        TypeError: ``fit`` is not that of a model of Keras 3.
        ValueError: ``every`` is not a positive integer, or ``which`` is another word. At the start
            of ``fit``: the model is not compiled, has no trainable kernel or is not that of the
            fits before; a custom ``train_step`` has several optimizers, or does not call ``apply``
            of ``model.optimizer`` exactly once a step; a second monitor is in the same ``fit``.
    """

    # What a copy begins with.
    _model: Any = None
    _fit: Any = None
    _monitored: "_MonitoredFunction | None" = None
    _due = False

    def __init__(self, every: int = 1, which: str = "kernels") -> None:
        super().__init__()
        self.every = check_integer("every", every)
        check_choice("which", which, WHICH)
        self.which = which
        self._history = History()
        self._copied: list[History] = []

    def __repr__(self) -> str:
        records = self.records
        steps, kernels = records["gradient_norm"].shape
        if not steps:
            copies = f"; its {len(self._copied)} copies have their own" if self._copied else ""
            return f"<GradientMonitor: no step seen{copies}>"
        bad = first_bad(records)
        if bad is None:
            state = "all finite"
        elif bad.where == "gradient":
            state = f"{bad.what} gradient in {bad.layer!r} at step {bad.step}"
        else:
            state = f"{bad.what} in the forward pass, first in {bad.layer!r}, at step {bad.step}"
        return f"<GradientMonitor: {steps} steps of {kernels} kernels, {state}>"

    def set_model(self, model: keras.Model) -> None:
        """Called by ``fit`` at its start, in every version of Keras."""
        check_model(model)
        super().set_model(model)

    def __getstate__(self) -> dict[str, Any]:
        """The records and settings: what belongs to a model and its device is left out."""
        return {name: value for name, value in vars(self).items() if name not in _OF_A_MODEL}

    def __deepcopy__(self, memo: dict[int, Any]) -> "GradientMonitor":
        twin = type(self).__new__(type(self))
        twin.__dict__.update(copy.deepcopy({**self.__getstate__(), "_copied": []}, memo))
        self._copied.append(twin._history)  # and not its model, which would stay in memory
        return twin

    def __copy__(self) -> "GradientMonitor":
        return copy.deepcopy(self)

    @property
    def copies(self) -> list["GradientMonitor"]:
        copies = [GradientMonitor(self.every, self.which) for _ in self._copied]
        for twin, history in zip(copies, self._copied, strict=True):
            twin._history = history
        return copies

    @property
    def records(self) -> dict[str, np.ndarray]:
        """All fits so far, as a dict of arrays; empty ones before the first.

        ``gradient_norm`` (steps, kernels): Euclidean norm of the gradient as the optimizer gets
            it: penalties included, the loss scale divided out, before clipping, summed over the
            replicas; 0 where the loss does not reach a kernel.
        ``weight_norm`` (steps, kernels): norm before the update.
        ``update_ratio`` (steps, kernels): norm of the change of the kernel over ``weight_norm``,
            by all that ``apply`` does: rate, momentum, decay, constraint. 0 on a step that only
            accumulates or that loss scaling skips; infinite where a zero kernel moves.
        ``step`` (steps,): training steps counted from 0, on over all fits.
        ``loss`` (steps,): what ``compute_loss`` returned, penalties included, summed where a custom
            ``train_step`` calls it more than once; NaN also where that does not call it.
        ``broken`` (steps,): the layer where the forward pass broke, or "loss"; else "".
        ``layers`` (kernels,): the kernels' paths, in the order in which the model uses them.

        Where a kernel was frozen in some fits, arrays of kernels are masked arrays.
        """
        return self._history.records()

    @property
    def steps(self) -> int:
        """How many training steps it has seen, recorded or not."""
        self._history.fetch()
        return self._history.seen

    def drain(self) -> dict[str, np.ndarray]:
        """``records`` since the last call; the monitor forgets them: its memory stays bounded."""
        return self._history.records(forget=True)

    @property
    def first_bad(self) -> FirstBad | None:
        """The earliest ``FirstBad`` among the recorded steps, or None.

        Under float16 the first steps often are: the optimizer skips them and lowers its loss
        scale.
        """
        return first_bad(self.records)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line for each step and layer, under a header.

        Columns: step, layer, gradient_norm, weight_norm, update_ratio. A layer has no line for the
        steps in which it was frozen.

        Raises:
            OSError: names the path; a file that was there before is unchanged.
        """
        records = self.records
        frozen = np.ma.getmaskarray(records["gradient_norm"])
        with atomic_write(path) as partial, open(partial, "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(["step", "layer", *MEASURES])
            for row, step in enumerate(records["step"]):
                for column in np.flatnonzero(~frozen[row]):
                    values = (float(records[measure][row, column]) for measure in MEASURES)
                    writer.writerow([step, records["layers"][column], *values])

    def plot(self, ax: Any = None, measure: str = "gradient_norm") -> Any:
        """Draw a measure by layer and step as a heat map and return the Axes.

        Args:
            ax: Axes to draw on; None makes a figure. Of many, as in a loop over fits, pyplot keeps
                the newest open, fewer than it would warn of.
            measure: "gradient_norm", "weight_norm" or "update_ratio".

        Raises:
            ValueError: ``measure`` is another, or nothing has been recorded.
        """
        from .. import plots

        check_choice("measure", measure, MEASURES)
        records = self.records
        if not len(records["step"]):
            raise ValueError("a plot needs at least 1 recorded step, received 0: fit first")
        return plots.heat_map(
            records[measure].T, records["step"], records["layers"], ax, measure.replace("_", " ")
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._install()
        self._due = False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # On JAX, `self.model` would carry all weights from the trainer's state to the variables.
        model = self._monitored.model if self._monitored else self.model
        if model.train_function is not self._monitored:
            self._install()  # another callback had the train function made anew
        self._due, self._fit = True, getattr(model, "history", None)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._monitored is not None and self.model.train_function is self._monitored:
            self.model.train_function = self._monitored.plain
        self._history.close()

    def _install(self) -> None:
        """Put a function that records in the place of the model's train function."""
        model = self.model
        if not getattr(model, "compiled", False):
            raise ValueError(
                f"the model must be compiled before it is monitored, received {model.name!r} "
                "uncompiled"
            )
        _check_optimizers(model)
        followed = self._monitored.model if self._monitored else model
        if followed is not model:
            raise ValueError(
                f"a monitor follows one model, {followed.name!r}, received {model.name!r}"
            )
        if model.built:
            # A model without any is refused before its first step.
            trainable_kernels(model, self.which)
        model.make_train_function()
        plain = model.train_function
        if isinstance(plain, _MonitoredFunction):
            # Of this very fit, or left by a fit that raised? One fit's callbacks share params.
            other = plain.monitor
            if other is not self and other.params is self.params:
                raise ValueError("one fit takes one GradientMonitor, received two")
            plain = plain.plain
        if self._monitored is None or self._monitored.plain is not plain:
            self._history.close()
            self._monitored = _MonitoredFunction(self, plain)
        self._history.read = self._monitored.tape.read
        model.train_function = self._monitored


class _MonitoredFunction:
    """A model's train function made anew, its step traced with a tape.

    Args:
        monitor: the monitor that it belongs to.
        plain: the train function that it stands for.
    """

    def __init__(self, monitor: GradientMonitor, plain: Callable[..., Any]) -> None:
        self.monitor, self.plain, self.model = monitor, plain, monitor.model
        model = self.model
        self.tape = Tape(model, monitor.which, monitor.every, monitor._history.seen)
        self._unread = 0  # steps on the tape since it was last read here, at most
        self._recording = self.tape.recorder.train_function()

    def __call__(self, *arguments: Any) -> Any:
        monitor, model = self.monitor, self.model
        if not monitor._due or getattr(model, "history", None) is not monitor._fit:
            # A fit that does not know the monitor: the one that did has raised.
            model.train_function = self.plain
            return self.plain(*arguments)
        monitor._due = False
        if self._unread + model.steps_per_execution > self.tape.recorder.capacity:
            monitor._history.fetch()
            self._unread = 0
        self._unread += model.steps_per_execution
        with self.tape.recorder.recording():
            return self._recording(*arguments)


def _check_optimizers(model: keras.Model) -> None:
    own = model.optimizer
    if not isinstance(own, keras.optimizers.Optimizer):
        raise ValueError(f"the model must have a Keras optimizer, received {own!r}")
    if getattr(model.train_step, "__func__", None) is keras.Model.train_step:
        return
    known = {id(own), id(getattr(own, "inner_optimizer", None))}
    others = [
        name
        for name, value in vars(model).items()
        for item in _items(value)
        if isinstance(item, keras.optimizers.Optimizer)
        and id(item) not in known
        # TensorFlow keeps lists of its own of what it tracks.
        and not name.startswith("_self_")
    ]
    if others:
        raise ValueError(
            "a custom train_step must use model.optimizer alone, received further optimizers: "
            + ", ".join(dict.fromkeys(others))
        )


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else [value]
