"""The network of a configuration, compiled on its devices, and the values of its variables."""

import threading
from typing import Any

import numpy as np

from ..backend import keras, native, set_seed
from ..checks import check_choice, check_rule
from ..data.datasets import Dataset
from ..networks.cifar import build_cifar
from .checkpoint import State
from .config import DEVICES, TrainingConfig
from .schedule import Schedule

ops = keras.ops
_seeding = threading.Lock()  # initial weights are drawn from the process's own generator


def network(
    config: TrainingConfig, input_shape: tuple[int, ...], classes: int, policy: str = "float32"
) -> keras.Model:
    """The network of a configuration, for images (B, *input_shape).

    Its layers have this dtype policy, whatever the user's is.
    """
    users = keras.config.dtype_policy()
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
        keras.config.set_dtype_policy(users)


def strategy_for(devices: str, config: TrainingConfig) -> Any:
    """The strategy that trains on one device, or on all that this machine has.

    Several, on TensorFlow only, are the GPUs, or the logical CPU devices where there is no GPU.
    Each has a copy of the weights and takes an equal part of each batch; the gradients are summed.

    Raises:
        ValueError: neither "one" nor "all"; a batch that the devices cannot share equally.
    """
    check_choice("devices", devices, DEVICES)
    strategy = native.devices(devices)
    count = strategy.num_replicas_in_sync
    if config.batch_size % count:
        raise ValueError(
            f"{config.called('batch_size')} must be a multiple of the {count} devices, received "
            f"{config.batch_size}"
        )
    return strategy


def initial_network(
    config: TrainingConfig, dataset: Dataset, schedule: Schedule, strategy: Any
) -> keras.Model:
    """The network with the weights that the seed draws, and its optimizer with all variables."""
    if config.deterministic:
        native.make_deterministic()
    policy = "mixed_float16" if native.has_gpu() else "float32"
    if config.bfloat16:
        policy = "mixed_bfloat16"
    with _seeding:
        set_seed(config.seed)
        with strategy.scope():
            model = network(config, dataset.x_train.shape[1:], len(dataset.class_names), policy)
            _check_floatx(model)
            if strategy.num_replicas_in_sync > 1:
                _synchronise_batch_norm(model)
            elif native.fuses_batch_norm():
                from ..networks.fused import fuse_batch_norm

                fuse_batch_norm(model)
            model.compile(
                keras.optimizers.SGD(schedule, config.momentum, nesterov=True),
                "sparse_categorical_crossentropy",
                # The loss includes the weights' penalty; this does not.
                metrics=[
                    "accuracy",
                    keras.metrics.SparseCategoricalCrossentropy(name="cross_entropy"),
                ],
                jit_compile=native.compiles_steps(config.deterministic),
                steps_per_execution=_steps_at_once(config.steps_per_epoch(len(dataset.x_train))),
            )
            model.optimizer.build(model.trainable_variables)
    if strategy.num_replicas_in_sync == 1:
        _make_metrics(model, len(dataset.class_names))
    return model


def _check_floatx(model: keras.Model) -> None:
    """Refuse a user's floatx in which Keras would add up the loss beside penalties in another."""
    needed, floatx = model.trainable_variables[0].dtype, keras.config.floatx()
    what = "the floatx of Keras, in keras.json or by set_floatx,"
    check_rule(what, floatx, f"be {needed}", floatx == needed)


def _steps_at_once(steps: int) -> int:
    """How many steps one call takes. An epoch is whole calls, as the batches go on behind it."""
    return next(count for count in range(native.steps_at_once(), 0, -1) if steps % count == 0)


def _make_metrics(model: keras.Model, classes: int) -> None:
    """Let the metrics make their variables now: in the training step, which TensorFlow would then
    trace once more, they double the time to the first step."""
    labels, answers = ops.zeros(1, "int32"), ops.full((1, classes), 1 / classes)
    model.compute_loss(y=labels, y_pred=answers)
    model.compute_metrics(None, labels, answers)
    model.reset_metrics()


def _synchronise_batch_norm(model: keras.Model) -> None:
    """Normalise by the whole batch, so that a run is the same on any number of devices."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def sgd(model: keras.Model) -> Any:
    """The model's optimizer itself, without the loss scaling of mixed precision around it."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def variable_values(owner: Any) -> list[np.ndarray]:
    """Everything that training changes in a model or an optimizer."""
    return [variable.numpy() for variable in owner.variables]


def restore(model: keras.Model, state: State) -> None:
    """Give the model and its optimizer the values of a state.

    Raises:
        ValueError: they are those of another network.
    """
    optimizer, values = model.optimizer, state.optimizer
    if len(values) != len(optimizer.variables):
        # In mixed precision the list begins with the state of the loss scale, which starts anew.
        optimizer = sgd(model)
        values = values[-len(optimizer.variables) :]
    _assign(model.variables, state.model)
    _assign(optimizer.variables, values)


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    shapes = [tuple(variable.shape) for variable in variables]
    if [value.shape for value in values] != shapes:
        raise ValueError(
            f"a checkpoint must hold the {len(shapes)} arrays of its network, received "
            f"{len(values)}, or other shapes: move it away to start anew"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
