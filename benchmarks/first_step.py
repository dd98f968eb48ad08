"""Seconds from building ResNet-56 to the end of its first training step, in a fresh process.

``python first_step.py ours`` builds and compiles it as ``train`` does, ``python first_step.py
keras`` as a Keras user would. Both read the same digits.
"""

import sys
import time

from resnet_lesson import build_cifar, load, training
from resnet_lesson.runtime import keras, tf
from resnet_lesson.training import model as models
from resnet_lesson.training.pipeline import batches


def ours(digits, config):
    one = tf.distribute.get_strategy()
    return models.initial_network(config, digits, config.schedule(20), one)


def with_keras(digits, config):
    model = build_cifar(config.depth, input_shape=digits.x_train.shape[1:])
    optimizer = keras.optimizers.SGD(config.learning_rate, config.momentum, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


if __name__ == "__main__":
    digits, config = load("digits"), training.TrainingConfig(depth=56, padding=1, flip=False)
    data = batches(digits.x_train, digits.y_train, config)
    next(iter(data))  # TensorFlow and the pipeline are awake
    start = time.perf_counter()
    model = {"ours": ours, "keras": with_keras}[sys.argv[1]](digits, config)
    model.fit(data, steps_per_epoch=1, epochs=1, verbose=0, shuffle=False)
    print(time.perf_counter() - start)
