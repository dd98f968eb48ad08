"""Train stacks of equal modules on digits, many runs with one traced step.

The network is ``build_cifar(depth, stages=1)``: a 3x3 stem, modules of two convolutions of 16
filters on 8x8 pixels, and a classifier. Nothing is downsampled, so that one identity wire leads
from the stem to the end. No L2, whose own gradient would hide how little the loss's comes to.
"""

import functools
import itertools

import numpy as np

from ..data import load
from ..networks.cifar import build_cifar
from ..runtime import keras, set_seed, tf

BATCH, MOMENTUM, WARMUP_START = 64, 0.9, 1e-4
NETWORK = {"stages": 1, "input_shape": (8, 8, 1), "reg": 0.0}
# The measures of a step, by kernel.
NORMS = ("gradient", "weight", "update")


class FusedNorm(keras.layers.BatchNormalization):
    """Keras's, in training by TensorFlow's fused kernel, which takes 0.7 of the time."""

    def call(self, inputs, training=False, mask=None):
        if not training:
            return super().call(inputs, training=False)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon
        )
        # Averages without a memory: a pass over a whole data set leaves its own statistics.
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return outputs


def ordinary(depth, shortcut, order="full_preactivation"):
    """``build_cifar``'s network of one stage, for digits."""
    return build_cifar(depth, shortcut=shortcut, order=order, **NETWORK)


def make(depth, shortcut, order="full_preactivation", seed=0):
    """The network at initialisation, with fused norms; the weights are build_cifar's own."""
    set_seed(seed)
    return fused(ordinary(depth, shortcut, order))


def fused(model):
    """The model with fused norms, and the same weights."""

    def clone(layer):
        kind = FusedNorm if isinstance(layer, keras.layers.BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy


class Trainer:
    """SGD with momentum on digits, and what its steps do to two kernels of the network.

    ``build`` makes the network from the other arguments, a Keras model with new weights; ``model``
    is that with fused norms, trained in place. One trainer serves any number of runs: ``restart``
    draws new weights, and the traced step stays.
    """

    def __init__(self, *arguments, build=ordinary, **options):
        self._build = functools.partial(build, *arguments, **options)
        self.model = fused(self._build())
        layers = [x for x in self.model.layers if isinstance(x, keras.layers.Conv2D)]
        # The first of all convolutions is the stem.
        self._ends = [layer.kernel.value for layer in (layers[1], layers[-1])]
        self._rate = tf.Variable(0.0)
        self._weights = [weight.value for weight in self.model.trainable_weights]
        self._velocities = [tf.Variable(tf.zeros_like(weight)) for weight in self._weights]
        self._step = tf.function(self._one_step)
        self._answer = _answers(self.model)

    def restart(self, seed):
        """New weights; those that ``build`` draws with this seed."""
        set_seed(seed)
        self.model.set_weights(self._build().get_weights())
        for velocity in self._velocities:
            velocity.assign(tf.zeros_like(velocity))

    def _one_step(self, x, y):
        """One update; (2, 3) NORMS of the first and last kernel before it, and the accuracy."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._weights)
            answers = self.model(x, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(y, answers)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self._weights)
        before = [tf.identity(kernel) for kernel in self._ends]
        by_weight = {id(w): g for w, g in zip(self._weights, gradients, strict=True)}
        for weight, velocity, gradient in zip(
            self._weights, self._velocities, gradients, strict=True
        ):
            velocity.assign(MOMENTUM * velocity + gradient)
            weight.assign_sub(self._rate * velocity)
        norms = [
            [tf.norm(by_weight[id(kernel)]), tf.norm(old), tf.norm(kernel - old) / tf.norm(old)]
            for kernel, old in zip(self._ends, before, strict=True)
        ]
        right = tf.cast(tf.argmax(answers, axis=-1) == y, tf.float32)
        return tf.stack([tf.stack(row) for row in norms]), tf.reduce_mean(right)

    def epochs(self, learning_rate, warmup, seed):
        """Train without end; after each epoch, (steps, 2, 3) norms and the mean accuracy in it.

        Args:
            learning_rate: of SGD, constant but for the warm-up.
            warmup: epochs in which the rate rises from 1e-4, by the same factor at each step.
            seed: of the order of the digits.
        """
        digits = load("digits")
        random = np.random.default_rng([seed, 3])
        steps = len(digits.x_train) // BATCH
        step = 0
        while True:
            order = random.permutation(len(digits.x_train))[: steps * BATCH]
            norms, accuracy = [], []
            for chosen in order.reshape(steps, BATCH):
                share = min(1.0, step / (warmup * steps)) if warmup else 1.0
                self._rate.assign(WARMUP_START ** (1 - share) * learning_rate**share)
                row, right = self._step(digits.x_train[chosen], digits.y_train[chosen])
                norms.append(row.numpy())
                accuracy.append(float(right))
                step += 1
            yield np.array(norms), float(np.mean(accuracy))

    def train(self, count, learning_rate, seed):
        """Train for ``count`` epochs, without a warm-up; the mean accuracy in each."""
        epochs = self.epochs(learning_rate, warmup=0, seed=seed)
        return [accuracy for _, accuracy in itertools.islice(epochs, count)]

    def accuracies(self):
        """``train_accuracy`` and ``test_accuracy``, a dict."""
        return accuracies(self._answer)


def _answers(model):
    """The model in graphs that never trace again, so that TensorFlow does not warn of it."""
    images = tf.TensorSpec([None, *NETWORK["input_shape"]])

    def graph(training):
        return tf.function(lambda x: model(x, training=training)).get_concrete_function(images)

    graphs = {training: graph(training) for training in (True, False)}
    return lambda x, training: graphs[training](tf.constant(x))


# A process works through the runs of one network, or one and its copy, before it meets the next.
trainer = functools.lru_cache(maxsize=2)(Trainer)


def accuracies(model):
    """``train_accuracy`` and ``test_accuracy`` of a model with fused norms on digits, a dict.

    The norms first take the statistics of all training digits: averages over the last steps are
    so far from them in a deep plain network that they would hide what it has learned.
    """
    digits = load("digits")
    model(digits.x_train, training=True)

    def accuracy(x, y):
        return float(np.mean(model(x, training=False).numpy().argmax(axis=1) == y))

    return {
        "train_accuracy": accuracy(digits.x_train, digits.y_train),
        "test_accuracy": accuracy(digits.x_test, digits.y_test),
    }


def epochs_to(percent, accuracies):
    """The first epoch, counted from 1, with this mean training accuracy or more, or None."""
    reached = (epoch for epoch, value in enumerate(accuracies, start=1) if 100 * value >= percent)
    return next(reached, None)
