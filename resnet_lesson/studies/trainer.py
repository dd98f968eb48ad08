"""Not Keras's ``fit``, but one traced training step for many runs on digits.

``fit`` traces its step anew for each compiled model, which would take longer than many of the short
runs here. This step also returns norms of two kernels, and the loss has no L2 penalty, whose own
gradient would hide how small the gradient of the data's loss becomes.

The network is ``build_cifar(depth, stages=1)``: a 3x3 stem, modules of two convolutions of 16
filters on 8x8 pixels, and a classifier. Nothing is downsampled, so that one identity shortcut leads
from the stem to the end.
"""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..data import load
from ..gradients.norms import tensor_distance, tensor_norm
from ..networks.cifar import build_cifar
from ..networks.dissect import module_names
from ..runtime import keras, set_seed, tf

BATCH, MOMENTUM, WARMUP_START = 64, 0.9, 1e-4
NETWORK: dict[str, Any] = {"stages": 1, "input_shape": (8, 8, 1), "reg": 0.0}


class FusedBN(keras.layers.BatchNormalization):
    """Keras's, in training by TensorFlow's fused operation, which takes 0.7 of the time."""

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        if not training:
            return super().call(inputs, training=False)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon
        )
        # Averages over this batch alone: a pass over a whole data set sets its own statistics.
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return outputs


def build_digits(depth: int, shortcut: bool, order: str = "full_preactivation") -> keras.Model:
    """``build_cifar``'s network of one stage, for digits."""
    return build_cifar(depth, shortcut=shortcut, order=order, **NETWORK)


def build_fused(depth: int, shortcut: bool, seed: int = 0) -> keras.Model:
    """``build_digits`` with fused BN layers, and with the weights it draws from this seed."""
    set_seed(seed)
    return with_fused_bn(build_digits(depth, shortcut))


