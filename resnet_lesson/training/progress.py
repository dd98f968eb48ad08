"""A progress bar with images per second and time left."""

import contextlib

from ..output import console
from ..runtime import keras


@contextlib.contextmanager
def progress(done, epochs, steps, batch_size, visible=True):
    """A Keras callback that shows how far a run has come, on the terminal or in a notebook.

    Keras calls no callback when ``fit`` is stopped by an error: the end of the context takes the
    bar away whatever happens, and gives the terminal its cursor back.

    Args:
        done: epochs of an earlier call.
        epochs: of the whole run.
        steps: an epoch.
        batch_size: images a step.
        visible: whether there is anything to see.
    """
    from rich import progress as rich

    columns = ("epoch {task.fields[epoch]}", "{task.fields[speed]}", "{task.fields[reached]}")
    epoch, speed, reached = map(rich.TextColumn, columns)
    parts = (epoch, rich.BarColumn(), rich.TaskProgressColumn(), speed)
    said = {"epoch": done + 1, "speed": "", "reached": ""}
    shown = {"console": console(), "disable": not visible}
    with rich.Progress(*parts, rich.TimeRemainingColumn(), reached, **shown) as bar:
        task = bar.add_task("", total=epochs * steps, completed=done * steps, **said)
        yield _Follow(bar, task, batch_size)


class _Follow(keras.callbacks.Callback):
    def __init__(self, bar, task, batch_size):
        super().__init__()
        self.bar, self.task, self.batch_size = bar, task, batch_size

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.update(self.task, epoch=epoch + 1)

    def on_train_batch_end(self, batch, logs=None):
        self.bar.advance(self.task)
        speed = self.bar.tasks[0].speed  # steps a second over the last while
        if speed:
            self.bar.update(self.task, speed=f"{speed * self.batch_size:.0f} images/s")

    def on_epoch_end(self, epoch, logs=None):
        self.bar.update(self.task, reached=f"test accuracy {logs['val_accuracy']:.3f}")
