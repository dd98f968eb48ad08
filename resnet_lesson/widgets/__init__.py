"""The lesson's widgets."""

from .builder import ArchitectureBuilder
from .explorer import GradientExplorer

__all__ = ["ArchitectureBuilder", "GradientExplorer"]
