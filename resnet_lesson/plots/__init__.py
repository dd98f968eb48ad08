"""Numbers and Axes in, a drawing out, in one style; each picture has its text equivalent."""

from ..output import quiet_matplotlib

with quiet_matplotlib():
    from .curves import bands, dots, gradient_curves, training_curves, training_run
    from .diagrams import PARTS, lesions, to_scale, wires
    from .files import closed_on_error, png
    from .maps import empty_maps, heat_map, heat_maps, pictures
    from .style import (
        HUES,
        MARKERS,
        PALETTE,
        PLAIN,
        RESIDUAL,
        finish,
        panels,
        quick_axes,
        reference,
    )

__all__ = [
    "HUES",
    "MARKERS",
    "PALETTE",
    "PARTS",
    "PLAIN",
    "RESIDUAL",
    "bands",
    "closed_on_error",
    "dots",
    "empty_maps",
    "finish",
    "gradient_curves",
    "heat_map",
    "heat_maps",
    "lesions",
    "panels",
    "pictures",
    "png",
    "quick_axes",
    "reference",
    "to_scale",
    "training_curves",
    "training_run",
    "wires",
]
