"""Training steps in Keras, with the package's networks: as Keras computes them, or as we do."""

import numpy as np
from with_keras import versions

__all__ = ["prepare", "versions"]


def prepare(options, material):
    """The function that trains one step on the batch in ``material`` and returns the loss.

    Args:
        options: ``fused``, ``precision`` and what ``networks.spec`` says of the network.
        material: path of an .npz with the batch; the initial weights are added to it if it has
            none, and are taken from it if it has.
    """
    import networks

    from resnet_lesson.networks.fused import fuse_batch_norm
    from resnet_lesson.runtime import keras, set_seed, tf

    saved = dict(np.load(material))
    set_seed(0)
    keras.config.set_dtype_policy(options["precision"])
    model = networks.keras_model(options)
    if any("/" in name for name in saved):
        for weight in model.trainable_weights:
            weight.assign(saved[weight.path])
    else:
        np.savez(material, **saved, **{w.path: w.numpy() for w in model.trainable_weights})
    if options["fused"]:
        fuse_batch_norm(model)
    optimizer = keras.optimizers.SGD(networks.RATE, networks.MOMENTUM, nesterov=True)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    batch = tf.data.Dataset.from_tensors((saved["images"], saved["labels"]))
    batches = iter(batch.cache().repeat().prefetch(2))
    model.make_train_function()

    def step(_):
        model.reset_metrics()
        return np.asarray([model.train_function(batches)["loss"]])

    return step
