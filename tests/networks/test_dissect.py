"""A network taken apart: its parts, put together again, are the network."""

import numpy as np
import pytest

from resnet_lesson import build_cifar
from resnet_lesson.networks.dissect import dissect, module_names
from resnet_lesson.runtime import set_seed

IMAGES = np.random.default_rng(0).random((4, 8, 8, 1), dtype=np.float32)


@pytest.fixture(params=[1, 3], ids=["one stage", "three stages"])
def stages(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["residual", "plain"])
def model(request, stages):
    set_seed(0)
    depth = 2 + 2 * 3 * stages
    return build_cifar(depth, shortcut=request.param, stages=stages, input_shape=(8, 8, 1))


@pytest.mark.slow
def test_the_parts_make_the_network(model, stages):
    parts = dissect(model)
    assert [module.name for module in parts.modules] == module_names(model)
    assert len(parts.modules) == 3 * stages
    h = parts.stem(IMAGES)
    for module in parts.modules:
        whole = module.whole(h)
        if model.name.startswith("resnet"):
            together = module.branch(h) + module.shortcut(h)
            np.testing.assert_allclose(together, whole, atol=1e-6)
        else:
            np.testing.assert_array_equal(module.branch(h), whole)
        h = whole
    np.testing.assert_allclose(parts.head(h), model(IMAGES), atol=1e-6)


@pytest.mark.slow
def test_the_parts_have_the_layers_of_the_network(model):
    parts = dissect(model)
    kernel = model.get_layer("stage1_unit2_conv1").kernel
    before = parts.modules[1].branch(parts.stem(IMAGES))
    kernel.assign(2 * kernel)
    assert np.abs(parts.modules[1].branch(parts.stem(IMAGES)) - before).max() > 1e-3


@pytest.mark.parametrize("stages", [3], indirect=True)
@pytest.mark.parametrize("model", [True], indirect=True)
def test_what_is_left_of_a_module_is_its_shortcut(model, stages):
    parts = dissect(model)
    h = parts.stem(IMAGES)
    np.testing.assert_array_equal(parts.modules[0].shortcut(h), h)
    projecting = parts.modules[3]
    assert projecting.name == "stage2_unit1"
    assert projecting.shortcut(h).shape == projecting.whole(h).shape == (4, 4, 4, 32)
