"""What the monitor costs a training step, beside the second backward pass that others make.

One model is trained in short fits that alternate: nothing added, the monitor, and a callback that
differentiates the batch again. So the machine's moods meet all alike.
"""

import time

import numpy as np
import record

BATCH, STEPS, ROUNDS = 128, 12, 10
WARM_UP = 2  # steps of each fit that are not counted
MOST = 1.05


def main():
    """(figures, versions, rows of the table)."""
    from resnet_lesson.runtime import versions

    taken = measure()
    figures = {name: record.summary(each) for name, each in taken.items()}
    table = list(rows(figures))
    for row in table:
        print("   ", *row, sep=" | ", flush=True)
    return figures, {name: versions()[name] for name in ("tensorflow", "keras")}, table


def measure():
    """Milliseconds of each step by what was added to the training."""
    from resnet_lesson import GradientMonitor, build_cifar
    from resnet_lesson.runtime import keras, set_seed

    set_seed(0)
    random = np.random.default_rng(0)
    x = random.standard_normal((BATCH, 32, 32, 3)).astype(np.float32)
    y = random.integers(0, 10, BATCH)
    model = build_cifar(20)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    monitor = GradientMonitor()
    added = {
        "nothing": [],
        "monitor": [monitor],
        "second backward pass": [again(model, x, y)],
        "nothing again": [],
    }
    data = {"x": np.concatenate([x] * STEPS), "y": np.concatenate([y] * STEPS)}
    taken = {name: [] for name in added}
    for round_ in range(ROUNDS + 1):
        for name, callbacks in added.items():
            clock = stopwatch()
            model.fit(**data, batch_size=BATCH, verbose=0, callbacks=[*callbacks, clock])
            if round_:  # the first fit of each traces
                taken[name] += clock.steps[WARM_UP:]
    assert len(monitor.records["step"]) == STEPS * (ROUNDS + 1)
    return taken


def stopwatch():
    """A callback that notes the milliseconds from the end of a step to the end of the next."""
    from resnet_lesson.runtime import keras

    class Stopwatch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.steps, self.last = [], None

        def on_train_batch_end(self, batch, logs=None):
            now = time.perf_counter()
            if self.last is not None:
                self.steps.append(1000 * (now - self.last))
            self.last = now

    return Stopwatch()


def again(model, x, y):
    """A callback that differentiates the batch once more after each step, in a graph of its own."""
    from resnet_lesson.runtime import keras, tf

    kernels = [weight.value for weight in model.trainable_weights if weight.name == "kernel"]
    x, y = tf.constant(x), tf.constant(y)

    @tf.function
    def norms():
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True))
        return [tf.norm(gradient) for gradient in tape.gradient(loss, kernels)]

    class Again(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.norms = [norm.numpy() for norm in norms()]

    return Again()


def rows(figures):
    """The table's rows: what, figure, target, met."""
    step = figures["nothing"]["median"]
    ratio = {name: figures[name]["median"] / step for name in figures}
    name = f"ResNet-20, batch {BATCH}, a step of fit"
    yield (
        f"{name}, every step recorded by the monitor",
        f"{record.shown(figures['monitor'])} against {record.shown(figures['nothing'])}: "
        f"{ratio['monitor']:.3f}x (nothing against nothing: {ratio['nothing again']:.3f}x)",
        f"<= {MOST}x",
        ratio["monitor"] <= MOST,
    )
    figure = (
        f"{record.shown(figures['second backward pass'])}: {ratio['second backward pass']:.2f}x"
    )
    yield f"{name}, the same norms by a second backward pass", figure, "", None


if __name__ == "__main__":
    main()
