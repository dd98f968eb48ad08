"""Not Keras's ``fit``, but one traced epoch for many runs on digits.

``fit`` traces its step anew for each compiled model, which would take longer than many of the short
runs here, and comes back to Python after every step. An epoch here is one graph. Its steps also
return norms of two kernels, and the loss has no L2 penalty, whose own gradient would hide how small
the gradient of the data's loss becomes.

The network is ``build_cifar(depth, stages=1)``: a 3x3 stem, modules of two convolutions of 16
filters on 8x8 pixels, and a classifier. Nothing is downsampled, so that one identity shortcut leads
from the stem to the end.
"""

import functools
import itertools
import types
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


def build_digits(depth: int, shortcut: bool, order: str = "full_preactivation") -> keras.Model:
    """``build_cifar``'s network of one stage, for digits."""
    return build_cifar(depth, shortcut=shortcut, order=order, **NETWORK)


def build_fused(depth: int, shortcut: bool, seed: int = 0) -> keras.Model:
    """``build_digits`` with fused BN layers, and with the weights it draws from this seed."""
    set_seed(seed)
    return with_fused_bn(build_digits(depth, shortcut))


def with_fused_bn(model: keras.Model) -> keras.Model:
    """The same model; in training its BN is now by the fused operation, in 0.7 of the time.

    Not ``networks.fused.fuse_batch_norm``, whose averages run over many steps, as Keras's do: here
    they are of one batch alone, and a pass over a whole data set sets its own statistics.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.call = types.MethodType(_fused_bn, layer)
    return model


def _fused_bn(layer: Any, inputs: Any, training: bool = False, mask: Any = None) -> Any:
    """What ``BatchNormalization.call`` computes, but for the averages."""
    if not training:
        return type(layer).call(layer, inputs, training=False)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs, scale=layer.gamma, offset=layer.beta, mean=[], variance=[], epsilon=layer.epsilon
    )
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
    return outputs


class Trainer:
    """SGD with momentum on digits, and the norms of each step for two kernels of the network.

    ``build`` makes the network from the other arguments, a Keras model with new weights. Its BN is
    then fused, and ``model`` is trained in place. Gradients whose norm over all weights is above
    ``clip`` are scaled down to it. One trainer serves any number of runs: ``restart`` draws new
    weights, and the traced epoch stays.
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
        self._weights = [weight.value for weight in self.model.trainable_weights]
        self._velocities = [tf.Variable(tf.zeros_like(weight)) for weight in self._weights]
        digits = load("digits")
        self._digits = tf.constant(digits.x_train), tf.constant(digits.y_train)
        self._epoch = tf.function(self._one_epoch, autograph=False)
        self._predict = _traced(self.model)
        # Runs at other rates start from the same weights; building a deep network takes a second.
        self._drawn = functools.cache(self._draw)

    def _draw(self, seed: int) -> list[np.ndarray]:
        set_seed(seed)
        return self._build().get_weights()

    def restart(self, seed: int) -> None:
        """Take new weights, those of ``build`` with this seed."""
        self.model.set_weights(self._drawn(seed))
        for velocity in self._velocities:
            velocity.assign(tf.zeros_like(velocity))

    def _one_epoch(self, batches: Any, rates: Any) -> tuple[Any, Any]:
        """A step for each of ``batches`` (steps, BATCH), indices of digits, at its own rate.

        Returns:
            (steps, 2, 3) norms and (steps,) accuracies, as ``_one_step`` returns them.
        """
        images, labels = self._digits

        def step(settings: tuple[Any, Any]) -> tuple[Any, Any]:
            batch, rate = settings
            return self._one_step(tf.gather(images, batch), tf.gather(labels, batch), rate)

        measured = (tf.float64, tf.float32)
        return tf.map_fn(
            step, (batches, rates), fn_output_signature=measured, parallel_iterations=1
        )

    def _one_step(self, x: Any, y: Any, rate: Any) -> tuple[Any, Any]:
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
            tf.raw_ops.ResourceApplyMomentum(
                var=weight.handle, accum=velocity.handle, lr=rate, grad=gradient, momentum=MOMENTUM
            )
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
        random = np.random.default_rng([seed, 3])
        count = len(self._digits[0])
        steps = count // BATCH
        for epoch in itertools.count():
            batches = random.permutation(count)[: steps * BATCH].reshape(steps, BATCH)
            rates = [
                _rate(learning_rate, step, warmup * steps)
                for step in range(epoch * steps, (epoch + 1) * steps)
            ]
            norms, accuracies = self._epoch(tf.constant(batches), tf.constant(rates))
            yield norms.numpy(), float(np.mean(accuracies.numpy(), dtype=np.float64))

    def train(self, count: int, learning_rate: float, seed: int) -> list[float]:
        """Train for ``count`` epochs, without a warm-up; the mean accuracy in each."""
        epochs = self.epochs(learning_rate, warmup=0, seed=seed)
        return [accuracy for _, accuracy in itertools.islice(epochs, count)]

    def accuracies(self) -> dict[str, float]:
        """``train_accuracy`` and ``test_accuracy``."""
        return accuracies(self._predict)


def _rate(learning_rate: float, step: int, warmup: int) -> float:
    """The rate at a step, counted from 0, of which the first ``warmup`` warm up."""
    progress = min(1.0, step / warmup) if warmup else 1.0
    return WARMUP_START ** (1 - progress) * learning_rate**progress


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


def start_trained(seed: int, epochs: int, learning_rate: float, *arguments: Any) -> Trainer:
    """``start``, then ``train``, and BN statistics over all digits; a process trains once.

    What follows begins without momentum, as after ``start``.
    """
    weights = _trained_weights(seed, epochs, learning_rate, *arguments)
    trainer = start(seed, *arguments)  # after the training, whose momentum it takes off
    trainer.model.set_weights(weights)
    return trainer


@functools.cache
def _trained_weights(seed: int, epochs: int, rate: float, *arguments: Any) -> list[np.ndarray]:
    trainer = start(seed, *arguments)
    trainer.train(epochs, rate, seed)
    trainer.accuracies()  # sets the statistics
    return trainer.model.get_weights()


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
