"""The lesson's widgets."""

from .builder.widget import ArchitectureBuilder
from .explorer.widget import GradientExplorer
from .lesions.widget import LesionExplorer
from .panel.widget import TrainingPanel

__all__ = ["ArchitectureBuilder", "GradientExplorer", "LesionExplorer", "TrainingPanel"]
