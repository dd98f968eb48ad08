"""The learning rate, step by step."""

import math
from collections.abc import Sequence
from typing import Any

from ..backend import keras

ops = keras.ops


@keras.saving.register_keras_serializable("resnet_lesson")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Rises to ``peak`` in a straight line, then drops by tens, or glides to zero by a cosine.

    A model that was saved with it can be loaded once this module is imported.

    Args:
        peak: the largest rate.
        warmup: steps of the rise.
        steps: of the entire run; after the last the cosine is zero.
        drops: steps at which the rate is divided by ten; empty for the cosine.
    """

    def __init__(self, peak: float, warmup: int, steps: int, drops: Sequence[int] = ()) -> None:
        super().__init__()
        self.peak, self.warmup, self.steps, self.drops = peak, warmup, steps, tuple(drops)

    def check(self, what: str = "drops") -> None:
        """Refuse drops after the run's end, or within the warm-up.

        Args:
            what: the name under which they were given.

        Raises:
            ValueError: with the number of steps.
        """
        if any(not self.warmup <= drop < self.steps for drop in self.drops):
            raise ValueError(
                f"{what} must be steps after the {self.warmup:,} of the warm-up and before the end "
                f"of the run, which has {self.steps:,} with so many images, received {self.drops}"
            )

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rise = (step + 1) / max(1, self.warmup)
        if self.drops:
            passed = sum(ops.cast(drop <= step, "float32") for drop in self.drops)
            after = 0.1**passed
        else:
            share = (step - self.warmup) / max(1, self.steps - self.warmup)
            after = 0.5 * (1 + ops.cos(math.pi * ops.minimum(share, 1.0)))
        return self.peak * ops.where(step < self.warmup, rise, after)

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("peak", "warmup", "steps", "drops")}
