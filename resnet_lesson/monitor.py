"""Gradient norm, weight norm and relative update of every kernel, recorded while a model trains.

The callback listens at ``optimizer.apply``, inside the training graph: no second backward pass, and
no copy to the host but one for every few hundred steps.
"""

import csv
import threading
from numbers import Integral
from typing import NamedTuple

import numpy as np

from .files import whole
from .probe import _place, _trainable_kernels
from .runtime import keras, tf

MEASURES = ("gradient_norm", "weight_norm", "update_ratio")
# Steps kept on the device before they are fetched: one fetch of some hundred kilobytes.
CAPACITY = 256


class FirstBad(NamedTuple):
    """Where a gradient first was no number: ``what`` is "NaN" or "infinite"."""

    layer: str
    step: int
    what: str


class GradientMonitor(keras.callbacks.Callback):
    """Records what each training step does to each kernel; give it to ``fit`` as a callback.

    Serves any compiled Keras model with one optimizer: functional or subclassed, mixed
    precision, ``jit_compile``, gradient accumulation, ``steps_per_execution``, ``run_eagerly``,
    ``MirroredStrategy``. The kernels are those of ``gradient_norms``.

    Training stays as it was. In float32 on a CPU with op determinism the weights are the same
    bit for bit. Under ``jit_compile`` or several devices a compiler may fuse other operations:
    after six steps the kernels agree within 1e-5 of their norm, in mixed precision within 1e-3.
    The wrapped ``optimizer.apply`` is in place only while a step runs, so a ``fit`` that raises
    leaves the optimizer clean, and the next ``fit`` without this monitor is unmonitored. The
    monitor holds the kernels' old values during a step, and sums the gradients of several
    replicas a second time.

    Args:
        every: record one step in ``every``, beginning with the first.

    Attributes:
        records: a dict of arrays, see there.
        first_bad: None, or the first recorded NaN or infinite gradient.

    Raises:
        ValueError: ``every`` is not a whole number of at least 1. At the start of ``fit``: the
            model is not compiled, has no trainable kernel or has not those of the fits before; a
            custom ``train_step`` has several optimizers, or does not call ``apply`` of
            ``model.optimizer`` exactly once a step; a second monitor is in the same ``fit``.
    """

    def __init__(self, every=1):
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, Integral) or every < 1:
            raise ValueError(f"every must be a whole number of at least 1, received {every!r}")
        self.every = int(every)
        self._followed = None  # the model
        self._layers = ()
        self._rows = []  # arrays (rows, 1 + 3 kernels) fetched from the device
        self._tape = None
        self._monitored = None  # the model's train function with the tape in it
        self._due = False

    def __repr__(self):
        bad = self.first_bad
        found = f"{bad.what} gradient in {bad.layer!r} at step {bad.step}" if bad else "all finite"
        steps, kernels = self._table().shape[0], len(self._layers)
        return f"<GradientMonitor: {steps} steps of {kernels} kernels, {found}>"

    @property
    def records(self):
        """All fits so far, as a dict of arrays; empty ones before the first.

        ``gradient_norm`` (steps, kernels): Euclidean norm of the gradient as the optimizer gets
            it: penalties included, the loss scale divided out, before clipping, summed over the
            replicas; 0 where the loss does not reach a kernel.
        ``weight_norm`` (steps, kernels): norm before the update.
        ``update_ratio`` (steps, kernels): norm of the change of the kernel over ``weight_norm``,
            by whatever changed it: rate, momentum, decay, constraint. 0 on a step that only
            accumulates or that loss scaling skips; infinite where a zero kernel moves.
        ``step`` (steps,): training steps counted from 0, on over all fits.
        ``layers`` (kernels,): the kernels' places, input side first.
        """
        step, *measures = np.split(
            self._table(), [1 + index * len(self._layers) for index in range(3)], axis=1
        )
        return {
            **dict(zip(MEASURES, measures, strict=True)),
            "step": step[:, 0].astype(np.int64),
            "layers": np.array(self._layers, dtype=str),
        }

    def drain(self):
        """``records`` since the last call; the monitor forgets them: its memory stays bounded."""
        records = self.records
        self._rows = []
        return records

    @property
    def first_bad(self):
        """The earliest ``FirstBad``, nearest the input within its step, or None.

        Under float16 the first steps often are: the optimizer skips them and lowers its loss
        scale.
        """
        records = self.records
        bad = np.argwhere(~np.isfinite(records["gradient_norm"]))
        if not len(bad):
            return None
        row, column = bad[0]
        what = "NaN" if np.isnan(records["gradient_norm"][row, column]) else "infinite"
        return FirstBad(self._layers[column], int(records["step"][row]), what)

    def to_csv(self, path):
        """Write one line for each step and layer, under a header; the file is whole or untouched.

        Columns: step, layer, gradient_norm, weight_norm, update_ratio.
        """
        records = self.records
        with whole(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "layer", *MEASURES])
            for row, step in enumerate(records["step"]):
                for column, layer in enumerate(self._layers):
                    values = (float(records[measure][row, column]) for measure in MEASURES)
                    writer.writerow([step, layer, *values])

    def plot(self, ax=None, measure="gradient_norm"):
        """Draw a measure by layer and step as a heat map and return the Axes.

        Raises:
            ValueError: ``measure`` is none of the three, or nothing has been recorded.
        """
        from . import plots

        if measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, received {measure!r}")
        records = self.records
        if not len(records["step"]):
            raise ValueError("a plot needs at least 1 recorded step, received 0: fit first")
        return plots.heat_map(
            records[measure].T, records["step"], self._layers, ax, measure.replace("_", " ")
        )

    def on_train_begin(self, logs=None):
        self._install()
        self._due = False

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.train_function is not self._monitored:
            self._install()  # another callback had the train function made anew
        self._due = True

    def on_train_end(self, logs=None):
        if self.model.train_function is self._monitored:
            self.model.train_function = self._monitored.plain
        self._fetch()

    def _install(self):
        model = self.model
        if not getattr(model, "compiled", False):
            raise ValueError(
                f"the model must be compiled before it is monitored, received {model.name!r} "
                "uncompiled"
            )
        _check_optimizers(model)
        if self._followed not in (None, model):
            raise ValueError(
                f"a monitor follows one model, {self._followed.name!r}, received {model.name!r}"
            )
        if model.built:
            self._follow(model)
        model.make_train_function()
        plain = model.train_function
        other = getattr(plain, "monitor", None)
        if other is not None:
            # Of this very fit, or left by a fit that raised? One fit's callbacks share params.
            if other is not self and other.params is self.params:
                raise ValueError("one fit takes one GradientMonitor, received two")
            plain = plain.plain
        if getattr(self._monitored, "plain", None) is not plain:
            self._fetch()
            tape = self._tape = _Tape(model, self._follow, self.every, self._tape)
            if model.built:
                tape.open()
            self._monitored = self._monitor(model, plain)
        model.train_function = self._monitored

    def _follow(self, model):
        """The kernels to record, the same ones in every fit."""
        kernels = _trainable_kernels(model)
        layers = _places(kernels, model)
        if self._followed is not None and layers != self._layers:
            raise ValueError(
                f"a monitor's kernels stay the same, {len(self._layers)} before, received "
                f"{len(layers)} now: take a new monitor after freezing or unfreezing layers"
            )
        self._followed, self._layers = model, layers
        return kernels

    def _monitor(self, model, plain):
        """The model's train function made anew, its step traced while the tape listens."""
        tape = self._tape
        step = model.train_step
        had = vars(model).get("train_step")
        # Keras takes the step from the model when it makes the function, so it is there for now.
        vars(model)["train_step"] = tape.counted(step)
        try:
            model.make_train_function(force=True)
        finally:
            if had is None:
                del vars(model)["train_step"]
            else:
                vars(model)["train_step"] = had
        listening = model.train_function

        def monitored(iterator):
            if not self._due:
                # A fit that does not know the monitor: the one that did has raised.
                model.train_function = plain
                return plain(iterator)
            self._due = False
            if tape.pending + model.steps_per_execution > tape.capacity:
                self._fetch()
            tape.pending += model.steps_per_execution
            with tape.listening(model.optimizer):
                return listening(iterator)

        monitored.monitor, monitored.plain = self, plain
        return monitored

    def _fetch(self):
        if self._tape is not None and self._tape.pending and self._tape.kernels:
            self._rows.append(self._tape.fetch())

    def _table(self):
        """(rows, 1 + 3 kernels): the step, then the measures."""
        self._fetch()
        if not self._rows:
            return np.empty((0, 1 + 3 * len(self._layers)))
        self._rows = [np.concatenate(self._rows)]
        return self._rows[0]


