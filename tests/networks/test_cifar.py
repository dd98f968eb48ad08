"""He's CIFAR family: published counts, the identity property, figure 4, what is refused."""

import re

import numpy as np
import pytest
from figure_4 import AROUND, BASIC, FIGURE_4, KINDS, PROJECTIONS, branch_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import COUNTS, SIZES, expect, mostly, outcome, positive

from resnet_lesson import build_cifar
from resnet_lesson.runtime import keras


def trainable(model):
    return sum(weight.value.shape.num_elements() for weight in model.trainable_weights)


@pytest.mark.parametrize(
    ("depth", "count", "published"),
    [
        (20, 272_282, 0.27),
        (32, 466_714, 0.46),
        (44, 661_146, 0.66),
        (56, 855_578, 0.85),
        (110, 1_730_522, 1.7),
    ],
)
def test_hes_family(depth, count, published):
    model = build_cifar(depth)
    assert trainable(model) == count
    projections = 2_560  # He's shortcuts had no parameters
    digits = len(str(published).split(".")[1])
    # Rounded, not cut: cutting would print 0.26 for ResNet-20 and 0.65 for ResNet-44.
    assert round((count - projections) / 1e6, digits) == published


def test_bottleneck_164():
    assert trainable(build_cifar(164, bottleneck=True)) == 1_703_258


def test_a_single_stage_is_one_identity_wire():
    model = build_cifar(8, stages=1, input_shape=(5, 5, 1), order="full_preactivation")
    assert not [layer.name for layer in model.layers if "projection" in layer.name]
    for layer in model.layers:
        if layer.name.endswith("_conv2"):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    ends = keras.Model(
        model.input,
        [model.get_layer(name).output for name in ("stem_conv", "stage1_unit3_add")],
    )
    stem, end = ends(np.random.default_rng(0).random((2, 5, 5, 1)), training=True)
    assert np.array_equal(stem, end)


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("bottleneck", [True, False])
def test_the_first_shortcut_leaves_a_bare_stem_only_where_the_docstring_says(order, bottleneck):
    """He et al. 2016: the first activation right after the stem and before the two paths part."""
    model = build_cifar(
        11 if bottleneck else 8, order=order, bottleneck=bottleneck, input_shape=(4, 4, 1)
    )
    ends = [tensor._keras_history.operation for tensor in model.get_layer("stage1_unit1_add").input]
    (end,) = [layer for layer in ends if not re.search(r"unit1_(conv|relu|bn)", layer.name)]
    while "projection" in end.name:
        end = end.input._keras_history.operation
    bare = not bottleneck and "preactivation" in order
    assert isinstance(end, keras.layers.ReLU) is not bare
    if bare:
        assert end.name == ("stem_conv" if order == "full_preactivation" else "stem_bn1")


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("bottleneck", [True, False])
def test_the_family_has_the_orders_of_figure_4(order, bottleneck):
    depth, expected = (20, FIGURE_4) if bottleneck else (14, BASIC)
    model = build_cifar(
        depth, order=order, bottleneck=bottleneck, base_filters=4, input_shape=(8, 8, 1)
    )
    for stage in (1, 2, 3):
        for unit in (1, 2):
            place = f"stage{stage}_unit{unit}_"
            found = [
                KINDS[type(layer).__name__]
                for layer in model.layers
                if layer.name.startswith(place) and "projection" not in layer.name
            ]
            assert found == expected[order].split()
    outside = {layer.name for layer in model.layers if layer.name.startswith(("stem_", "final_"))}
    assert outside == {"stem_conv", *AROUND[order]}


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("bottleneck", [True, False])
def test_plain_twin_and_sizes_in_every_order(order, bottleneck):
    options = {"order": order, "bottleneck": bottleneck, "input_shape": (8, 8, 1)}
    residual, plain = (
        build_cifar(11 if bottleneck else 8, shortcut=shortcut, base_filters=4, **options)
        for shortcut in (True, False)
    )
    names = [layer.name for layer in plain.layers]
    assert not [name for name in names if "add" in name or "projection" in name]
    extra = sum(layer.count_params() for layer in residual.layers if "projection" in layer.name)
    assert residual.count_params() - extra == plain.count_params()
    assert residual.get_layer("global_pool").input.shape[1:3] == (2, 2)


