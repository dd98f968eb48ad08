"""Gradient norm, weight norm and relative update of every kernel, recorded while a model trains.

The callback listens at ``optimizer.apply``, inside the training graph: no second backward pass, and
no copy to the host but one for every few hundred steps.
"""

import copy
import csv
import functools
import threading
from numbers import Integral
from typing import NamedTuple

import numpy as np

from ..files import atomic_write
from ..runtime import keras, tf
from .kernels import (
    Call,
    Calls,
    in_order_of_use,
    kernel_paths,
    patched,
    trainable_kernels,
    untraced,
    uses,
)

MEASURES = ("gradient_norm", "weight_norm", "update_ratio")
# Steps kept on the device before they are fetched: one fetch of some hundred kilobytes.
CAPACITY = 256
# What stands before the measures in a row: the step, its loss, and where its forward pass broke.
HEAD = 3


class FirstBad(NamedTuple):
    """Where numbers first were none: ``what`` is "NaN" or "infinite".

    ``where`` says what was bad. "gradient": loss and weights were finite still, and ``layer`` is
    the one nearest the loss whose gradient was not. "forward pass": they were not, and ``layer`` is
    the first in order of use whose weights or output were not; "loss" where no layer's were. Only
    layers whose kernels train are looked at.
    """

    layer: str
    step: int
    what: str
    where: str = "gradient"


def first_bad(records):
    """The ``FirstBad`` of a monitor's records, or None."""
    gradients, weights, losses = (
        np.ma.filled(records[name], 0.0) for name in ("gradient_norm", "weight_norm", "loss")
    )
    finite = np.isfinite(np.concatenate([gradients, weights], axis=1)).all(axis=1)
    rows = np.flatnonzero(~finite | (records["broken"] != ""))
    if not len(rows):
        return None
    row = rows[0]
    broken, values = records["broken"][row], losses[row]
    # A ReLU may turn NaN into zero: then the loss is finite behind a weight that is not.
    bad_weights = np.flatnonzero(~np.isfinite(weights[row]))
    if len(bad_weights):
        broken, values = broken or records["layers"][bad_weights[0]], weights[row]
    where = "forward pass"
    if not broken:
        # The gradient travels from the loss to the input.
        last = np.flatnonzero(~np.isfinite(gradients[row]))[-1]
        broken, values, where = records["layers"][last], gradients[row, last], "gradient"
    what = "NaN" if np.isnan(values).any() else "infinite"
    return FirstBad(str(broken), int(records["step"][row]), what, where)


