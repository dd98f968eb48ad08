"""See a hundred-layer network lose its gradient, and get it back.

Importing this package is light: each public name loads its module on first use.
"""

import importlib

_HOME = {
    "ResNet": "resnet",
    "build": "resnet",
    "build_cifar": "resnet",
    "residual_module": "resnet",
    "gradient_norms": "probe",
    "GradientMonitor": "monitor",
    "load": "data",
    "stack_gradients": "stacks",
    "ArchitectureBuilder": "widgets",
    "GradientExplorer": "widgets",
    "LesionExplorer": "widgets",
    "TrainingPanel": "widgets",
}
__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
