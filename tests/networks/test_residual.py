"""The residual module: the identity property, figure 4, the projections, what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
from figure_4 import FIGURE_4, KINDS, PROJECTIONS, branch_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import WIDTHS, expect, mostly, outcome, positive

from resnet_lesson import residual_module
from resnet_lesson.networks.layers import LayerMaker
from resnet_lesson.networks.residual import preactivation_bottleneck
from resnet_lesson.runtime import keras, set_seed


def module_model(order="full_preactivation", **options):
    image = keras.Input((6, 6, 8))
    return keras.Model(image, residual_module(image, 8, order=order, name="unit", **options))


def test_a_zero_branch_makes_the_module_the_identity():
    model = module_model()
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 8)).astype("float32")
    assert not np.array_equal(model(x, training=True), x)
    model.get_layer("unit_conv3").kernel.assign(np.zeros((1, 1, 2, 8)))
    assert np.array_equal(model(x, training=True), x)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filters", "stride", "reduce"), [(8, 1, False), (8, 1, True), (16, 2, True)]
)
def test_the_plain_lines_and_the_order_make_the_same_network(filters, stride, reduce):
    maker = LayerMaker("unit", -1, reg=1e-4, bn_epsilon=2e-5, bn_momentum=0.9)
    models = []
    for make in (
        lambda image: preactivation_bottleneck(image, filters, stride, reduce, maker),
        lambda image: residual_module(image, filters, stride, reduce=reduce, name="unit"),
    ):
        set_seed(3)
        image = keras.Input((6, 6, 8), name="image")
        models.append(keras.Model(image, make(image), name="module"))
    plain, ordered = models
    # Names, settings and connections of all layers.
    assert plain.get_config() == ordered.get_config()
    for one, other in zip(plain.get_weights(), ordered.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 8)).astype("float32")
    for training in (False, True):
        answers = [model(x, training=training).numpy() for model in models]
        assert answers[0].std() > 0.1
        np.testing.assert_array_equal(*answers)


def test_the_projection_takes_the_activated_tensor():
    image = keras.Input((6, 6, 8))
    model = keras.Model(image, residual_module(image, 16, reduce=True, name="unit"))
    assert model.get_layer("unit_projection").input is model.get_layer("unit_relu1").output


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("shortcut", [True, False])
def test_orders_are_those_of_figure_4(order, shortcut):
    layers = module_model(order, shortcut=shortcut).layers[1:]
    kinds = [KINDS[type(layer).__name__] for layer in layers]
    expected = FIGURE_4[order].split()
    assert kinds == [kind for kind in expected if shortcut or kind != "add"]


@pytest.mark.parametrize("order", FIGURE_4)
def test_the_projection_of_each_order(order):
    image = keras.Input((6, 6, 8), name="input")
    output = residual_module(image, 16, 2, reduce=True, order=order, name="unit")
    model = keras.Model(image, output)
    source, normed = PROJECTIONS[order]
    start = image if source == "input" else model.get_layer(f"unit_{source}").output
    assert model.get_layer("unit_projection").input is start
    assert ("unit_projection_bn" in [layer.name for layer in model.layers]) is normed
    end = model.get_layer("unit_projection_bn" if normed else "unit_projection").output
    assert any(tensor is end for tensor in model.get_layer("unit_add").input)
    # The stride is at the 3x3 convolution and at the projection, nowhere else.
    strides = {
        layer.name: layer.strides
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    }
    strided = {name for name, value in strides.items() if value == (2, 2)}
    assert strided == {"unit_conv2", "unit_projection"}


def test_a_pair_is_a_stride():
    image = keras.Input((7, 7, 4))
    for stride in (2, (2, 2), [2, 2]):
        assert residual_module(image, 8, stride, reduce=True).shape == (None, 4, 4, 8)


REFUSED = [
    ({"filters": 6}, "divisible by 4.*received 6"),
    ({"stride": 2}, "reduce=True.*stride=2"),
    ({"stride": (1, 2)}, "received .1, 2."),
    ({"filters": 16}, "8 channels, received filters=16"),
    ({"channel_axis": 1}, "channels first.*GPU.*channel_axis=1"),
    ({"channel_axis": True}, "channel_axis.*received True"),
    ({"filters": 0}, "filters.*received 0"),
    ({"filters": -8}, "filters.*received -8"),
    ({"filters": 8.0}, "filters.*received 8.0"),
    ({"stride": 0}, "stride.*received 0"),
    ({"stride": ()}, r"stride.*received \(\)"),
    ({"stride": (2, 2), "filters": 16}, "reduce=True.*stride=2"),
    ({"order": "preactivation"}, "order.*received 'preactivation'"),
    ({"order": None}, "order.*received None"),
    ({"reduce": "no"}, "reduce.*received 'no'"),
    ({"shortcut": 0}, "shortcut.*received 0"),
    ({"reg": "l2"}, "reg.*received 'l2'"),
    ({"bn_epsilon": 0}, "bn_epsilon.*received 0"),
    ({"name": "a/b"}, "name.*received 'a/b'"),
    ({"data": keras.Input((8,))}, r"data.*received shape \(None, 8\)"),
    ({"data": keras.Input((6, 6, None))}, "known channels.*None, 6, 6, None"),
    ({"channel_axis": 2}, "received 2"),
    ({"stride": 9, "reduce": True}, "stride of 9, received 6x6"),
]
IMAGE = keras.Input((6, 6, 8))  # made here, before layers are forbidden


@pytest.mark.usefixtures("no_gpu", "no_layer")
@pytest.mark.parametrize(("bad", "message"), REFUSED)
def test_impossible_input_is_refused_before_any_layer(bad, message):
    with pytest.raises(ValueError, match=message):
        residual_module(**({"data": IMAGE, "filters": 8} | bad))


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=1000)
@given(
    filters=WIDTHS,
    stride=mostly(st.integers(1, 3), st.sampled_from([0, -1, 1.5, (1, 2), (), True, 40])),
    side=st.integers(1, 12),
    channels=st.integers(1, 64),
    reduce=mostly(st.booleans(), st.sampled_from([0, "no", None])),
    shortcut=mostly(st.booleans(), st.sampled_from([1, "yes", None])),
    order=mostly(st.sampled_from(sorted(FIGURE_4)), st.sampled_from(["preactivation", None])),
)
def test_residual_module_refuses_what_an_oracle_refuses(
    filters, stride, side, channels, reduce, shortcut, order
):
    bad = [] if positive(filters) and filters % 4 == 0 else [filters]
    bad += [] if positive(stride) else [stride]
    bad += [flag for flag in (reduce, shortcut) if type(flag) is not bool]
    bad += [] if order in FIGURE_4 else [order]
    if not bad:
        bad += [side] if stride > side else []
        bad += [stride] if shortcut and not reduce and stride > 1 else []
        bad += [filters] if shortcut and not reduce and channels != filters else []
    image = SimpleNamespace(shape=(None, side, side, channels))
    message = outcome(
        residual_module,
        data=image,
        filters=filters,
        stride=stride,
        reduce=reduce,
        shortcut=shortcut,
        order=order,
    )
    expect(bad, message)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    quarter=st.integers(1, 6),
    stride=st.integers(1, 3),
    side=st.integers(3, 12),
    channels=st.integers(1, 24),
    order=st.sampled_from(sorted(FIGURE_4)),
    shortcut=st.booleans(),
)
def test_residual_module_has_the_predicted_shape_and_count(
    quarter, stride, side, channels, order, shortcut
):
    filters = 4 * quarter
    reduce = stride > 1 or channels != filters
    image = keras.Input((side, side, channels))
    out = residual_module(image, filters, stride, reduce=reduce, order=order, shortcut=shortcut)
    assert out.shape == (None, -(-side // stride), -(-side // stride), filters)
    convolutions = [(channels, quarter, 1), (quarter, quarter, 9), (quarter, filters, 1)]
    expected = branch_parameters(channels, convolutions, FIGURE_4[order])
    if shortcut and reduce:
        expected += channels * filters + (4 * filters if PROJECTIONS[order][1] else 0)
    assert keras.Model(image, out).count_params() == expected
