"""Accuracy without any set of modules: every one of the 2^n networks inside a ResNet.

After the lesion study of Veit et al. 2016, arXiv 1605.06431.
"""

import collections

import numpy as np

BATCH = 500


def cut(model):
    """A network of ``build_cifar`` in full pre-activation, cut between its modules.

    Returns:
        The stem; a list with two functions for each module, the whole module and what is left of
        it where its branch is deleted, which is the shortcut; and the head. All compute by the
        layers of ``model``.
    """
    from ..resnet import wire
    from ..runtime import keras, tf

    names, places = wire(model)
    kept = {layer.name for layer in model.layers}
    modules = []
    for name, start, end in zip(names, places[:-1], places[1:], strict=True):
        shortcut = tf.identity
        if f"{name}_projection" in kept:
            shortcut = keras.Model(start, model.get_layer(f"{name}_projection").output)
        modules.append((keras.Model(start, end), shortcut))
    return keras.Model(model.input, places[0]), modules, keras.Model(places[-1], model.output)


def confusions(model, images, labels, classes):
    """For every set of deleted modules, how often each class is told as each.

    The sets that delete the same first modules share their way that far: 2^n networks cost not
    much more than 2^(n + 1) modules.

    Args:
        model: as ``cut`` takes it, with n modules.
        images, labels: (N, H, W, C) and (N,).
        classes: how many.

    Returns:
        A dict from a string such as "010", with a 1 for each deleted module, to an int array
        (classes, classes): the label, and the answer.
    """
    from ..runtime import tf

    stem, modules, head = cut(model)
    stem, head = tf.function(stem), tf.function(head)
    modules = [(tf.function(whole), tf.function(shortcut)) for whole, shortcut in modules]
    counts = collections.defaultdict(lambda: np.zeros((classes, classes), int))

    def walk(h, deleted):
        if len(deleted) == len(modules):
            yield deleted, head(h).numpy().argmax(axis=1)
            return
        for bit, part in zip("01", modules[len(deleted)], strict=True):
            yield from walk(part(h), deleted + bit)

    for start in range(0, len(images), BATCH):
        batch = slice(start, start + BATCH)
        for deleted, answers in walk(stem(images[batch]), ""):
            np.add.at(counts[deleted], (labels[batch], answers), 1)
    return counts
