"""A progress bar with images per second and time left."""

import contextlib
from collections.abc import Iterator
from typing import Any

from ..output import console
from ..runtime import keras


@contextlib.contextmanager
def progress(
    done: int, epochs: int, steps: int, batch_size: int, visible: bool = True
) -> Iterator["ProgressCallback"]:
    """A Keras callback that shows how far a run has come, on the terminal or in a notebook.

    Keras calls no callback when ``fit`` is stopped by an error: the end of the context removes the
    bar whatever happens, and gives the terminal its cursor back.

    Args:
        done: epochs of an earlier call.
        epochs: of the entire run.
        steps: an epoch.
        batch_size: images a step.
        visible: whether the bar is shown.
    """
    from rich import progress as rich

    texts = ("epoch {task.fields[epoch]}", "{task.fields[speed]}", "{task.fields[reached]}")
    epoch, speed, reached = map(rich.TextColumn, texts)
    bars = (rich.BarColumn(), rich.TaskProgressColumn())
    columns = (epoch, *bars, speed, rich.TimeRemainingColumn(), reached)
    fields: dict[str, Any] = {"epoch": done + 1, "speed": "", "reached": ""}
    with rich.Progress(*columns, console=console(), disable=not visible) as bar:
        task = bar.add_task("", total=epochs * steps, completed=done * steps, **fields)
        yield ProgressCallback(bar, task, batch_size)


class ProgressCallback(keras.callbacks.Callback):
    """Moves the bar of ``progress``."""

    def __init__(self, bar: Any, task: int, batch_size: int) -> None:
        super().__init__()
        self.bar, self.task, self.batch_size = bar, task, batch_size

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.bar.update(self.task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.advance(self.task)
        speed = self.bar.tasks[0].speed  # steps a second, lately
        if speed:
            self.bar.update(self.task, speed=f"{speed * self.batch_size:.0f} images/s")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.bar.update(self.task, reached=f"test accuracy {logs['val_accuracy']:.3f}")
