"""The article's network transcribed once more, layer by layer, as an oracle for the tests."""

import keras
from keras import layers


def module(data, filters, stride, reduce):
    def norm(x):
        x = layers.BatchNormalization(momentum=0.9, epsilon=2e-5)(x)
        return layers.Activation("relu")(x)

    quarter = filters // 4
    act1 = norm(data)
    x = layers.Conv2D(quarter, (1, 1), use_bias=False)(act1)
    act2 = norm(x)
    x = layers.Conv2D(quarter, (3, 3), strides=(stride, stride), padding="same", use_bias=False)(
        act2
    )
    act3 = norm(x)
    x = layers.Conv2D(filters, (1, 1), use_bias=False)(act3)
    shortcut = data
    if reduce:
        shortcut = layers.Conv2D(filters, (1, 1), strides=(stride, stride), use_bias=False)(act1)
    return layers.add([x, shortcut])


def network(width, height, depth, classes, stages, filters):
    """With the listing's fixed 8x8 pooling: right for 64x64 images and three stages."""
    inputs = keras.Input((height, width, depth))
    x = layers.BatchNormalization(momentum=0.9, epsilon=2e-5)(inputs)
    x = layers.Conv2D(filters[0], (5, 5), padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=2e-5)(x)
    x = layers.Activation("relu")(x)
    x = layers.ZeroPadding2D((1, 1))(x)
    x = layers.MaxPooling2D((3, 3), strides=(2, 2))(x)
    for index, count in enumerate(stages):
        x = module(x, filters[index + 1], 1 if index == 0 else 2, True)
        for _ in range(count - 1):
            x = module(x, filters[index + 1], 1, False)
    x = layers.BatchNormalization(momentum=0.9, epsilon=2e-5)(x)
    x = layers.Activation("relu")(x)
    x = layers.Flatten()(layers.AveragePooling2D((8, 8))(x))
    return keras.Model(inputs, layers.Activation("softmax")(layers.Dense(classes)(x)))
