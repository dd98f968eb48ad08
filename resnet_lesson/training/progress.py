"""A progress bar with images per second and time left."""

import contextlib
from collections.abc import Iterator
from typing import Any

from ..backend import keras
from ..output import console


@contextlib.contextmanager
def progress(
    done: int, epochs: int, steps: int, batch_size: int, visible: bool = True
) -> Iterator[keras.callbacks.Callback]:
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

        def advance(batch: int, logs: Any) -> None:
            begun = bar.tasks[0].fields["epoch"] - 1
            bar.update(task, completed=begun * steps + batch + 1)  # a call may be several steps
            speed = bar.tasks[0].speed  # steps a second, lately
            if speed:
                bar.update(task, speed=f"{speed * batch_size:.0f} images/s")

        yield keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: bar.update(task, epoch=epoch + 1),
            on_train_batch_end=advance,
            on_epoch_end=lambda epoch, logs: bar.update(
                task, reached=f"test accuracy {logs['val_accuracy']:.3f}"
            ),
        )
