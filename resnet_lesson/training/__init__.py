"""Full training that resumes where it was stopped, and says only what it measured."""

from .config import PRESETS, TrainingConfig

__all__ = ["PRESETS", "Run", "TrainingConfig", "begun", "digest", "train"]


def __getattr__(name):
    # The recipes are data; only training needs TensorFlow.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import run

    return getattr(run, name)