REFUSED = [
    ({"depth": 51}, "6n . 2.*received 51"),
    ({"depth": 2}, "n at least 1, received 2"),
    ({"stages": 2}, "4n . 2.*received 8"),
    ({"stages": 0}, "stages must be a positive integer, received 0"),
    ({"stages": 1, "input_shape": (0, 1, 1)}, r"input_shape\[0\].*received 0"),
    ({"depth": 0}, "depth.*received 0"),
    ({"depth": 20.0}, "depth.*received 20.0"),
    ({"base_filters": 0}, "base_filters.*received 0"),
    ({"input_shape": (8, 8)}, r"input_shape.*received \(8, 8\)"),
    ({"input_shape": (8, 8, 0)}, r"input_shape\[2\].*received 0"),
    ({"bottleneck": 1}, "bottleneck.*received 1"),
    ({"reg": -0.5}, "reg.*received -0.5"),
    ({"depth": 56, "bottleneck": True, "classes": 0}, "received 0"),
    ({"depth": 8, "bottleneck": True}, "9n . 2.*received 8"),
    ({"order": "random"}, "order.*received 'random'"),
    ({"input_shape": (2, 8, 1)}, "height.*received 2"),
]


@pytest.mark.usefixtures("no_gpu", "no_layer")
@pytest.mark.parametrize(("bad", "message"), REFUSED)
def test_impossible_input_is_refused_before_any_layer(bad, message):
    with pytest.raises(ValueError, match=message):
        build_cifar(**({"depth": 8} | bad))


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=1000)
@given(
    depth=mostly(st.integers(1, 15).map(lambda n: 36 * n + 2), st.integers(-5, 200)),
    order=st.sampled_from([*FIGURE_4, *FIGURE_4, "random", "", 3]),
    bottleneck=st.booleans(),
    shortcut=st.booleans(),
    stages=mostly(st.integers(1, 4), st.sampled_from([0, -2, 1.5, True])),
    base_filters=COUNTS,
    rows=SIZES,
    columns=SIZES,
    channels=COUNTS,
    classes=COUNTS,
)
def test_build_cifar_refuses_what_an_oracle_refuses(
    depth, order, bottleneck, shortcut, stages, base_filters, rows, columns, channels, classes
):
    counts = (depth, stages, base_filters, rows, columns, channels, classes)
    bad = [value for value in counts if not positive(value)]
    bad += [] if order in FIGURE_4 else [order]
    if positive(stages):
        per_unit = stages * (3 if bottleneck else 2)
        bad += [] if depth in range(per_unit + 2, 1000, per_unit) else [depth]
        least = {1: 1, 2: 2, 3: 3, 4: 5}[stages]  # 5 -> 3 -> 2 -> 1: three halvings
        bad += [size for size in (rows, columns) if size < least]
    message = outcome(
        build_cifar,
        depth=depth,
        order=order,
        bottleneck=bottleneck,
        shortcut=shortcut,
        stages=stages,
        base_filters=base_filters,
        input_shape=(rows, columns, channels),
        classes=classes,
    )
    expect(bad, message)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    n=st.integers(1, 2),
    order=st.sampled_from(sorted(FIGURE_4)),
    bottleneck=st.booleans(),
    shortcut=st.booleans(),
    stages=st.integers(1, 3),
    base=st.integers(1, 5),
    shape=st.tuples(st.integers(3, 12), st.integers(3, 12), st.integers(1, 3)),
    classes=st.integers(1, 5),
)
def test_build_cifar_has_the_predicted_shape_and_count(
    n, order, bottleneck, shortcut, stages, base, shape, classes
):
    model = build_cifar(
        (3 if bottleneck else 2) * stages * n + 2,
        order=order,
        bottleneck=bottleneck,
        shortcut=shortcut,
        stages=stages,
        base_filters=base,
        input_shape=shape,
        classes=classes,
    )
    widths = [base * 2**stage for stage in range(stages)]
    wide = widths[-1] * (4 if bottleneck else 1)
    assert (model.input_shape, model.output_shape) == ((None, *shape), (None, classes))
    rows, columns = (-(-side // 2 ** (stages - 1)) for side in shape[:2])
    assert model.get_layer("global_pool").input.shape[1:] == (rows, columns, wide)
    expected = predicted_cifar(n, order, bottleneck, shortcut, widths, shape[2], classes)
    assert model.count_params() == expected


def predicted_cifar(n, order, bottleneck, shortcut, widths, channels, classes):
    """The same for He's family, norms counted in the sequences of figure 4."""
    before = base = widths[0]
    total = 9 * channels * base
    total += 4 * base if "stem_bn1" in AROUND[order] else 0
    for inner in widths:
        after = 4 * inner if bottleneck else inner
        for unit in range(n):
            if bottleneck:
                convolutions = [(before, inner, 1), (inner, inner, 9), (inner, after, 1)]
            else:
                convolutions = [(before, inner, 9), (inner, after, 9)]
            total += branch_parameters(
                before, convolutions, (FIGURE_4 if bottleneck else BASIC)[order]
            )
            changes = before != after or (unit == 0 and inner > base)
            if shortcut and changes:
                total += before * after + (4 * after if PROJECTIONS[order][1] else 0)
            before = after
    total += 4 * before if "final_bn1" in AROUND[order] else 0
    return total + (before + 1) * classes
