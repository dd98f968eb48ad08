"""The lesson's widgets."""

try:
    from .builder.widget import ArchitectureBuilder
    from .explorer.widget import GradientExplorer
    from .lesions.widget import LesionExplorer
    from .panel.widget import TrainingPanel
except ModuleNotFoundError as error:
    if error.name not in {"anywidget", "ipywidgets", "traitlets", "IPython"}:
        raise
    raise ImportError(
        f"the widgets need TensorFlow, ipywidgets and anywidget, and {error.name} is not "
        "installed: install resnet-lesson with all that it requires, without --no-deps"
    ) from error

__all__ = ["ArchitectureBuilder", "GradientExplorer", "LesionExplorer", "TrainingPanel"]
