"""Train a configuration into a folder, and never lose more than the epoch at hand."""

import contextlib
import copy
import csv
import dataclasses
import datetime
import hashlib
import json
import shlex
import threading
import time
import warnings
from pathlib import Path

import numpy as np

from ..data import load
from ..files import (
    atomic_write,
    exclusive_lock,
    expand_path,
    json_table,
    remove_partial_files,
    round_figures,
    save_weights,
)
from ..gradients.first_bad import first_bad
from ..gradients.history import MEASURES
from ..gradients.kernels import trainable_kernel_paths
from ..gradients.monitor import GradientMonitor
from ..networks.cifar import build_cifar
from ..runtime import callback_list, device_name, has_gpu, keras, set_seed, tf, versions
from . import checkpoint
from .config import PRESETS
from .pipeline import batches, steps_per_epoch
from .progress import progress
from .schedule import Schedule

COLUMNS = (
    *("epoch", "step", "learning_rate", "loss", "accuracy", "test_loss", "test_accuracy"),
    *("seconds", "images_per_second"),
)
# All that a run writes; the last is the command line's.
NAMES = (
    *(checkpoint.NAME, "log.csv", "model.weights.h5", "curves.png", "record.json"),
    "gradients.csv",
)
LOCK = ".training.lock"
_seeding = threading.Lock()  # initial weights are drawn from the process's own generator
OTHERS_TASKS = {
    "ReduceLROnPlateau": "the learning rate to the configuration",
    "LearningRateScheduler": "the learning rate to the configuration",
    "BackupAndRestore": "going on to resume",
}


@dataclasses.dataclass(frozen=True, repr=False)
class Run:
    """A finished run: the trained Keras model, and the record of how it got there."""

    model: keras.Model
    record: dict

    def __repr__(self):
        return f"<Run: {self.sentence}>"

    @property
    def sentence(self):
        """What was reached, by what, in how long."""
        told, config = self.record, self.record["config"]
        kind = "ResNet" if config["shortcut"] else "plain network"
        machines = [told["hardware"], *(later["hardware"] for later in told.get("went_on", ()))]
        return (
            f"{told['data']}, {kind}-{config['depth']}, seed {config['seed']}: "
            f"{100 * told['test_accuracy']:.1f} % of {told['test_images']:,} test images right "
            f"{_after(told)}, {_duration(told['seconds'])} on {', '.join(dict.fromkeys(machines))}"
        )


def _after(told):
    """After how many epochs, and with which weights if not those of the last."""
    ran, planned = len(told["history"]), told["config"]["epochs"]
    epochs = f"after {planned} epochs" if ran == planned else f"after {ran} of {planned} epochs"
    epoch = told.get("weights_after_epoch", ran)  # the first edition had no others
    if epoch == ran:
        return epochs
    whose = "that a callback set" if epoch is None else f"of epoch {epoch}"
    return f"with the weights {whose}, {epochs}"


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def begun(output):
    """The configuration of the run that this folder holds, or None."""
    state = checkpoint.load(_path("output", output))
    return state and state.config


def _path(name, given):
    if not given:
        raise ValueError(f"{name} must be a path, received {given!r}")
    return expand_path(given).absolute()  # wherever the process goes meanwhile


