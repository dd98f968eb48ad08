"""The article's network: its counts, its calls, an independent transcription, what is refused."""

import numpy as np
import pytest
from article_network import network
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import COUNTS, SIZES, WIDTHS, expect, mostly, outcome, positive

from resnet_lesson import ResNet, build, residual_module
from resnet_lesson.runtime import keras, set_seed

EXAMPLE = (64, 64, 3, 200, (3, 4, 6), (64, 128, 256, 512))


@pytest.mark.slow
def test_the_articles_example():
    model = build(*EXAMPLE)
    kinds = [type(layer).__name__ for layer in model.layers]
    trainable = sum(weight.value.shape.num_elements() for weight in model.trainable_weights)
    assert (model.count_params(), trainable) == (2_265_748, 2_252_046)
    counts = [kinds.count(kind) for kind in ("Conv2D", "BatchNormalization", "Add")]
    assert counts == [43, 42, 13]
    assert model.name == "resnet"
    same = ResNet.build(*EXAMPLE)
    assert [layer.name for layer in same.layers] == [layer.name for layer in model.layers]


def test_the_articles_calls_run_as_they_stand():
    image = keras.Input((32, 32, 64))
    module = ResNet.residual_module(
        image, 128, (1, 1), -1, red=True, reg=0.0001, bnEps=2e-5, bnMom=0.9
    )
    assert module.shape == (None, 32, 32, 128)
    module = ResNet.residual_module(image, K=64, stride=(1, 1), chanDim=3, red=False)
    assert module.shape == (None, 32, 32, 64)
    model = ResNet.build(
        64, 64, 3, 10, (1, 1, 1), (8, 16, 32, 64), reg=0.0005, bnEps=3e-5, bnMom=0.8
    )
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {(norm.epsilon, norm.momentum) for norm in norms} == {(3e-5, 0.8)}
    assert float(model.get_layer("classifier").kernel_regularizer.l2) == pytest.approx(5e-4)
    assert ResNet.build.__doc__ == build.__doc__


def test_one_argument_is_spelt_one_way_and_unknown_ones_are_unknown():
    image = keras.Input((8, 8, 8))
    with pytest.raises(ValueError, match=r"reduce .*given once, received reduce=True and red=Fal"):
        ResNet.residual_module(image, 8, red=False, reduce=True)
    with pytest.raises(TypeError, match="multiple values for argument 'filters'"):
        ResNet.residual_module(image, 8, K=8)
    with pytest.raises(TypeError, match="unexpected keyword argument 'K'"):
        ResNet.build(*EXAMPLE[:-1], K=EXAMPLE[-1])
    for call in (lambda **given: residual_module(image, 8, **given), ResNet.residual_module):
        with pytest.raises(TypeError, match="unexpected keyword argument 'bnEpsilon'"):
            call(bnEpsilon=1e-5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'red'"):
        residual_module(image, 8, red=False)
    with pytest.raises(ValueError, match=r"bn_momentum must be .*received 2"):
        ResNet.build(*EXAMPLE, bnMom=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stages", "filters"),
    [((1, 1, 1), (4, 8, 16, 32)), ((2, 1, 2), (8, 8, 8, 8)), ((1, 3, 1), (6, 4, 24, 12))],
)
@pytest.mark.parametrize("training", [False, True])
def test_build_is_the_articles_function(stages, filters, training):
    set_seed(0)
    arguments = (64, 64, 3, 5, stages, filters)
    ours, theirs = build(*arguments), network(*arguments)
    random = np.random.default_rng(0)
    # Both models list branch and shortcut in their own order: pair the layers by what feeds them.
    for one, other in zip(in_order(ours), in_order(theirs), strict=True):
        # Every statistic of a norm far from the 1 and 0 it starts with, the variance positive.
        values = [0.5 + random.random(weight.shape) for weight in one.get_weights()]
        if isinstance(one, keras.layers.Conv2D):
            values = [random.standard_normal(weight.shape) * 0.2 for weight in one.get_weights()]
        one.set_weights(values)
        other.set_weights(values)
    x = random.standard_normal((4, 64, 64, 3)).astype("float32")
    answers = [model(x, training=training).numpy() for model in (ours, theirs)]
    assert np.ptp(answers[0]) > 1e-3
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-3, atol=1e-5)


def in_order(model):
    """The layers with weights: from the output back, the branch before the shortcut."""
    found, seen = [], set()

    def visit(tensor):
        layer = tensor._keras_history.operation
        if layer in seen:
            return
        seen.add(layer)
        for node in layer._inbound_nodes:
            for parent in node.input_tensors:
                visit(parent)
        if layer.weights:
            found.append(layer)

    visit(model.output)
    return found


@pytest.mark.slow
def test_names_say_the_place_and_repeat():
    first, second = ([layer.name for layer in build(*EXAMPLE).layers] for _ in range(2))
    assert first == second
    assert {"stage2_unit3_conv1", "stage3_unit1_projection", "stem_conv"} <= set(first)


