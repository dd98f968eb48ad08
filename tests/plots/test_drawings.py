"""What the drawings show, and that they show all names as they are."""

import types
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb

from resnet_lesson import plots
from resnet_lesson.networks import cost
from resnet_lesson.plots import diagrams, style
from resnet_lesson.widgets.builder.widget import EXAMPLE


def test_zeros_and_infinities_stand_at_the_edges_hollow():
    ax = plots.gradient_curves({"a": np.array([0.0, 0.0, 1e-3, np.inf])})
    curve, zeros, odd = ax.lines
    assert list(curve.get_xdata()) == [3]
    assert (list(zeros.get_xdata()), zeros.get_marker()) == ([1, 2], "v")
    assert (list(odd.get_xdata()), odd.get_marker()) == ([4], "^")
    assert zeros.get_markerfacecolor() == odd.get_markerfacecolor() == "none"
    assert plots.png(ax).startswith(b"\x89PNG")


def test_the_shortcuts_wire_is_bold_and_whole_only_where_nothing_stands_on_it():
    parts = ["BN", "ReLU", "conv"] * 2
    drawn = [plots.wires(parts, after=after, title="e") for after in ([], ["ReLU"])]
    clean, broken = (ax.lines[0] for ax in drawn)
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


def test_a_projection_stands_on_the_wire_and_each_tensor_it_could_read_is_marked():
    parts = ["BN", "ReLU", "conv"] * 3
    ax = plots.wires(parts, projected={"raw": 0, "activated": 2})
    boxes = [text.get_position() for text in ax.texts if text.get_text() == "conv"]
    (projection,) = [place for place in boxes if place[1] == 1]
    ways = [line.get_xydata() for line in ax.lines if line.get_linestyle() == "--"]
    # From the input, and from between the ReLU and the first convolution, to the projection.
    assert [tuple(way[0]) for way in ways] == [(0.3, 1), (2.5, 0)]
    assert all(tuple(way[1]) == projection for way in ways)
    assert {"raw", "activated"} <= {text.get_text() for text in ax.texts}
    assert max(line.get_linewidth() for line in ax.lines) < 5  # no identity
    plt.close("all")


def test_a_transformers_parts_have_the_colours_of_a_convolutional_networks():
    ax = plots.wires(["LN", "attention or MLP"], after=["BN"])
    colors = {text.get_text(): text.get_bbox_patch().get_facecolor() for text in ax.texts}
    assert colors["LN"] == colors["BN"] != colors["attention\nor MLP"]
    (convolution,) = plots.wires(["conv"]).texts[1:]
    assert convolution.get_bbox_patch().get_facecolor() == colors["attention\nor MLP"]
    plt.close("all")


def test_a_heat_map_tells_zero_and_no_number_from_the_scale():
    values = np.array([[1e-3, 0.0], [np.nan, 1.0], [np.inf, 1e-3]])
    ax = plots.heat_map(values, np.array([0, 5]), ["a", "b", "c"])
    cells = ax.collections[0]
    ax.figure.canvas.draw()  # the colours are settled when it is drawn
    colors = cells.get_facecolors().reshape(3, 2, 4)
    odd = to_rgb(style.WRONG)
    assert tuple(colors[0, 1, :3]) == (1, 1, 1)
    for row in (1, 2):
        np.testing.assert_allclose(colors[row, 0, :3], odd)
    np.testing.assert_array_equal(colors[0, 0], colors[2, 1])
    assert (cells.norm.vmin, cells.norm.vmax) == (1e-3, 1.0)
    assert len(ax.get_legend().get_texts()) == 2
    top, bottom = (ax.transData.transform((0, row))[1] for row in (0, 2))
    assert top > bottom
    assert list(ax.get_xlim()) == [-0.5, 9.5]
    for same in (np.ones((3, 1)), np.zeros((3, 1)), np.full((3, 1), np.nan)):
        assert plots.png(plots.heat_map(same, np.array([0]), ["a", "b", "c"]))


