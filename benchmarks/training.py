"""What the monitor and the live panel cost a training step, beside a second backward pass.

One model is trained in short fits that alternate: nothing added, the monitor, the panel with its
monitor, and a callback that differentiates the batch again. So a change in the machine's speed
affects all of them. It runs in a Jupyter kernel, where the panel's redraws are sent as messages.
"""

import json
import time
from pathlib import Path

import numpy as np
import record

BATCH, ROUNDS = 128, 6  # pictures in a batch, fits of each kind
WARM_UP = 4  # steps of each fit that are not counted: in them Keras traces
MOST = 1.05
# Pixels a side and steps of a fit: at 8x8 so short that the panel redraws ten times a second.
SIZES = {32: 16, 8: 100}
CELL = """import json, sys
sys.path[:0] = {folders!r}
import training
print(json.dumps(training.measure_all()))"""


def main():
    """(figures, versions, rows of the table)."""
    found = in_kernel()
    figures = {size: summed_up(rounds) for size, rounds in found["ms"].items()}
    table = list(rows(figures))
    for row in table:
        print("   ", *row, sep=" | ", flush=True)
    return figures, found["versions"], table


def summed_up(rounds):
    """Steps of each kind in milliseconds, and how many times as long one kind takes as another."""
    return {
        "ms": {name: record.summary(np.concatenate(each)) for name, each in rounds.items()},
        "times": {
            "monitor": times(rounds, "monitor", "nothing"),
            "panel": times(rounds, "panel", "monitor"),
            "nothing again": times(rounds, "nothing again", "nothing"),
            "second backward pass": times(rounds, "second backward pass", "nothing again"),
        },
    }


def times(rounds, one, other):
    """How many times as long a step of one kind takes as a step of the other.

    The means of neighbouring fits are compared, and the median is taken over the rounds: a redraw
    falls into one step of several, which a median over steps would not see.
    """
    pairs = zip(rounds[one], rounds[other], strict=True)
    return round(float(np.median([np.mean(a) / np.mean(b) for a, b in pairs])), 4)


def in_kernel():
    """What ``measure_all`` returns in a kernel of its own."""
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    here = Path(__file__).parent
    cell = new_code_cell(CELL.format(folders=[str(here), str(here.parent)]))
    notebook = new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=1800, kernel_name="python3").execute()
    return json.loads(notebook.cells[0].outputs[-1].text.splitlines()[-1])


def measure_all():
    from resnet_lesson.runtime import versions

    return {
        "ms": {f"{size}x{size}": measure(size, steps) for size, steps in SIZES.items()},
        "versions": {name: versions()[name] for name in ("tensorflow", "keras")},
    }


def measure(size, steps):
    """Milliseconds of each step of ResNet-20 by what was added to the training and by round."""
    from resnet_lesson import GradientMonitor, TrainingPanel, build_cifar

    shape = (size, size, 3)
    model, x, y = compiled(lambda: build_cifar(20, input_shape=shape), shape)
    data = {"x": np.concatenate([x] * steps), "y": np.concatenate([y] * steps)}

    def fit(clock, *callbacks):
        model.fit(**data, batch_size=BATCH, verbose=0, callbacks=[*callbacks, clock])

    clocks = []  # of the fit that the panel is about to make

    def train():
        return model, data | {"callbacks": clocks}

    def watch(clock):
        clocks[:] = [clock]
        panel.run()

    monitor, second = GradientMonitor(), second_pass(model, x, y)
    panel = TrainingPanel({"ResNet-20": train}, batch_size=BATCH)
    return alternated(
        {
            "nothing": fit,
            "monitor": lambda clock: fit(clock, monitor),
            "panel": watch,
            "nothing again": fit,
            "second backward pass": lambda clock: fit(clock, second),
        }
    )


def compiled(make, shape):
    """A network that is ready to train, and a batch for it: pictures and labels."""
    from resnet_lesson.backend import keras, set_seed

    set_seed(0)
    random = np.random.default_rng(0)
    x = random.standard_normal((BATCH, *shape)).astype(np.float32)
    y = random.integers(0, 10, BATCH)
    model = make()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    return model, x, y


def alternated(kinds):
    """Milliseconds of the steps of each fit, a list for each kind; the kinds alternate.

    Args:
        kinds: by name, a function that makes a fit with the clock it is given.
    """
    taken = {name: [] for name in kinds}
    for round_ in range(ROUNDS + 1):
        for name, fit in kinds.items():
            clock = stopwatch()
            fit(clock)
            if round_:  # the first fit of each traces
                taken[name].append(clock.steps[WARM_UP:])
    return taken


def stopwatch():
    """A callback that records the milliseconds from the end of a step to the end of the next."""
    from resnet_lesson.backend import keras

    class Stopwatch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.steps, self.last = [], None

        def on_train_batch_end(self, batch, logs=None):
            now = time.perf_counter()
            if self.last is not None:
                self.steps.append(1000 * (now - self.last))
            self.last = now

    return Stopwatch()


def second_pass(model, x, y):
    """A callback that differentiates the batch once more after each step, in a graph of its own."""
    from resnet_lesson.runtime import keras, tf

    kernels = [weight.value for weight in model.trainable_weights if weight.name == "kernel"]
    x, y = tf.constant(x), tf.constant(y)

    @tf.function
    def norms():
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True))
        return [tf.norm(gradient) for gradient in tape.gradient(loss, kernels)]

    class SecondPass(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.norms = [norm.numpy() for norm in norms()]

    return SecondPass()


def rows(figures):
    """The table's rows: what, figure, target, met."""
    for size, found in figures.items():
        name = f"ResNet-20 on {size}, batch {BATCH}, a step of fit"
        ms = {each: record.shown(figure) for each, figure in found["ms"].items()}
        times = found["times"]
        yield (
            f"{name}, every step recorded by the monitor",
            f"{ms['monitor']} against {ms['nothing']}: {times['monitor']:.3f} times "
            f"(nothing against nothing: {times['nothing again']:.3f})",
            f"<= {MOST} times",
            times["monitor"] <= MOST,
        )
        yield (
            f"{name}, watched on the live panel",
            f"{ms['panel']}: {times['panel']:.3f} times the monitor's",
            f"<= {MOST} times",
            times["panel"] <= MOST,
        )
        figure = f"{ms['second backward pass']}: {times['second backward pass']:.2f} times"
        yield f"{name}, the same norms by a second backward pass", figure, "", None


if __name__ == "__main__":
    main()