@pytest.mark.usefixtures("channels_first", "no_gpu", "no_layer")
def test_build_on_a_cpu_refuses_keras_set_to_channels_first():
    with pytest.raises(ValueError, match=r"channels first.*GPU.*received channel_axis=1 on a CPU"):
        build(*EXAMPLE)


DEFAULTS = dict(width=8, height=8, depth=1, classes=2, stages=(1,), filters=(4, 8))
REFUSED = [
    ({"filters": (4, 6)}, "divisible by 4.*received 6"),
    ({"filters": (4, 8, 8)}, "received .4, 8, 8"),
    ({"stages": ()}, "non-empty.*received"),
    ({"stages": (0,)}, "positive integer, received 0"),
    ({"stages": 3}, "stages.*received 3"),
    ({"stages": (1, 1)}, r"2 stages need 3 filters, received \(4, 8\)"),
    ({"filters": ()}, r"filters.*received \(\)"),
    ({"filters": (0, 8)}, r"filters\[0\].*received 0"),
    ({"filters": (4, -8)}, r"filters\[1\].*received -8"),
    ({"depth": 0}, "depth.*received 0"),
    ({"height": -3}, "height.*received -3"),
    ({"width": 8.5}, "width.*received 8.5"),
    ({"width": 1}, "at least 2 pixels.*received 1"),
    (
        {"height": 4, "stages": (1, 1, 1), "filters": (4, 8, 8, 8)},
        "height must be at least 5 pixels to be halved 3 times, received 4",
    ),
    ({"reg": float("nan")}, "reg.*received nan"),
    ({"classes": True}, "received True"),
    ({"reg": -1}, "reg.*received -1"),
    ({"bn_momentum": 1}, "bn_momentum.*received 1"),
]


@pytest.mark.usefixtures("no_gpu", "no_layer")
@pytest.mark.parametrize(("bad", "message"), REFUSED)
def test_impossible_input_is_refused_before_any_layer(bad, message):
    with pytest.raises(ValueError, match=message):
        build(**(DEFAULTS | bad))


@pytest.mark.usefixtures("no_layer")
def test_the_guard_sees_a_layer():
    with pytest.raises(AssertionError, match="a layer was made"):
        build(**DEFAULTS)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=1000)
@given(
    width=SIZES,
    height=SIZES,
    depth=COUNTS,
    classes=COUNTS,
    stages=mostly(st.lists(COUNTS, min_size=1, max_size=5), st.just([])),
    stem=COUNTS,
    filters=st.lists(WIDTHS, max_size=5),
    same_length=mostly(st.just(True), st.just(False)),
)
def test_build_refuses_what_an_oracle_refuses(
    width, height, depth, classes, stages, stem, filters, same_length
):
    if same_length:  # else nearly every example fails by its lengths alone
        filters = (filters + [8] * len(stages))[: len(stages)]
    filters = (stem, *filters)
    stages = tuple(stages)
    bad = [value for value in (width, height, depth, classes) if not positive(value)]
    bad += [value for value in (*stages, *filters) if not positive(value)]
    bad += [value for value in filters[1:] if value % 4]
    bad += [] if stages else [stages]
    bad += [] if len(filters) == len(stages) + 1 else [filters]
    # Halve by the strides, rounding up, until one pixel is left with a halving still to come.
    for size in (width, height):
        left = size
        for _ in stages:
            bad += [size] if left < 2 else []
            left = -(-left // 2)
    message = outcome(
        build,
        width=width,
        height=height,
        depth=depth,
        classes=classes,
        stages=stages,
        filters=filters,
    )
    expect(bad, message)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=30)
@given(data=st.data())
def test_build_has_the_predicted_shape_and_count(data):
    stages = data.draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
    filters = [data.draw(st.integers(1, 5))]
    filters += [4 * data.draw(st.integers(1, 3)) for _ in stages]
    side = st.integers(2 ** (len(stages) - 1) + 1, 20)
    width, height = data.draw(side), data.draw(side)
    depth, classes = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
    model = build(width, height, depth, classes, stages, filters)
    assert model.input_shape == (None, height, width, depth)
    assert model.output_shape == (None, classes)
    assert model.count_params() == predicted(depth, classes, stages, filters)
    rows, columns = (-(-side // 2 ** len(stages)) for side in (height, width))
    assert model.get_layer("global_pool").input.shape[1:] == (rows, columns, filters[-1])


def predicted(depth, classes, stages, filters):
    """Parameters by hand: four a channel for each norm, no biases but the classifier's."""
    total = 4 * depth + 25 * depth * filters[0] + 4 * filters[0]
    before = filters[0]
    for units, after in zip(stages, filters[1:], strict=True):
        q = after // 4
        for unit in range(units):
            total += 4 * before + 8 * q + before * q + 9 * q * q + q * after
            total += before * after if unit == 0 else 0
            before = after
    return total + 4 * before + (before + 1) * classes
