"""Full training that resumes where it was stopped, and says only what it measured."""

from typing import Any

from .config import PRESETS, TrainingConfig

__all__ = ["PRESETS", "Run", "TrainingConfig", "begun", "digest", "train"]


def __getattr__(name: str) -> Any:
    # The recipes are data; only training needs Keras.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import folder, record, run

    homes = {"Run": record, "begun": folder, "digest": record, "train": run}
    return getattr(homes[name], name)
