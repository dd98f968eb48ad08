"""The lesson's widgets."""

from .builder import ArchitectureBuilder
from .explorer import GradientExplorer
from .lesions import LesionExplorer
from .panel import TrainingPanel

__all__ = ["ArchitectureBuilder", "GradientExplorer", "LesionExplorer", "TrainingPanel"]