def with_fused_bn(model: keras.Model) -> keras.Model:
    """A copy of the model with fused BN layers and the same weights."""

    def clone(layer: keras.Layer) -> keras.Layer:
        kind = FusedBN if isinstance(layer, keras.layers.BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy


class Trainer:
    """SGD with momentum on digits, and the norms of each step for two kernels of the network.

    ``build`` makes the network from the other arguments, a Keras model with new weights; ``model``
    is the same with fused BN, trained in place. Gradients whose norm over all weights is above
    ``clip`` are scaled down to it. One trainer serves any number of runs: ``restart`` draws new
    weights, and the traced step stays.
    """

    def __init__(
        self,
        *arguments: Any,
        build: Callable[..., keras.Model] = build_digits,
        clip: float | None = None,
        **options: Any,
    ) -> None:
        self._clip = clip
        self._build = functools.partial(build, *arguments, **options)
        self.model = with_fused_bn(self._build())
        names = module_names(self.model)
        ends = (f"{names[0]}_conv1", f"{names[-1]}_conv2")
        self._ends = [self.model.get_layer(name).kernel.value for name in ends]
        self._rate = tf.Variable(0.0)
        self._weights = [weight.value for weight in self.model.trainable_weights]
        self._velocities = [tf.Variable(tf.zeros_like(weight)) for weight in self._weights]
        self._step = tf.function(self._one_step)
        self._predict = _traced(self.model)

    def restart(self, seed: int) -> None:
        """Draw new weights, those of ``build`` with this seed."""
        set_seed(seed)
        self.model.set_weights(self._build().get_weights())
        for velocity in self._velocities:
            velocity.assign(tf.zeros_like(velocity))

    def _one_step(self, x: Any, y: Any) -> tuple[Any, Any]:
        """One update; (2, 3) norms of the first and last kernel before it, and the accuracy.

        Of each the norms of its gradient and of itself, and that of its change over its own.
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._weights)
            probabilities = self.model(x, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(y, probabilities)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self._weights)
        if self._clip is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip)
        before = [tf.identity(kernel) for kernel in self._ends]
        by_weight = {id(w): g for w, g in zip(self._weights, gradients, strict=True)}
        for weight, velocity, gradient in zip(
            self._weights, self._velocities, gradients, strict=True
        ):
            velocity.assign(MOMENTUM * velocity + gradient)
            weight.assign_sub(self._rate * velocity)
        norms = [
            [tensor_norm(by_weight[id(kernel)]), size, tensor_distance(kernel, old) / size]
            for kernel, old in zip(self._ends, before, strict=True)
            for size in [tensor_norm(old)]
        ]
        correct = tf.cast(tf.argmax(probabilities, axis=-1) == y, tf.float32)
        return tf.stack([tf.stack(row) for row in norms]), tf.reduce_mean(correct)

    def epochs(
        self, learning_rate: float, warmup: int, seed: int
    ) -> Iterator[tuple[np.ndarray, float]]:
        """Train without end; after each epoch, (steps, 2, 3) norms and the mean accuracy in it.

        Args:
            learning_rate: of SGD, constant after the warm-up.
            warmup: epochs in which the rate rises from 1e-4, by the same factor at each step.
            seed: of the order of the digits.
        """
        digits = load("digits")
        random = np.random.default_rng([seed, 3])
        steps = len(digits.x_train) // BATCH
        step = 0
        while True:
            order = random.permutation(len(digits.x_train))[: steps * BATCH]
            norms, accuracies = [], []
            for batch in order.reshape(steps, BATCH):
                progress = min(1.0, step / (warmup * steps)) if warmup else 1.0
                self._rate.assign(WARMUP_START ** (1 - progress) * learning_rate**progress)
                measured, accuracy = self._step(digits.x_train[batch], digits.y_train[batch])
                norms.append(measured.numpy())
                accuracies.append(float(accuracy))
                step += 1
            yield np.array(norms), float(np.mean(accuracies))

    def train(self, count: int, learning_rate: float, seed: int) -> list[float]:
        """Train for ``count`` epochs, without a warm-up; the mean accuracy in each."""
        epochs = self.epochs(learning_rate, warmup=0, seed=seed)
        return [accuracy for _, accuracy in itertools.islice(epochs, count)]

    def accuracies(self) -> dict[str, float]:
        """``train_accuracy`` and ``test_accuracy``."""
        return accuracies(self._predict)


def _traced(model: keras.Model) -> Callable[..., Any]:
    """The model as graphs that are never traced again, so that TensorFlow does not warn of it."""
    images = tf.TensorSpec([None, *NETWORK["input_shape"]])

    def graph(training: bool) -> Callable[..., Any]:
        return tf.function(lambda x: model(x, training=training)).get_concrete_function(images)

    graphs = {training: graph(training) for training in (True, False)}
    return lambda x, training: graphs[training](tf.constant(x))


# A process finishes the runs of one network, or of one and its copy, before it starts the next.
_trainer = functools.lru_cache(maxsize=2)(Trainer)


def start(seed: int, *arguments: Any, **options: Any) -> Trainer:
    """The ``Trainer`` of these arguments with new weights, for a run with this seed."""
    trainer = _trainer(*arguments, **options)
    trainer.restart(seed)
    return trainer


def accuracies(model: Callable[..., Any]) -> dict[str, float]:
    """``train_accuracy`` and ``test_accuracy`` of a model with fused BN on digits.

    The BN layers first take the statistics of all training digits: averages over the last steps
    are so far from them in a deep plain network that they would hide what it has learned.
    """
    digits = load("digits")
    model(digits.x_train, training=True)
    return {
        "train_accuracy": accuracy(model, digits.x_train, digits.y_train),
        "test_accuracy": accuracy(model, digits.x_test, digits.y_test),
    }


def accuracy(model: Callable[..., Any], x: np.ndarray, y: np.ndarray) -> float:
    """The share of images (B, H, W, C) whose label (B,) has the largest probability."""
    return float(np.mean(model(x, training=False).numpy().argmax(axis=1) == y))


def epochs_to(percent: float, accuracies: list[float]) -> int | None:
    """The first epoch, counted from 1, with this mean training accuracy or more, or None."""
    reached = (epoch for epoch, value in enumerate(accuracies, start=1) if 100 * value >= percent)
    return next(reached, None)
