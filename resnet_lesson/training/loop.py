"""Train a configuration into a folder, and never lose more than the epoch at hand."""

import csv
import dataclasses
import datetime
import hashlib
import time
from pathlib import Path

import numpy as np

from ..data import load
from ..files import rounded, table, whole
from ..monitor import MEASURES, GradientMonitor, kernel_places
from ..resnet import build_cifar
from ..runtime import device_name, has_gpu, keras, set_seed, tf, versions
from . import checkpoint
from .config import PRESETS
from .pipeline import batches, steps_per_epoch
from .progress import progress
from .schedule import Schedule

COLUMNS = (
    *("epoch", "step", "learning_rate", "loss", "accuracy", "test_loss", "test_accuracy"),
    *("seconds", "images_per_second"),
)


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run: the trained Keras model, and the record of how it got there."""

    model: keras.Model
    record: dict

    @property
    def sentence(self):
        """What was reached, by what, in how long."""
        told, config = self.record, self.record["config"]
        kind = "ResNet" if config["shortcut"] else "plain network"
        return (
            f"{told['data']}, {kind}-{config['depth']}, seed {config['seed']}: "
            f"{100 * told['test_accuracy']:.1f} % of {told['test_images']:,} test images right "
            f"after {config['epochs']} epochs, {_duration(told['seconds'])} on {told['hardware']}"
        )


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def begun(output):
    """The configuration of the run that this folder holds, or None."""
    state = checkpoint.load(Path(output))
    return state and state.config


def train(
    config, output, *, data=None, resume=False, monitor=None, watch=None, callbacks=(), verbose=True
):
    """Train, leaving weights, log, record and a picture of the curves in ``output``.

    After each epoch the folder holds ``checkpoint.npz``, all that is needed to go on, and
    ``log.csv``; at the end also ``model.weights.h5``, ``record.json`` and ``curves.png``. On a GPU
    it trains in mixed precision, compiled by XLA; all else is the same everywhere.

    Args:
        config: a ``TrainingConfig``.
        output: a folder; made if it is missing.
        data: for ``cifar10``, the path of a local copy, as ``load`` takes it.
        resume: go on from what ``output`` holds, if it holds anything.
        monitor: a new ``GradientMonitor``, which then holds every step of this call; each epoch's
            means are in the record with or without.
        watch: a function of the record so far, called after each epoch.
        callbacks: further Keras callbacks for ``fit``.
        verbose: show a progress bar.

    Returns:
        A ``Run``.

    Raises:
        ValueError: ``output`` has a run and ``resume`` is off; or it is of another configuration
            or other data.
        OSError: ``output`` cannot be written to, said at the start or after the epoch in which
            it happened; the checkpoint before stays as it was.
        FloatingPointError: the loss is no longer a number; names the step and the layer.
    """
    folder, monitor = Path(output), monitor or GradientMonitor()
    if monitor.every != 1 or len(monitor.records["step"]):
        raise ValueError(f"monitor must be new and record every step, received {monitor!r}")
    state = checkpoint.load(folder)
    _check_goes_on(state, config, resume, folder)
    dataset = load(config.dataset, data)
    about = provenance(config, dataset, data)
    if state is not None and state.about["data_sha256"] != about["data_sha256"]:
        raise ValueError(
            f"a run goes on with the data it began with, received other {config.dataset} than "
            f"{folder} was trained on"
        )
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    set_seed(config.seed)
    model = _compiled(config, dataset)
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    if state is None:
        state = checkpoint.State(config, about, [], *_values(model))
        # Before an hour of work, find out whether it can be kept.
        checkpoint.save(folder, state)
    else:
        _restore(model, state)
    keeper = _Keeper(folder, state, len(dataset.x_train), monitor, watch)
    done = len(state.history)
    if done < config.epochs:
        with progress(done, config.epochs, keeper.steps, config.batch_size, verbose) as shown:
            model.fit(
                batches(dataset.x_train, dataset.y_train, config, done),
                initial_epoch=done,
                epochs=config.epochs,
                steps_per_epoch=keeper.steps,
                validation_data=_in_order(dataset.x_test, dataset.y_test),
                callbacks=[monitor, keeper, *callbacks, shown],
                shuffle=False,  # the batches come in an order of their own
                verbose=0,
            )
    record = recorded(model, keeper.state)
    finish(folder, model, record)
    return Run(model, record)


def _check_goes_on(state, config, resume, folder):
    if state is None:
        return
    if not resume:
        raise ValueError(
            f"{folder} holds a run of {len(state.history)} epochs: resume goes on with it, another "
            "output starts anew"
        )
    for item in dataclasses.fields(config):
        before, now = getattr(state.config, item.name), getattr(config, item.name)
        if before != now:
            raise ValueError(
                f"a run goes on as it began, {item.name} {before!r}, received {now!r}: resume "
                "without it, or choose another output"
            )


def digest(dataset):
    """SHA-256 of all images and labels, as hexadecimal digits."""
    found = hashlib.sha256()
    for array in (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test):
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def provenance(config, dataset, data):
    """What the record says of the data, the machine and the day."""
    return {
        "data": Path(data).name if data else config.dataset,
        "data_sha256": digest(dataset),
        "train_images": len(dataset.x_train),
        "test_images": len(dataset.x_test),
        "date": datetime.date.today().isoformat(),
        "hardware": device_name(),
        "versions": versions(),
    }


def network(config, input_shape, classes):
    """The network of a configuration, for images (B, *input_shape)."""
    return build_cifar(
        config.depth,
        shortcut=config.shortcut,
        input_shape=input_shape,
        classes=classes,
        # Keras's L2 is this times the square, whose slope is twice the weight.
        reg=config.weight_decay / 2,
    )


def _compiled(config, dataset):
    """The network and its optimizer, with all their variables."""
    steps = steps_per_epoch(len(dataset.x_train), config)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16" if has_gpu() else "float32")
    try:
        model = network(config, dataset.x_train.shape[1:], len(dataset.class_names))
    finally:
        keras.config.set_dtype_policy(before)
    model.compile(
        keras.optimizers.SGD(Schedule.of(config, steps), config.momentum, nesterov=True),
        "sparse_categorical_crossentropy",
        # The loss has the weights' penalty in it; this has not.
        metrics=["accuracy", keras.metrics.SparseCategoricalCrossentropy(name="cross_entropy")],
        # XLA's convolutions are slow on a CPU, and determinism turns it off.
        jit_compile=has_gpu() and not config.deterministic,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _in_order(images, labels):
    """The test images, in few batches."""
    with tf.device("CPU"):
        return tf.data.Dataset.from_tensor_slices((images, labels)).batch(500).cache()


def _values(model):
    """Two lists of arrays: all that changes in the model, and in its optimizer."""
    return tuple(
        [variable.numpy() for variable in owner.variables] for owner in (model, model.optimizer)
    )


def _restore(model, state):
    for owner, values in [(model, state.model), (model.optimizer, state.optimizer)]:
        for variable, value in zip(owner.variables, values, strict=True):
            variable.assign(value)


def _clear(folder):
    """Remove what a killed run had half written."""
    for part in folder.glob("*.part.*"):
        part.unlink()


class _Keeper(keras.callbacks.Callback):
    """Keeps the state after each epoch, and stops a run that is no longer worth keeping."""

    def __init__(self, folder, state, images, monitor, watch):
        super().__init__()
        self.folder, self.state = folder, state
        self.steps = steps_per_epoch(images, state.config)
        self.monitor, self.watch = monitor, watch
        self._recorded = 0  # steps of the monitor that are in the history

    def on_epoch_begin(self, epoch, logs=None):
        self._begun = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._trained = time.perf_counter()
        if not np.isfinite(logs["loss"]):
            self._diverged(
                len(self.state.history) * self.steps + batch, f"the loss is {logs['loss']}"
            )

    def on_epoch_end(self, epoch, logs=None):
        model, optimizer = _values(self.model)
        if not all(np.isfinite(values).all() for values in model):
            # A ReLU may turn NaN into zero, and the loss looks well.
            self._diverged((epoch + 1) * self.steps - 1, "a weight is no number")
        row = self._row(epoch, logs)
        history = [*self.state.history, row]
        state = dataclasses.replace(self.state, history=history, model=model, optimizer=optimizer)
        try:
            checkpoint.save(self.folder, state)
            self.state = state
            _write_log(self.folder, history)
        except OSError as error:
            raise OSError(
                f"epoch {epoch + 1} could not be kept in {self.folder} ({error}); that of "
                f"epoch {len(self.state.history)} is: make room there, then resume"
            ) from error
        if self.watch:
            self.watch(recorded(self.model, state))

    def _row(self, epoch, logs):
        config, last = self.state.config, (epoch + 1) * self.steps - 1
        images, seconds = self.steps * config.batch_size, self._trained - self._begun
        row = {
            "epoch": epoch + 1,
            "step": last + 1,
            "learning_rate": config.learning_rate_at(last, self.steps),
            "loss": logs["cross_entropy"],
            "accuracy": logs["accuracy"],
            "test_loss": logs["val_cross_entropy"],
            "test_accuracy": logs["val_accuracy"],
            "seconds": time.perf_counter() - self._begun,
            "images_per_second": images / seconds,
        }
        return {name: rounded(value) for name, value in row.items()} | self._gradients()

    def _gradients(self):
        """The means over the epoch's steps of the monitor's measures, a list by layer each.

        Without the infinite ones of steps that float16 skips; None where all were.
        """
        records = self.monitor.records
        fresh = slice(self._recorded, None)
        self._recorded = len(records["step"])
        means = {name: np.ma.masked_invalid(records[name][fresh]).mean(axis=0) for name in MEASURES}
        return {name: [rounded(value) for value in means[name].tolist()] for name in MEASURES}

    def _diverged(self, step, what):
        records = self.monitor.records
        offset = step + 1 - len(records["step"])
        # Where float16 overflows, the update is left out and the loss scale lowered: no harm done.
        bad = ~np.isfinite(records["gradient_norm"])
        harmful = bad & (records["update_ratio"] != 0)
        harmful[-1] = bad[-1]
        rows, layers = np.nonzero(harmful)
        if len(rows):
            first = rows[0]
            # The gradient travels from the loss to the input.
            layer = records["layers"][layers[rows == first].max()]
            where = f"the gradient of {layer} went first, at step {offset + first}"
        else:
            where = "no gradient of a kernel did before it"
        raise FloatingPointError(
            f"at step {step} (epoch {step // self.steps + 1}) {what}; {where}. A lower "
            "learning_rate or more warmup_epochs may help"
        )


def _write_log(folder, history):
    with whole(folder / "log.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(history)


def recorded(model, state):
    """What is known of a run after its last full epoch."""
    return {
        "command": command(state.config),
        "config": dataclasses.asdict(state.config),
        **state.about,
        "parameters": model.count_params(),
        "seconds": sum(row["seconds"] for row in state.history),
        "test_accuracy": state.history[-1]["test_accuracy"],
        "layers": list(kernel_places(model)),
        "history": state.history,
    }


def finish(folder, model, record):
    """Write what a finished run leaves."""
    from .. import plots

    _write_log(folder, record["history"])
    with whole(folder / "model.weights.h5") as part:
        model.save_weights(part)
    with whole(folder / "curves.png") as part:
        part.write_bytes(plots.png(plots.training_run(record["history"], record["layers"])))
    head = {name: value for name, value in record.items() if name != "history"}
    # The record comes last: where there is one, all else is there.
    with whole(folder / "record.json") as part:
        part.write_text(table(head, "history", record["history"]), encoding="utf-8")


def command(config):
    """The line that makes this run again: the nearest preset, and what is other than there."""
    lines = [[f"--preset {name}", *_options(config, preset)] for name, preset in PRESETS.items()]
    return " ".join(["python -m resnet_lesson train", *min(lines, key=len)])


def _options(config, preset):
    for item in dataclasses.fields(config):
        value, flag = getattr(config, item.name), item.name.replace("_", "-")
        if value == getattr(preset, item.name):
            continue
        if isinstance(value, bool):
            yield f"--{flag}" if value else f"--no-{flag}"
        else:
            values = value if isinstance(value, tuple) else [value]
            yield " ".join([f"--{flag}", *map(str, values)])
