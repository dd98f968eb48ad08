"""The lesson's widgets."""

from .explorer import GradientExplorer

__all__ = ["GradientExplorer"]
