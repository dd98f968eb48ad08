"""Train a configuration into a folder, and never lose more than the epoch at hand."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..backend import NAME, callback_list, keras
from ..checks import check_flag, check_rule
from ..data import load
from ..files import remove_partial_files, user_path
from ..gradients.monitor import GradientMonitor
from ..keras_settings import begun_on
from . import checkpoint, folder
from .callback import CheckpointCallback
from .checkpoint import State
from .config import TrainingConfig, check_unchanged
from .interrupt import interrupts
from .model import initial_network, restore, strategy_for, variable_values
from .pipeline import InOrder, batches
from .progress import progress
from .record import Run, provenance, resumed, run_record

# Keras's callbacks that do what training does itself.
REFUSED_CALLBACKS = {
    "ReduceLROnPlateau": "the learning rate to the configuration",
    "LearningRateScheduler": "the learning rate to the configuration",
    "BackupAndRestore": "going on to resume",
}


def train(
    config: TrainingConfig,
    output: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    resume: bool = False,
    devices: str = "one",
    monitor: GradientMonitor | None = None,
    gradients: bool = False,
    watch: Callable[[dict[str, Any]], Any] | None = None,
    callbacks: Any = (),
    verbose: bool = True,
) -> Run:
    """Train, leaving weights, log, record and a picture of the curves in ``output``.

    After each epoch the folder holds ``checkpoint.npz``, all that is needed to go on, and
    ``log.csv``; at the end also ``model.weights.h5``, ``record.json`` and ``curves.png``. On a GPU
    it trains in mixed precision, compiled by XLA; all else is the same everywhere, and a run may go
    on elsewhere.

    Callbacks may stop it by ``model.stop_training``. On JAX with a GPU they are called once for
    several steps. A part of an epoch is not kept: the model is
    then that of the last full epoch, of the beginning if there is none. Where callbacks leave the
    model with other weights at the end, such as ``EarlyStopping(restore_best_weights=True)``, those
    are returned and saved, and the record says of which epoch they are; a run is resumed from the
    last epoch all the same.

    Args:
        config: a ``TrainingConfig``.
        output: a folder; made if it is missing. One training at a time uses it.
        data: for ``cifar10``, the path of a local copy, as ``load`` takes it.
        resume: go on from what ``output`` holds, if it holds anything; a finished run is
            returned as it is.
        devices: "one", or "all" that this machine has, which share each batch. Batch
            normalisation is then synchronised: any number of devices trains the same network, but
            for rounding.
        monitor: a new ``GradientMonitor``, which then holds every step of this call; each epoch's
            means are in the record with or without.
        gradients: write the norms of each step of this call to ``gradients.csv``, or, where it
            goes on after n epochs, to ``gradients_from_epoch_N.csv`` with N = n + 1.
        watch: a function of the record so far, called after each epoch.
        callbacks: a Keras callback for ``fit``, or several; none that sets the learning rate.
        verbose: show a progress bar.

    Returns:
        A ``Run``.

    Raises:
        ValueError: ``output`` has a run and ``resume`` is off; it is of another configuration or
            other data; it has files of others under the names of a run's; another training is at
            work there; ``devices`` cannot share a batch equally; ``drops`` after the run's end or
            in the warm-up; a callback that is not Keras's, or that changes what trains.
        OSError: ``output`` cannot be written to, raised at the start or after the epoch in which
            it happened; the checkpoint before stays as it was.
        FloatingPointError: the loss is no longer a number; names the step and the layer.
    """
    check_rule("config", config, "be a TrainingConfig", isinstance(config, TrainingConfig))
    check_rule("watch", watch, "be a function or None", watch is None or callable(watch))
    for name, flag in (("resume", resume), ("gradients", gradients), ("verbose", verbose)):
        check_flag(name, flag)
    monitor = GradientMonitor() if monitor is None else monitor
    check_rule("monitor", monitor, "be a GradientMonitor", isinstance(monitor, GradientMonitor))
    path = user_path("output", output)
    if data is not None:
        user_path("data", data)
    callbacks = _checked_callbacks(callbacks)
    if monitor.every != 1 or len(monitor.records["step"]):
        raise ValueError(f"monitor must be new and record every step, received {monitor!r}")
    strategy = strategy_for(devices, config)
    with folder.exclusive(path) as check:
        state = _stored_state(path, config, resume)
        dataset = load(config.dataset, data)
        about = provenance(dataset, data or config.dataset, callbacks, strategy)
        steps = config.steps_per_epoch(len(dataset.x_train))
        schedule = config.schedule(steps)
        if state is None:
            schedule.check(config.called("drops"))
        elif state.about["data_sha256"] != about["data_sha256"]:
            raise ValueError(
                f"a run goes on with the data it began with, received other {config.dataset} than "
                f"{path} was trained on"
            )
        model = initial_network(config, dataset, schedule, strategy)
        done = len(state.history) if state else 0
        if state and done == config.epochs:
            return _finished_run(path, state, model, check)
        training = batches(dataset.x_train, dataset.y_train, config, done)
        test = InOrder(dataset.x_test, dataset.y_test)
        del dataset  # the batches have copies, those of training a quarter as large
        # Of processes that were killed.
        remove_partial_files(path, (*folder.NAMES, folder.gradients_name(done)))
        if state is None:
            state = State(
                config, about, [], variable_values(model), variable_values(model.optimizer)
            )
            # Before an hour of work, find out whether it can be kept.
            checkpoint.save(path, state)
        else:
            restore(model, state)
            state = resumed(state, about)
        saving = CheckpointCallback(path, state, steps, monitor, test, watch, check)
        with (
            progress(done, config.epochs, steps, config.batch_size, verbose) as bar,
            interrupts() as check_pressed,
            folder.keeping_gradients(path / folder.gradients_name(done), monitor, check)
            if gradients
            else contextlib.nullcontext(),
        ):
            stopping = keras.callbacks.LambdaCallback(
                on_train_batch_begin=lambda batch, logs: check_pressed()
            )
            model.fit(
                training,
                initial_epoch=done,
                epochs=config.epochs,
                steps_per_epoch=steps,
                validation_data=test,
                callbacks=[stopping, monitor, saving, bar, *callbacks, saving.last],
                shuffle=False,  # the batches come in an order of their own
                verbose=0,
            )
        record = saving.record()
        check()
        folder.write_results(path, model, record)
    return Run(model, record)


def _checked_callbacks(callbacks: Any) -> list[Any]:
    """What ``fit`` takes for callbacks, as a list.

    Raises:
        ValueError: one is no callback, or does what training does itself.
    """
    callbacks = callback_list(callbacks)
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks must be Keras callbacks, received {callback!r}")
        for name, task in REFUSED_CALLBACKS.items():
            if isinstance(callback, getattr(keras.callbacks, name)):
                raise ValueError(f"callbacks must leave {task}, received {name}")
    return callbacks


def _stored_state(path: Path, config: TrainingConfig, resume: bool) -> State | None:
    """The state in the folder from which the run goes on; None where it begins anew.

    Raises:
        ValueError: the folder holds another run, or files of others.
    """
    state = checkpoint.load(path)
    if state is None:
        folder.check_no_other_files(path)
        return None
    if not resume:
        if epochs := len(state.history):
            raise ValueError(
                f"{path} holds a run of {epochs} epoch{'s' if epochs > 1 else ''}: resume goes on "
                "with it, another output starts anew"
            )
        return None  # without a full epoch there is nothing to lose
    check_unchanged(path, state.config, vars(config), config.called)
    backend = begun_on(state.about["versions"])
    if backend != NAME and len(state.history) < config.epochs:
        raise ValueError(
            f"a run goes on on the backend that it began on: {path} was begun on {backend}, "
            f"received {NAME}; set KERAS_BACKEND={backend}, or choose another output"
        )
    return state


def _finished_run(path: Path, state: State, model: keras.Model, check: Callable[[], None]) -> Run:
    """The run that is finished in this folder, as it is; what it lacks is written again."""
    record = folder.load_finished(path, state.history, model)
    if record is None:
        remove_partial_files(path, folder.NAMES)
        restore(model, state)
        record = run_record(model, state)
        check()
        folder.write_results(path, model, record)
    return Run(model, record)