def train(
    config, output, *, data=None, resume=False, monitor=None, watch=None, callbacks=(), verbose=True
):
    """Train, leaving weights, log, record and a picture of the curves in ``output``.

    After each epoch the folder holds ``checkpoint.npz``, all that is needed to go on, and
    ``log.csv``; at the end also ``model.weights.h5``, ``record.json`` and ``curves.png``. On a GPU
    it trains in mixed precision, compiled by XLA; all else is the same everywhere, and a run may go
    on elsewhere.

    Callbacks may stop it by ``model.stop_training``. A part of an epoch is not kept: the model is
    then that of the last full epoch, of the beginning if there is none. Where callbacks leave the
    model with other weights at the end, such as ``EarlyStopping(restore_best_weights=True)``, those
    are handed back and saved, and the record says of which epoch they are; to go on, it is the last
    epoch that counts.

    Args:
        config: a ``TrainingConfig``.
        output: a folder; made if it is missing. One training at a time uses it.
        data: for ``cifar10``, the path of a local copy, as ``load`` takes it.
        resume: go on from what ``output`` holds, if it holds anything; a finished run is handed
            back as it stands.
        monitor: a new ``GradientMonitor``, which then holds every step of this call; each epoch's
            means are in the record with or without.
        watch: a function of the record so far, called after each epoch.
        callbacks: a Keras callback for ``fit``, or several; none that sets the learning rate.
        verbose: show a progress bar.

    Returns:
        A ``Run``.

    Raises:
        ValueError: ``output`` has a run and ``resume`` is off; it is of another configuration or
            other data; it has files of others under the names of a run's; another training is at
            work there; ``drops`` that never come; a callback that is none, or changes what trains.
        OSError: ``output`` cannot be written to, said at the start or after the epoch in which
            it happened; the checkpoint before stays as it was.
        FloatingPointError: the loss is no longer a number; names the step and the layer.
    """
    folder, monitor = _path("output", output), monitor or GradientMonitor()
    if data is not None:
        _path("data", data)
    callbacks = _checked(callbacks)
    if monitor.every != 1 or len(monitor.records["step"]):
        raise ValueError(f"monitor must be new and record every step, received {monitor!r}")
    with _own(folder) as check_own:
        state = checkpoint.load(folder)
        _check_goes_on(state, config, resume, folder)
        if not resume:
            state = None  # one that never came to a full epoch has nothing to lose
        dataset = load(config.dataset, data)
        about = provenance(config, dataset, data)
        if callbacks:
            about["callbacks"] = [type(callback).__name__ for callback in callbacks]
        steps = steps_per_epoch(len(dataset.x_train), config)
        if state is None:
            Schedule.of(config, steps).check()
        elif state.about["data_sha256"] != about["data_sha256"]:
            raise ValueError(
                f"a run goes on with the data it began with, received other {config.dataset} than "
                f"{folder} was trained on"
            )
        if config.deterministic:
            tf.config.experimental.enable_op_determinism()
        with _seeding:
            set_seed(config.seed)
            model = _compiled(config, dataset)
        done = len(state.history) if state else 0
        unfinished = done < config.epochs
        record = None if unfinished else _finished(folder, state, model)
        if record:
            return Run(model, record)
        if unfinished:
            ahead = batches(dataset.x_train, dataset.y_train, config, done)
        test = _in_order(dataset.x_test, dataset.y_test)
        remove_partial_files(folder, NAMES)  # what killed runs had half written
        if state is None:
            state = checkpoint.State(config, about, [], *_values(model))
            # Before an hour of work, find out whether it can be kept.
            checkpoint.save(folder, state)
        else:
            _restore(model, state)
            state = _elsewhere(state, about) if unfinished else state
        keeper = _Keeper(folder, state, len(dataset.x_train), monitor, watch, test, check_own)
        last = keras.callbacks.LambdaCallback(
            on_test_begin=keeper.hold, on_epoch_end=lambda epoch, _: keeper.keep(epoch)
        )
        if unfinished:
            with progress(done, config.epochs, steps, config.batch_size, verbose) as shown:
                model.fit(
                    ahead,
                    initial_epoch=done,
                    epochs=config.epochs,
                    steps_per_epoch=steps,
                    validation_data=test,
                    callbacks=[monitor, keeper, shown, *callbacks, last],
                    shuffle=False,  # the batches come in an order of their own
                    verbose=0,
                )
        record = recorded(model, keeper.state, keeper.handed_back(model))
        check_own()
        finish(folder, model, record)
    return Run(model, record)


def _checked(callbacks):
    """What ``fit`` takes for callbacks, as a list.

    Raises:
        ValueError: one does what is the training's own task.
    """
    callbacks = callback_list(callbacks)
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks must be Keras callbacks, received {callback!r}")
        for name, task in OTHERS_TASKS.items():
            if isinstance(callback, getattr(keras.callbacks, name)):
                raise ValueError(f"callbacks must leave {task}, received {name}")
    return callbacks


@contextlib.contextmanager
def _own(folder):
    """The folder, made if it is missing, for one training alone; empty in the end, it goes again.

    Raises:
        ValueError: another training is at work there.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(folder / LOCK, f"training in {folder}") as check:
            yield check
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # there is something in it
                path.rmdir()


def _finished(folder, state, model):
    """The record of a finished run as it stands, its weights in the model; None where none does."""
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        if record["history"] != state.history:
            return None
        model.load_weights(folder / "model.weights.h5")
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is written again
    return record


def _check_goes_on(state, config, resume, folder):
    if state is None:
        others = [name for name in NAMES if name != checkpoint.NAME and (folder / name).exists()]
        if others:
            raise ValueError(
                f"output must be a folder without files of others, received {folder} with "
                f"{', '.join(others)}: choose another, or move them away"
            )
        return
    if not resume:
        if state.history:
            raise ValueError(
                f"{folder} holds a run of {len(state.history)} epochs: resume goes on with it, "
                "another output starts anew"
            )
        return
    for item in dataclasses.fields(config):
        before, now = getattr(state.config, item.name), getattr(config, item.name)
        if before != now:
            raise ValueError(
                f"a run goes on as it began: {folder} has {item.name} {before!r}, received "
                f"{now!r}; resume with {before!r}, or choose another output"
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


def network(config, input_shape, classes, policy="float32"):
    """The network of a configuration, for images (B, *input_shape).

    Its layers have this dtype policy, whatever the user's is.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return build_cifar(
            config.depth,
            shortcut=config.shortcut,
            input_shape=input_shape,
            classes=classes,
            # Keras's L2 is this times the square, whose slope is twice the weight.
            reg=config.weight_decay / 2,
        )
    finally:
        keras.config.set_dtype_policy(before)


def _compiled(config, dataset):
    """The network and its optimizer, with all their variables."""
    steps = steps_per_epoch(len(dataset.x_train), config)
    policy = "mixed_float16" if has_gpu() else "float32"
    model = network(config, dataset.x_train.shape[1:], len(dataset.class_names), policy)
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
    optimizer, values = model.optimizer, state.optimizer
    if len(values) != len(optimizer.variables):
        # In mixed precision the list begins with the state of the loss scale: that starts anew.
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        values = values[-len(optimizer.variables) :]
    _assign(model.variables, state.model)
    _assign(optimizer.variables, values)


def _assign(variables, values):
    shapes = [tuple(variable.shape) for variable in variables]
    if [value.shape for value in values] != shapes:
        raise ValueError(
            f"a checkpoint must hold the {len(shapes)} arrays of its network, received "
            f"{len(values)}, or other shapes: move it away to start anew"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _digest(values):
    return hashlib.sha256(b"".join(value.tobytes() for value in values)).digest()


def _elsewhere(state, about):
    """The state before it goes on, which tells the machine, versions and callbacks if others do."""
    told, later = dict(state.about), state.about.get("went_on", [])
    here = {name: about[name] for name in ("hardware", "versions")}
    if any(here[name] != [told, *later][-1][name] for name in here):
        after = {"after_epoch": len(state.history), "date": about["date"]}
        told["went_on"] = [*later, after | here]
    if "callbacks" in about:
        told["callbacks"] = list(dict.fromkeys([*told.get("callbacks", []), *about["callbacks"]]))
    return dataclasses.replace(state, about=told)


class _Keeper(keras.callbacks.Callback):
    """Keeps the state after each full epoch, and stops a run that is no longer worth keeping.

    It hears of each step and epoch before the callbacks of others, which may change what they are
    told; ``hold`` and ``keep`` are for after them, as what is kept is what the next epoch starts
    from.
    """

    def __init__(self, folder, state, images, monitor, watch, test=None, check_own=None):
        super().__init__()
        self.check_own = check_own
        self.folder, self.state = folder, state
        self.steps = steps_per_epoch(images, state.config)
        self._schedule = Schedule.of(state.config, self.steps)
        self.monitor, self.watch, self.test = monitor, watch, test
        self._recorded = 0  # steps of the monitor that are in the history
        # By their digest, after which epoch the weights are those to keep.
        self._epochs = {_digest(state.model): len(state.history)}

    def on_epoch_begin(self, epoch, logs=None):
        self._begun = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._trained, self._last = time.perf_counter(), batch
        if not np.isfinite(logs["loss"]):
            self._diverged(
                len(self.state.history) * self.steps + batch, f"the loss is {logs['loss']}"
            )

    def on_train_begin(self, logs=None):
        self._begun_with = self._made_of()

    def _made_of(self):
        """What callbacks of others must not change: optimizer, rate, and which layers train."""
        optimizer = self.model.optimizer
        rate = getattr(optimizer, "inner_optimizer", optimizer)._learning_rate
        return id(optimizer), id(rate), trainable_kernel_paths(self.model)

    def on_epoch_end(self, epoch, logs=None):
        if self._made_of() != self._begun_with:
            raise ValueError(
                "callbacks must leave compile, learning rate and trainable as they are, received a "
                f"model changed before the end of epoch {epoch + 1}"
            )
        full = self._last + 1 == self.steps
        self._row = self._told(epoch, logs) if full else None

    def hold(self, logs=None):
        """Remember the weights that are going to be tested."""
        self._tested = _values(self.model)[0]

    def keep(self, epoch):
        """Keep the state, if the epoch is full."""
        row, (model, optimizer) = self._row, _values(self.model)
        if row is None:
            # A part is not kept: in place of its weights are those of the epoch before. It ends the
            # run, whatever other callbacks want, as the batches that are left belong to it.
            for values in (self._tested, model):
                self._epochs.setdefault(_digest(values), epoch)
            self.model.stop_training = True
            return
        if not all(np.isfinite(values).all() for values in model):
            # A ReLU may turn NaN into zero, and the loss looks well.
            self._diverged((epoch + 1) * self.steps - 1, "a weight is no number")
        if _digest(model) != _digest(self._tested):
            if self.model.stop_training and _digest(model) in self._epochs:
                model = self._tested  # what ends with weights from before goes on from the last
            else:
                row |= self._measured(self.model)
        self._epochs[_digest(model)] = epoch + 1
        history = [*self.state.history, row]
        state = dataclasses.replace(self.state, history=history, model=model, optimizer=optimizer)
        try:
            self.check_own()
            checkpoint.save(self.folder, state)
        except OSError as error:
            there = (self.folder / checkpoint.NAME).exists()
            raise OSError(
                f"epoch {epoch + 1} could not be kept in {self.folder} ({error})"
                + (f"; that of epoch {epoch} is: resume goes on from there" if there else "")
            ) from error
        self.state = state
        _write_log(self.folder, history)
        if self.watch:
            self.watch(copy.deepcopy(recorded(self.model, state)))

    def handed_back(self, model):
        """Of which epoch the weights are after ``fit``, and their accuracy, as the record says it.

        The model becomes that of the last full epoch where its weights are of a part of one.
        """
        history = self.state.history
        epoch = self._epochs.get(_digest(_values(model)[0]))  # None for weights of no epoch
        if epoch == len(history):
            _restore(model, self.state)
        measured = history[epoch - 1] if epoch else self._measured(model)
        return {"weights_after_epoch": epoch, "test_accuracy": measured["test_accuracy"]}

    def _measured(self, model):
        found = model.evaluate(self.test, return_dict=True, verbose=0)
        names = {"test_loss": "cross_entropy", "test_accuracy": "accuracy"}
        return {name: round_figures(found[theirs]) for name, theirs in names.items()}

    def _told(self, epoch, logs):
        config, last = self.state.config, (epoch + 1) * self.steps - 1
        images, seconds = self.steps * config.batch_size, self._trained - self._begun
        row = {
            "epoch": epoch + 1,
            "step": last + 1,
            # The schedule does not count a step that float16 skips.
            "learning_rate": float(self._schedule(self.model.optimizer.iterations - 1)),
            "loss": logs["cross_entropy"],
            "accuracy": logs["accuracy"],
            "test_loss": logs["val_cross_entropy"],
            "test_accuracy": logs["val_accuracy"],
            "seconds": time.perf_counter() - self._begun,
            "images_per_second": images / seconds,
        }
        return {name: round_figures(value) for name, value in row.items()} | self._gradients()

    def _gradients(self):
        """The means over the epoch's steps of the monitor's measures, a list by layer each.

        In the record's order of layers, which an earlier version may have begun.
        Without the infinite ones of steps that float16 skips; None where all were.
        """
        records = self.monitor.records
        fresh = slice(self._recorded, None)
        self._recorded = len(records["step"])
        layers = records["layers"].tolist()
        columns = [layers.index(place) for place in trainable_kernel_paths(self.model)]
        means = {name: np.ma.masked_invalid(records[name][fresh]).mean(axis=0) for name in MEASURES}
        return {
            name: [round_figures(value) for value in means[name][columns].tolist()]
            for name in MEASURES
        }

    def _diverged(self, step, what):
        records = self.monitor.records
        offset = step + 1 - len(records["step"])
        bad = ~np.isfinite(records["gradient_norm"]).all(axis=1)
        # Where float16 overflows, the update is left out and the loss scale lowered: no harm done.
        harmless = bad & (records["update_ratio"] == 0).all(axis=1)
        harmless[-1] = False
        rows = {name: values[~harmless] for name, values in records.items() if name != "layers"}
        found = first_bad({**rows, "layers": records["layers"]})
        if found is None:
            where = "no gradient of a kernel did before it"
        elif found.where == "gradient":
            where = f"the gradient of {found.layer} went first, at step {offset + found.step}"
        else:
            where = f"the forward pass broke first in {found.layer}, at step {offset + found.step}"
        raise FloatingPointError(
            f"at step {step} (epoch {step // self.steps + 1}) {what}; {where}. A lower "
            "learning_rate or more warmup_epochs may help"
        )


def _write_log(folder, history):
    with (
        atomic_write(folder / "log.csv") as part,
        part.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(history)


def recorded(model, state, weights=None):
    """What is known of a run after its last full epoch.

    ``weights`` is what ``handed_back`` of the keeper says, if they are others than that epoch's.
    """
    last = len(state.history)
    return {
        "command": command(state.config, state.about["data"]),
        "config": dataclasses.asdict(state.config),
        **state.about,
        "parameters": model.count_params(),
        "seconds": sum(row["seconds"] for row in state.history),
        **(
            weights
            or {"weights_after_epoch": last, "test_accuracy": state.history[-1]["test_accuracy"]}
        ),
        "layers": list(trainable_kernel_paths(model)),
        "history": state.history,
    }


def finish(folder, model, record):
    """Write what a finished run leaves."""
    from .. import plots

    _write_log(folder, record["history"])
    picture = None
    if record["history"]:
        try:
            with plots.closed_on_error():
                picture = plots.png(plots.training_run(record["history"], record["layers"]))
        except Exception as error:
            warnings.warn(f"curves.png cannot be drawn: {error}", stacklevel=2)
    if picture:
        with atomic_write(folder / "curves.png") as part:
            part.write_bytes(picture)
    head = {name: value for name, value in record.items() if name != "history"}
    # The record comes last, and with the weights: where there is one, all else is there.
    with atomic_write(folder / "record.json") as part:
        part.write_text(json_table(head, "history", record["history"]), encoding="utf-8")
        save_weights(model, folder / "model.weights.h5")


def command(config, data=None):
    """The line that makes this run again: the nearest preset, and what is other than there.

    ``data`` is the name of a local copy, if the data set was not downloaded.
    """
    lines = [[f"--preset {name}", *_options(config, preset)] for name, preset in PRESETS.items()]
    local = [] if data in (None, config.dataset) else ["--data", shlex.quote(data)]
    return " ".join(["python -m resnet_lesson train", *min(lines, key=len), *local])


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