class GradientMonitor(keras.callbacks.Callback):
    """Records what each training step does to each kernel; give it to ``fit`` as a callback.

    Serves any compiled Keras model with one optimizer: functional or subclassed, mixed
    precision, ``jit_compile``, gradient accumulation, ``steps_per_execution``, ``run_eagerly``,
    ``MirroredStrategy``. The kernels are those of ``gradient_norms``: the trainable weights of two
    axes or more, without biases and norms' scales, which are not watched.

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

    Attributes:
        records: a dict of arrays, see there.
        first_bad: None, or where numbers first were NaN or infinite.
        copies: a monitor with the records of each deep copy made of this one; a tuner trains a
            copy in each of its trials.

    Raises:
        ValueError: ``every`` is not a whole number of at least 1. At the start of ``fit``: the
            model is not compiled, has no trainable kernel or is not that of the fits before; a
            custom ``train_step`` has several optimizers, or does not call ``apply`` of
            ``model.optimizer`` exactly once a step; a second monitor is in the same ``fit``.
    """

    def __init__(self, every=1):
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, Integral) or every < 1:
            raise ValueError(f"every must be a whole number of at least 1, received {every!r}")
        self.every = int(every)
        self._history, self._copied = _History(), []
        self._forget_model()

    def _forget_model(self):
        self._model = self._followed = self._fit = None
        self._tape = None
        self._monitored = None  # the model's train function with the tape in it
        self._due = False

    def __repr__(self):
        records = self.records
        steps, kernels = records["gradient_norm"].shape
        if not steps:
            copies = f"; its {len(self._copied)} copies have their own" if self._copied else ""
            return f"<GradientMonitor: no step seen{copies}>"
        bad = first_bad(records)
        if bad is None:
            found = "all finite"
        elif bad.where == "gradient":
            found = f"{bad.what} gradient in {bad.layer!r} at step {bad.step}"
        else:
            found = f"{bad.what} in the forward pass, first in {bad.layer!r}, at step {bad.step}"
        return f"<GradientMonitor: {steps} steps of {kernels} kernels, {found}>"

    def __getstate__(self):
        """The records and settings: what belongs to a model and its device is left out."""
        models = ("_model", "_followed", "_fit", "_tape", "_monitored", "_due")
        return {name: value for name, value in vars(self).items() if name not in models}

    def __setstate__(self, state):
        vars(self).update(state)
        self._forget_model()

    def __deepcopy__(self, memo):
        twin = type(self).__new__(type(self))
        twin.__setstate__(copy.deepcopy({**self.__getstate__(), "_copied": []}, memo))
        self._copied.append(twin._history)
        return twin

    def __copy__(self):
        return copy.deepcopy(self)

    @property
    def copies(self):
        found = []
        for history in self._copied:
            found.append(GradientMonitor(self.every))
            found[-1]._history = history
        return found

    @property
    def records(self):
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
        ``layers`` (kernels,): the kernels' places, in the order in which the model uses them.

        Where a kernel was frozen in some fits, arrays of kernels are masked arrays.
        """
        return self._history.records()

    @property
    def steps(self):
        """How many training steps it has seen, recorded or not."""
        self._history.fetch()
        return self._history.seen

    def drain(self):
        """``records`` since the last call; the monitor forgets them: its memory stays bounded."""
        return self._history.records(forget=True)

    @property
    def first_bad(self):
        """The earliest ``FirstBad`` among the recorded steps, or None.

        Under float16 the first steps often are: the optimizer skips them and lowers its loss
        scale.
        """
        return first_bad(self.records)

    def to_csv(self, path):
        """Write one line for each step and layer, under a header; the file is whole or untouched.

        Columns: step, layer, gradient_norm, weight_norm, update_ratio. A layer has no line for the
        steps in which it was frozen.
        """
        records = self.records
        frozen = np.ma.getmaskarray(records["gradient_norm"])
        with atomic_write(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "layer", *MEASURES])
            for row, step in enumerate(records["step"]):
                for column in np.flatnonzero(~frozen[row]):
                    values = (float(records[measure][row, column]) for measure in MEASURES)
                    writer.writerow([step, records["layers"][column], *values])

    def plot(self, ax=None, measure="gradient_norm"):
        """Draw a measure by layer and step as a heat map and return the Axes.

        Raises:
            ValueError: ``measure`` is none of the three, or nothing has been recorded.
        """
        from .. import plots

        if measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, received {measure!r}")
        records = self.records
        if not len(records["step"]):
            raise ValueError("a plot needs at least 1 recorded step, received 0: fit first")
        return plots.heat_map(
            records[measure].T, records["step"], records["layers"], ax, measure.replace("_", " ")
        )

    def on_train_begin(self, logs=None):
        self._install()
        self._due = False

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.train_function is not self._monitored:
            self._install()  # another callback had the train function made anew
        self._due, self._fit = True, getattr(self.model, "history", None)

    def on_train_end(self, logs=None):
        if self.model.train_function is self._monitored:
            self.model.train_function = self._monitored.plain
        self._history.close()

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
            trainable_kernels(model)  # a model without any is refused before its first step
        self._followed = model
        model.make_train_function()
        plain = model.train_function
        other = getattr(plain, "monitor", None)
        if other is not None:
            # Of this very fit, or left by a fit that raised? One fit's callbacks share params.
            if other is not self and other.params is self.params:
                raise ValueError("one fit takes one GradientMonitor, received two")
            plain = plain.plain
        if getattr(self._monitored, "plain", None) is not plain:
            self._history.close()
            self._tape = _Tape(model, self._history, self.every)
            if model.built:
                self._tape.open()
            self._monitored = self._monitor(model, plain)
        self._history.tape = self._tape
        model.train_function = self._monitored

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
            if not self._due or getattr(model, "history", None) is not self._fit:
                # A fit that does not know the monitor: the one that did has raised.
                model.train_function = plain
                return plain(iterator)
            self._due = False
            if tape.pending + model.steps_per_execution > tape.capacity:
                self._history.fetch()
                tape.pending = 0
            tape.pending += model.steps_per_execution
            with tape.listening(model.optimizer):
                return listening(iterator)

        monitored.monitor, monitored.plain = self, plain
        return monitored


class _History:
    """The rows of a monitor, in groups of the same kernels.

    ``groups`` has pairs: the places that the columns belong to, and a list of arrays of rows.
    ``order`` has all places of the model as it was last, in order of use, ``watched`` those that
    are not frozen; ``seen`` counts the steps. While a fit goes on ``tape`` has more. Any thread may
    read it.
    """

    def __init__(self):
        self.groups, self.order, self.watched, self.seen = [], (), (), 0
        self.tape, self._reading = None, threading.RLock()

    def __getstate__(self):
        self.fetch()
        kept = ("groups", "order", "watched", "seen")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state):
        self.__init__()
        vars(self).update(state)

    def fetch(self):
        """Take what the tape has."""
        with self._reading:
            if self.tape is not None and self.tape.kernels:
                self.tape.fetch()

    def close(self):
        """Take what the tape has, and let it and its model go."""
        self.fetch()
        self.tape = None

    def add(self, places, rows):
        if not self.groups or self.groups[-1][0] != places:
            self.groups.append((places, []))
        self.groups[-1][1].append(rows)

    def records(self, forget=False):
        """As ``GradientMonitor.records`` tells."""
        with self._reading:
            self.fetch()
            records = self._records()
            self.groups = [] if forget else self.groups
        return records

    def _records(self):
        self.groups = [(places, [np.concatenate(parts)]) for places, parts in self.groups]
        groups = [(places, rows) for places, (rows,) in self.groups]
        # A group of no rows gives the shapes of what is empty.
        places = self._places() or list(self.watched)
        groups = groups or [(places, np.empty((0, HEAD + len(MEASURES) * len(places))))]
        tables = [_placed(held, rows[:, HEAD:], places) for held, rows in groups]
        table = tables[0] if len(tables) == 1 else np.ma.concatenate(tables, axis=1)
        head = np.concatenate([rows[:, :HEAD] for _, rows in groups])
        # No layer is number -1, the loss one more than the last.
        broken = [np.array([*held, "loss", ""])[rows[:, 2].astype(int)] for held, rows in groups]
        return {
            **dict(zip(MEASURES, table, strict=True)),
            "step": head[:, 0].astype(np.int64),
            "loss": head[:, 1],
            "broken": np.concatenate(broken),
            "layers": np.array(places, dtype=str),
        }

    def _places(self):
        """Those recorded, in the order of the model as it was last; what it has no more, behind."""
        recorded = dict.fromkeys(place for places, _ in self.groups for place in places)
        known = dict.fromkeys(place for place in self.order if place in recorded)
        return list(known | recorded)


def _placed(held, rows, places):
    """(measures, steps, places) of rows whose columns are those held; masked where one is not."""
    measured = rows.reshape(len(rows), len(MEASURES), len(held)).swapaxes(0, 1)
    if list(held) == list(places):
        return measured
    table = np.ma.masked_all((len(MEASURES), len(rows), len(places)))
    table[:, :, [places.index(place) for place in held]] = measured
    return table


class _Tape:
    """Rows of norms on the device, and the wrapped ``apply`` that writes them.

    The wrapped ``apply`` adds reads and writes, and no control dependency on the update. With
    one, the graph optimiser no longer rearranges the update's sums and products as it does
    without a monitor, and the weights differ in the last bit.
    """

    def __init__(self, model, history, every):
        self.model, self.history, self.every = model, history, every
        self.capacity = max(CAPACITY, model.steps_per_execution)
        self.kernels, self.places = [], {}
        self.pending = 0  # steps since the fit last made room for more, or more
        self._arranged = False
        self._calls = Calls(model)
        self._local = threading.local()  # a strategy traces each replica in a thread of its own

    def open(self):
        """Make the variables; where Keras builds the model, in its first trace at the latest."""
        self.kernels, self.places = trainable_kernels(self.model), kernel_paths(self.model)
        # Each replica writes its own copy, without talking to the others; the first one's is read.
        local = {
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA,
        }
        shape = (self.capacity, HEAD + len(MEASURES) * len(self.kernels))
        with tf.init_scope(), self.model.distribute_strategy.scope():
            self.steps = tf.Variable(self.history.seen, dtype=tf.int64, **local)
            self.rows = tf.Variable(np.zeros(shape), dtype=tf.float64, **local)

    def _arrange(self):
        """Put the columns in order of use, which the first trace of the forward pass tells."""
        if self._arranged:
            return
        calls, weights = self._calls.made, self.model.weights
        every = [weight for weight in weights if id(weight) in self.places]
        self.kernels = in_order_of_use(self.kernels, calls, self.model)
        used = in_order_of_use(every, calls, self.model)
        self.history.order = self._places(used)
        self.history.watched = self._places(self.kernels)
        self._arranged = True

    def counted(self, train_step):
        """``train_step``, refusing to be traced where it does not apply gradients once."""

        def step(data):
            self._local.applied = 0
            parts = tf.nest.flatten(data, expand_composites=True)
            self._local.batch = [part for part in parts if part is not None]
            with self._calls:
                self._calls.clear()
                logs = untraced(train_step)(data)
                self._calls.clear()
            if self._local.applied != 1:
                raise ValueError(
                    "train_step must call apply or apply_gradients of model.optimizer exactly "
                    f"once, received {self._local.applied} calls"
                )
            return logs

        return step

    def listening(self, optimizer):
        """A context in which the optimizer's ``apply`` records."""
        return patched(optimizer, "apply", self._recorded(optimizer))

    def _recorded(self, optimizer):
        apply = optimizer.apply

        def recorded(grads, trainable_variables=None):
            self._local.applied += 1
            if not self.kernels:
                self.open()
            self._arrange()
            grads = list(grads)
            variables = trainable_variables
            if variables is None:
                variables = optimizer._trainable_variables
            else:
                variables = trainable_variables = list(variables)
            gradients = _summed(self._of_kernels(grads, variables))
            scale = tf.cast(optimizer.scale_loss(tf.ones(())), tf.float64)
            before = [tf.identity(kernel.value) for kernel in self.kernels]
            forward = self._forward(gradients, before)
            result = apply(grads, trainable_variables)
            steps = tf.identity(self.steps)
            write = functools.partial(self._write, steps, forward, gradients, scale, before)
            if self.every == 1:
                written = write()
            else:
                written = tf.cond(steps % self.every == 0, write, lambda: tf.constant(False))
            # A step is counted when its row is there. And where the data end by surprise, a last
            # step runs as far as it can without a batch.
            with tf.control_dependencies([written, *self._local.batch]):
                self.steps.assign(steps + 1)
            return result

        return recorded

    def _forward(self, gradients, before):
        """(2,) the step's loss, and the number of the kernel whose layer broke first.

        That is -1 where the forward pass is sound, one more than the last where no layer broke and
        the loss did. Outputs are looked at only where the loss is not finite.
        """
        losses = [tf.cast(loss, tf.float64) for loss in self._calls.losses if _is_here(loss)]
        if losses:
            loss = _summed([tf.add_n(losses)])[0]
            sound = tf.math.is_finite(loss)
        else:
            loss = tf.constant(np.nan, tf.float64)
            sound = tf.reduce_all([_is_finite(gradient) for gradient in gradients])
        calls = [Call(layer, list(filter(_is_here, outs))) for layer, outs in self._calls.made]
        parts = self._parts([call for call in calls if call.outputs], before)

        def broken():
            return tf.cast(
                [~tf.reduce_all(list(map(_is_finite, part))) for _, part in parts], "int32"
            )

        faults = tf.cond(sound, lambda: tf.zeros(len(parts), tf.int32), broken)
        faults = _summed([faults])[0] > 0
        nowhere = tf.where(sound, -1, len(before)) if losses else tf.constant(-1)
        found = tf.gather([kernel for kernel, _ in parts], tf.argmax(faults))
        first = tf.where(tf.reduce_any(faults), found, nowhere)
        return tf.stack([loss, tf.cast(first, tf.float64)])

    def _parts(self, calls, before):
        """What may have broken, in order of use: numbers of kernels, and the tensors of each."""
        parts = []  # each behind its place in that order; of one call, weights come before outputs
        for kernel, made in enumerate(uses(self.kernels, calls, self.model)):
            parts.append(((min(made, default=len(calls)), 0), kernel, [before[kernel]]))
            parts += [((number, 1), kernel, calls[number].outputs) for number in made]
        parts.sort(key=lambda part: part[0])
        return [part[1:] for part in parts]

    def _of_kernels(self, grads, variables):
        """The kernels' gradients in order, zeros where there is none."""
        by_variable = {_key(v): g for v, g in zip(variables, grads, strict=True) if g is not None}
        return [
            tf.convert_to_tensor(by_variable.get(_key(kernel), tf.zeros(kernel.shape)))
            for kernel in self.kernels
        ]

    def _write(self, steps, forward, gradients, scale, before):
        after = [tf.identity(kernel.value) for kernel in self.kernels]
        gradient = tf.stack([_norm(value) for value in gradients]) / scale
        weight = tf.stack([_norm(value) for value in before])
        change = tf.stack([_distance(*pair) for pair in zip(after, before, strict=True)])
        ratio = tf.where(change == 0, tf.zeros_like(change), change / weight)
        row = tf.concat([[tf.cast(steps, tf.float64)], forward, gradient, weight, ratio], axis=0)
        place = (steps // self.every) % self.capacity
        rows = tf.tensor_scatter_nd_update(self.rows, [[place]], [row])
        with tf.control_dependencies([self.rows.assign(rows, read_value=False)]):
            return tf.constant(True)

    def fetch(self):
        """Move new rows into the history."""
        fetched = -(-self.history.seen // self.every)
        self.history.seen = int(self.steps.numpy())
        written = -(-self.history.seen // self.every)
        rows = np.arange(max(fetched, written - self.capacity), written) % self.capacity
        if len(rows):
            self.history.add(self._places(self.kernels), self.rows.numpy()[rows])

    def _places(self, kernels):
        return tuple(self.places[id(kernel)] for kernel in kernels)


def _is_here(tensor):
    """Whether it is a tensor of numbers that the step's own graph can read."""
    if not isinstance(tensor, tf.Tensor) or not tensor.dtype.is_floating:
        return False
    return tf.executing_eagerly() or tensor.graph is tf.compat.v1.get_default_graph()


def _is_finite(tensor):
    return tf.reduce_all(tf.math.is_finite(tensor))


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


def trainable_kernel_paths(model):
    """The places of a built model's kernels as it stores them, a tuple of strings."""
    places = kernel_paths(model)
    return tuple(places[id(kernel)] for kernel in trainable_kernels(model))


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
