"""The explorer's traits: what goes in, what follows."""

import base64

import numpy as np
import pytest
import traitlets

from resnet_lesson import GradientExplorer, stack_gradients


def test_curve_is_the_engines_and_follows_each_trait():
    explorer = GradientExplorer(depth=5, activation="relu", initializer="he")
    settings = {"activation": "relu", "initializer": "he"}
    changes = {
        "depth": 7,
        "activation": "tanh",
        "initializer": "orthogonal",
        "normalization": True,
        "shortcut": True,
    }
    depth = 5
    for trait, value in changes.items():
        setattr(explorer, trait, value)
        depth = value if trait == "depth" else depth
        settings |= {trait: value} if trait != "depth" else {}
        expected = stack_gradients(depth, **settings).weight_gradient
        np.testing.assert_allclose(explorer.curve, np.log10(expected))
        assert str(depth) in explorer.status


def test_exact_zeros_are_said():
    explorer = GradientExplorer(depth=110)
    assert explorer.curve[0] == "zero"
    assert "exactly zero" in explorer.status


@pytest.mark.parametrize("setting", [{"depth": 0}, {"depth": 201}, {"activation": "cube"}])
def test_bad_settings_are_refused(setting):
    with pytest.raises(traitlets.TraitError, match=str(next(iter(setting.values())))):
        GradientExplorer(**setting)


def test_bundle_has_stable_words_and_a_picture():
    bundle, _ = GradientExplorer()._repr_mimebundle_()
    assert bundle["text/plain"] == (
        "GradientExplorer: 20 sigmoid layers, glorot weights: "
        "the gradient vanishes toward the input."
    )
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle
