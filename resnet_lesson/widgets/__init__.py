"""The lesson's widgets."""

from .builder import ArchitectureBuilder
from .explorer import GradientExplorer
from .panel import TrainingPanel

__all__ = ["ArchitectureBuilder", "GradientExplorer", "TrainingPanel"]
