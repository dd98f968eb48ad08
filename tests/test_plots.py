"""What the drawings say about norms that a log axis cannot hold."""

import matplotlib.pyplot as plt
import numpy as np

from resnet_lesson import plots


def test_zeros_and_infinities_stand_at_the_edges_hollow():
    ax = plots.gradient_curves({"a": np.array([0.0, 0.0, 1e-3, np.inf])})
    curve, zeros, odd = ax.lines
    assert list(curve.get_xdata()) == [3]
    assert (list(zeros.get_xdata()), zeros.get_marker()) == ([1, 2], "v")
    assert (list(odd.get_xdata()), odd.get_marker()) == ([4], "^")
    assert zeros.get_markerfacecolor() == odd.get_markerfacecolor() == "none"
    assert plots.png(ax).startswith(b"\x89PNG")


def test_the_shortcuts_wire_is_bold_and_whole_only_where_nothing_stands_on_it():
    clean, broken = (plots.wires("nrcnrc", after=after, title="e").lines[0] for after in ("", "r"))
    assert clean.get_linewidth() > broken.get_linewidth()
    assert (clean.get_linestyle(), broken.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in clean.axes.texts] == [
        *("+", "BN", "ReLU", "conv", "BN", "ReLU", "conv")
    ]
    # What follows the addition stands on the wire's height, the branch below it.
    *branch, after = [text.get_position()[1] for text in broken.axes.texts[1:]]
    wire = clean.get_ydata()[0]
    assert after == wire
    assert wire not in branch
    plt.close("all")


def test_heat_maps_share_their_colours_and_show_zeros():
    left = np.array([[1e-3, 1.0], [0.0, 10.0]])
    steps, layers = np.arange(2), ["first", "last"]
    maps = {"left": (left, steps, layers), "right": (1e3 * left, steps, layers)}
    axes = plots.heat_maps(maps).figure.axes[:2]
    images = [ax.collections[0] for ax in axes]
    assert [ax.get_title() for ax in axes] == ["left", "right"]
    assert [image.get_clim() for image in images] == [(1e-3, 1e4)] * 2
    for image in images:
        colours = image.to_rgba(image.get_array()).reshape(2, 2, 4)
        assert colours[1, 0].tolist() == [1, 1, 1, 1]
        assert colours[0, 0].tolist() != [1, 1, 1, 1]
    plt.close("all")
    assert "not trained yet" in plots.heat_maps({}).texts[0].get_text()
    plt.close("all")