def test_heat_maps_share_their_colours_and_show_zeros():
    left = np.array([[1e-3, 1.0], [0.0, 10.0]])
    steps, layers = np.arange(2), ["first", "last"]
    maps = {"left": (left, steps, layers), "right": (1e3 * left, steps, layers)}
    axes = plots.heat_maps(maps).figure.axes[:2]
    images = [ax.collections[0] for ax in axes]
    assert [ax.get_title(loc="left") for ax in axes] == ["left", "right"]
    assert [image.get_clim() for image in images] == [(1e-3, 1e4)] * 2
    for image in images:
        colours = image.to_rgba(image.get_array()).reshape(2, 2, 4)
        assert colours[1, 0].tolist() == [1, 1, 1, 1]
        assert colours[0, 0].tolist() != [1, 1, 1, 1]
    plt.close("all")
    plt.close("all")


@pytest.mark.parametrize(("log", "middle"), [(False, [2.5, 50.5]), (True, [2, 10])])
def test_a_band_reaches_from_the_least_seed_to_the_largest(log, middle):
    ax = plots.bands({"one": ([1, 2], [[1, 4], [1, 100]])}, log=log)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), middle)
    reached = ax.collections[0].get_paths()[0].vertices
    for x, least, largest in [(1, 1, 4), (2, 1, 100)]:
        at = reached[reached[:, 0] == x, 1]
        assert (at.min(), at.max()) == (least, largest)
    assert ax.get_yscale() == ("log" if log else "linear")
    plt.close(ax.figure)


def test_a_logarithmic_band_refuses_what_it_cannot_show():
    with pytest.raises(ValueError, match=r"one must be positive .* received 0\.0"):
        plots.bands({"one": ([1, 2], [[1, 4], [0, 100]])}, log=True)
    plt.close("all")


def test_each_value_is_a_dot_in_the_row_of_its_name():
    ax = plots.dots({"one": [3, 1], "two": [2, 2, 5]}, xlabel="error")
    assert [list(line.get_xdata()) for line in ax.lines] == [[3, 1], [2, 2, 5]]
    heights = [set(line.get_ydata()) for line in ax.lines]
    assert heights == [{0}, {1}]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one", "two"]
    first, second = ax.transData.transform([(0, 0), (0, 1)])[:, 1]
    assert first > second
    plt.close(ax.figure)


def test_a_training_run_shows_accuracies_and_gradients():
    history = [
        {"accuracy": 0.5, "test_accuracy": 0.4, "gradient_norm": [1.0, 2.0]},
        {"accuracy": 0.9, "test_accuracy": 0.7, "gradient_norm": [3.0, 4.0]},
        {"accuracy": 1.0, "test_accuracy": 0.8, "gradient_norm": [5.0, 6.0]},
    ]
    left = plots.training_run(history, ["first", "second"])
    drawn = {line.get_label(): line.get_ydata().tolist() for line in left.lines}
    assert drawn == {"training": [0.5, 0.9, 1.0], "test": [0.4, 0.7, 0.8]}
    right = left.figure.axes[1]
    [cells] = right.collections
    assert cells.get_array().tolist() == [[1, 3, 5], [2, 4, 6]]
    assert (left.get_xlabel(), right.get_xlabel()) == ("epoch", "epoch")
    plt.close(left.figure)


NAMES = [
    "costs $5_{ or $6",
    "$x$",
    r"\$x\$ \alpha",
    "_hidden",
    "caf\udce9",
    "$",
    "50 %",
]