class _Tape:
    """Rows of norms on the device, and the wrapped ``apply`` that writes them.

    The wrapped ``apply`` adds reads and writes, and no control dependency on the update. With
    one, the graph optimiser no longer rearranges the update's sums and products as it does
    without a monitor, and the weights differ in the last bit.
    """

    def __init__(self, model, follow, every, before):
        self.model, self.follow, self.every = model, follow, every
        self.capacity = max(CAPACITY, model.steps_per_execution)
        self.kernels = ()
        self.pending = 0  # steps since the last fetch, or more
        # Steps seen and rows fetched, on from the tape before.
        self.seen, self.fetched = (before.seen, before.fetched) if before else (0, 0)
        self._local = threading.local()  # a strategy traces each replica in a thread of its own

    def open(self):
        """Make the variables; where Keras builds the model, in its first trace at the latest."""
        self.kernels = self.follow(self.model)
        # Each replica writes its own copy, without talking to the others; the first one's is read.
        local = {
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA,
        }
        shape = (self.capacity, 1 + 3 * len(self.kernels))
        with tf.init_scope(), self.model.distribute_strategy.scope():
            self.steps = tf.Variable(self.seen, dtype=tf.int64, **local)
            self.rows = tf.Variable(np.zeros(shape), dtype=tf.float64, **local)

    def counted(self, train_step):
        """``train_step``, refusing to be traced where it does not apply gradients once."""

        def step(data):
            self._local.applied = 0
            parts = tf.nest.flatten(data, expand_composites=True)
            self._local.batch = [part for part in parts if part is not None]
            logs = train_step(data)
            if self._local.applied != 1:
                raise ValueError(
                    "train_step must call apply or apply_gradients of model.optimizer exactly "
                    f"once, received {self._local.applied} calls"
                )
            return logs

        return step

    def listening(self, optimizer):
        """A context in which the optimizer's ``apply`` records."""
        return _Replaced(optimizer, "apply", self._recorded(optimizer))

    def _recorded(self, optimizer):
        apply = optimizer.apply

        def recorded(grads, trainable_variables=None):
            self._local.applied += 1
            if not self.kernels:
                self.open()
            grads = list(grads)
            variables = trainable_variables
            if variables is None:
                variables = optimizer._trainable_variables
            else:
                variables = trainable_variables = list(variables)
            gradients = _summed(self._of_kernels(grads, variables))
            scale = tf.cast(optimizer.scale_loss(tf.ones(())), tf.float64)
            before = [tf.identity(kernel.value) for kernel in self.kernels]
            result = apply(grads, trainable_variables)
            steps = tf.identity(self.steps)
            if self.every == 1:
                self._write(steps, gradients, scale, before)
            else:
                tf.cond(
                    steps % self.every == 0,
                    lambda: self._write(steps, gradients, scale, before),
                    lambda: None,
                )
            # Where the data end by surprise, a last step runs as far as it can without a batch.
            with tf.control_dependencies(self._local.batch):
                self.steps.assign(steps + 1)
            return result

        return recorded

    def _of_kernels(self, grads, variables):
        """The kernels' gradients in order, zeros where there is none."""
        by_variable = {_key(v): g for v, g in zip(variables, grads, strict=True) if g is not None}
        return [
            tf.convert_to_tensor(by_variable.get(_key(kernel), tf.zeros(kernel.shape)))
            for kernel in self.kernels
        ]

    def _write(self, steps, gradients, scale, before):
        after = [tf.identity(kernel.value) for kernel in self.kernels]
        gradient = tf.stack([_norm(value) for value in gradients]) / scale
        weight = tf.stack([_norm(value) for value in before])
        change = tf.stack([_distance(*pair) for pair in zip(after, before, strict=True)])
        ratio = tf.where(change == 0, tf.zeros_like(change), change / weight)
        row = tf.concat([[tf.cast(steps, tf.float64)], gradient, weight, ratio], axis=0)
        place = (steps // self.every) % self.capacity
        self.rows.assign(tf.tensor_scatter_nd_update(self.rows, [[place]], [row]))

    def fetch(self):
        """(new rows, 1 + 3 kernels)"""
        self.seen = int(self.steps.numpy())
        written = -(-self.seen // self.every)
        places = np.arange(max(self.fetched, written - self.capacity), written) % self.capacity
        self.fetched, self.pending = written, 0
        return self.rows.numpy()[places]


class _Replaced:
    """A context in which ``thing.name`` is ``value``, as an attribute of the instance."""

    def __init__(self, thing, name, value):
        self.attributes, self.name, self.value = vars(thing), name, value

    def __enter__(self):
        self.had = self.name in self.attributes
        self.before = self.attributes.get(self.name)
        self.attributes[self.name] = self.value

    def __exit__(self, *raised):
        if self.had:
            self.attributes[self.name] = self.before
        else:
            del self.attributes[self.name]


def _norm(values):
    """The Euclidean norm in float64, zero or infinite only when the entries are."""
    if values.dtype != tf.float64:
        # Squares of float32 and shorter stay within the range of float64.
        return tf.sqrt(tf.reduce_sum(tf.square(tf.cast(values, tf.float64))))
    largest = tf.reduce_max(tf.abs(values))
    usable = (largest > 0) & tf.math.is_finite(largest)
    unit = tf.where(usable, largest, tf.ones_like(largest))
    return unit * tf.sqrt(tf.reduce_sum(tf.square(values / unit)))


def _distance(after, before):
    if after.dtype == tf.float64:
        return _norm(after - before)
    difference = tf.cast(after, tf.float64) - tf.cast(before, tf.float64)
    return tf.sqrt(tf.reduce_sum(tf.square(difference)))


def _summed(gradients):
    """Summed over the replicas, as the optimizer does after clipping."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradients
    return context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)


def _key(variable):
    """Keras hands over its own variables or TensorFlow's below them."""
    return id(variable.value if isinstance(variable, keras.Variable) else variable)


def kernel_places(model):
    """The places of a built model's kernels, a tuple of strings, as ``records`` has them."""
    return _places(_trainable_kernels(model), model)


def _places(kernels, model):
    """The kernels' places; one that occurs again, in a nested model, gets a number."""
    places = []
    for kernel in kernels:
        place = _place(kernel, model)
        taken = sum(other.partition("#")[0] == place for other in places)
        places.append(f"{place}#{taken + 1}" if taken else place)
    return tuple(places)


def _check_optimizers(model):
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


def _items(value):
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else [value]
