"""What a notebook keeps of each widget where its picture cannot be drawn."""

import base64
import sys

import matplotlib.pyplot as plt
import pytest
from notebook_runs import VIEW

from resnet_lesson import (
    ArchitectureBuilder,
    GradientExplorer,
    LesionExplorer,
    TrainingPanel,
    plots,
)
from resnet_lesson.widgets import frontend

# Each widget with the drawing that its picture is made of.
DRAWN = [
    (ArchitectureBuilder, "to_scale"),
    (GradientExplorer, "gradient_curves"),
    (LesionExplorer, "lesions"),
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


def shown(monkeypatch, widget):
    """The bundles that a notebook gets, one for each output."""
    bundles = []
    monkeypatch.setattr(frontend, "display", lambda data, **how: bundles.append(data))
    widget._ipython_display_()
    return bundles


def test_a_line_and_the_picture_stand_in_front_of_the_widget(monkeypatch):
    widget = GradientExplorer()
    line, picture, alive = shown(monkeypatch, widget)
    assert "Run this cell" in line["text/html"]
    assert base64.b64decode(picture["image/png"]).startswith(b"\x89PNG")
    assert picture["text/plain"] == alive["text/plain"]
    assert alive[VIEW]["model_id"] == widget.model_id
    assert "image/png" not in alive


@pytest.mark.parametrize("place", ["colab", "vscode"])
def test_elsewhere_the_widget_is_one_output(monkeypatch, place):
    if place == "colab":
        monkeypatch.setitem(sys.modules, "google.colab", sys)
    else:
        monkeypatch.setenv("VSCODE_PID", "1")
    (alive,) = shown(monkeypatch, GradientExplorer())
    assert alive.keys() >= {VIEW, "image/png", "text/plain"}