def named(name):
    """Every drawing that takes a name, with this one wherever it can stand, and in how many."""
    norms, heat = [1.0, 2.0], (np.ones((1, 2)), np.arange(2), [name])
    rows = [{"accuracy": 0.5, "test_accuracy": 0.4, "gradient_norm": [1.0]}]
    part = types.SimpleNamespace(name=name, modules=1, height=2, width=2, channels=2)
    return [
        (3, plots.gradient_curves({name: norms}, ylabel=name, title=name)),
        (3, plots.training_curves({name: norms}, ylabel=name, title=name)),
        (1, plots.training_run(rows, [name])),
        (4, plots.bands({name: ([1, 2], [[1, 4], [1, 9]])}, None, name, name, title=name)),
        (3, plots.dots({name: norms}, xlabel=name, title=name)),
        (2, plots.heat_map(*heat, label=name)),
        (3, plots.heat_maps({name: heat}, label=name)),
        (1, plots.pictures(np.zeros((1, 2, 2)), [name])),
        (1, plots.wires(["conv"], title=name)),
        (1, plots.to_scale([part], (2, 2, 2))),
        (1, plots.lesions([name], [], 0.5, 0.9)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("math", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_drawn_as_it_is(monkeypatch, name, math):
    texts, draw_text = [], RendererAgg.draw_text

    def drawn(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        texts.append((s.lstrip("\N{ZERO WIDTH SPACE}"), ismath))
        draw_text(self, gc, x, y, s, prop, angle, ismath, mtext)

    monkeypatch.setattr(RendererAgg, "draw_text", drawn)
    shown = name.replace("\udce9", "\N{REPLACEMENT CHARACTER}")
    with plt.rc_context({"text.parse_math": math}), warnings.catch_warnings():
        warnings.simplefilter("error")  # of a character that the font lacks
        for count, ax in named(name):
            texts.clear()
            ax.figure.canvas.draw()
            plt.close(ax.figure)
            assert texts.count((shown, False)) == count
            assert shown not in {text for text, ismath in texts if ismath}


def test_a_callers_own_ticks_stay_on_an_axis_that_is_shared():
    _, (above, below) = plt.subplots(2, sharex=True)
    plots.bands({"one": (range(3), np.ones((3, 2)))}, above)
    above.set_xticks(range(3), ["0", "1", "end"])
    plots.bands({"one": (range(3), np.ones((3, 2)))}, below)
    assert [text.get_text() for text in below.get_xticklabels()] == ["0", "1", "end"]


@pytest.mark.parametrize(("modules", "boxes"), [(100, 100), (500, 1), (10**6, 1)])
def test_a_stage_of_boxes_too_thin_to_be_told_apart_is_one_box(modules, boxes):
    parts = [cost.Part("stage1", modules, 8, 8, 16, 0, 0, 0)]
    ax = plots.to_scale(parts, (8, 8, 3))
    assert len(ax.patches) == 1 + boxes
    assert ax.patches[-1].get_x() + ax.patches[-1].get_width() == pytest.approx(
        ax.patches[1].get_x() + modules * 16
    )


def test_the_part_that_is_picked_is_the_one_in_colour_with_its_size():
    ax = plots.to_scale(cost.parts(**EXAMPLE), (64, 64, 3), "stage2")
    coloured = [box for box in ax.patches if box.get_facecolor()[:3] == to_rgb(diagrams.ACCENT)]
    assert [box.get_height() for box in coloured] == [16] * 4
    words = [text.get_text() for text in ax.texts]
    assert words[-8:] == [
        *("stage 1", "32×32×128", "stage 2", "16×16×256"),
        *("stage 3", "8×8×512", "classes", "200"),
    ]
    plt.close("all")


def test_a_module_that_is_deleted_has_no_branch_and_the_bar_shrinks():
    modules = ["stage1_unit1", "stage1_unit2", "stage2_unit1"]
    ax = plots.lesions(modules, modules[1:2], 0.25, 0.75)
    wire, *branches, _ = ax.lines
    assert list(wire.get_ydata()) == [1, 1]
    assert [int(branch.get_xdata()[0]) for branch in branches] == [0, 2]
    assert [bar.get_width() for bar in ax.patches] == [3, 0.75 * 3, 0.25 * 3]
    words = {text.get_text() for text in ax.texts}
    assert {"stage 1", "stage 2", "Accuracy: 25.0 %", "whole network: 75.0 %"} <= words
    plt.close("all")
