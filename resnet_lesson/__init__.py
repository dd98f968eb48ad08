"""See that deeper plain networks train worse, and what a shortcut changes.

Importing this package is light: each public name loads its module on first use.
"""

import importlib
from typing import Any

_HOME = {
    "ResNet": "networks.article",
    "build": "networks.article",
    "build_cifar": "networks.cifar",
    "residual_module": "networks.residual",
    "fuse_batch_norm": "networks.fused",
    "gradient_norms": "gradients.probe",
    "grouped_norms": "gradients.groups",
    "GradientMonitor": "gradients.monitor",
    "load": "data",
    "stack_gradients": "gradients.stacks",
    "ArchitectureBuilder": "widgets",
    "GradientExplorer": "widgets",
    "LesionExplorer": "widgets",
    "TrainingPanel": "widgets",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name == "architecture":  # as version 0.1 called it
        return importlib.import_module(f"{__name__}.networks.cost")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
