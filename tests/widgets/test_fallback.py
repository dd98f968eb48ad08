"""What a notebook keeps of each widget where its picture cannot be drawn."""

import base64

import matplotlib.pyplot as plt
import pytest

from resnet_lesson import (
    ArchitectureBuilder,
    GradientExplorer,
    LesionExplorer,
    TrainingPanel,
    plots,
)

VIEW = "application/vnd.jupyter.widget-view+json"
# Each widget with the drawing that its picture is made of.
DRAWN = [
    (ArchitectureBuilder, "to_scale"),
    (GradientExplorer, "gradient_curves"),
    (LesionExplorer, "dots"),
    (TrainingPanel.replay, "heat_maps"),
]


def failing(error):
    def draw(*arguments, **how):
        plt.subplots()
        raise error

    return draw


@pytest.mark.parametrize(("make", "drawing"), DRAWN)
def test_a_widget_is_shown_without_the_picture_that_fails(monkeypatch, make, drawing):
    widget = make()
    whole, _ = widget._repr_mimebundle_()
    assert base64.b64decode(whole["image/png"]).startswith(b"\x89PNG")
    opened = plt.get_fignums()
    monkeypatch.setattr(plots, drawing, failing(OSError("no font")))
    words = rf"{type(widget).__name__} is shown without its picture.*: OSError: no font"
    with pytest.warns(UserWarning, match=words):
        bundle, _ = widget._repr_mimebundle_()
    assert bundle == {VIEW: whole[VIEW], "text/plain": whole["text/plain"]}
    assert plt.get_fignums() == opened, "a notebook would draw it, and fail as well"


@pytest.mark.parametrize(("make", "drawing"), DRAWN)
def test_an_interrupt_of_a_drawing_interrupts(monkeypatch, make, drawing):
    monkeypatch.setattr(plots, drawing, failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        make()._repr_mimebundle_()


def test_a_figure_that_cannot_be_saved_is_closed(monkeypatch):
    opened = plt.get_fignums()
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", failing(ValueError("too large")))
    with pytest.warns(UserWarning, match="ValueError: too large"):
        TrainingPanel.replay()._repr_mimebundle_()
    assert plt.get_fignums() == opened
