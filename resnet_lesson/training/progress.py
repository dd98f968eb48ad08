"""A progress bar with images per second and time left."""

from ..runtime import keras


class Progress(keras.callbacks.Callback):
    """Shows how far a run has come, on the terminal or in a notebook."""

    def __init__(self, keeper):
        super().__init__()
        self.keeper = keeper

    def on_train_begin(self, logs=None):
        from rich import progress

        config, done = self.keeper.state.config, len(self.keeper.state.history)
        self.bar = progress.Progress(
            progress.TextColumn("epoch {task.fields[epoch]}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[reached]}"),
        )
        self.images = config.batch_size
        total = config.epochs * self.keeper.steps
        self.task = self.bar.add_task(
            "",
            total=total,
            completed=done * self.keeper.steps,
            epoch=done + 1,
            speed="",
            reached="",
        )
        self.bar.start()

    def on_train_batch_end(self, batch, logs=None):
        self.bar.advance(self.task)
        speed = self.bar.tasks[0].speed  # steps a second over the last while
        if speed:
            self.bar.update(self.task, speed=f"{speed * self.images:.0f} images/s")

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.update(self.task, epoch=epoch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.update(self.task, reached=f"test accuracy {logs['val_accuracy']:.3f}")

    def on_train_end(self, logs=None):
        self.bar.stop()
