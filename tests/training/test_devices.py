"""Two devices train the network that one trains."""

import subprocess
import sys

import pytest

from resnet_lesson import training
from resnet_lesson.training import TrainingConfig

# In float64, where nothing but rounding of another order may differ, and that by far less than a
# bit of float32: a ReLU's input near zero makes two float32 runs differ after a few steps.
CODE = """
import sys
from resnet_lesson.runtime import tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])

import dataclasses
from pathlib import Path
import numpy as np
from resnet_lesson import GradientMonitor, training
from resnet_lesson.runtime import keras
from resnet_lesson.training import TrainingConfig, model as models

keras.config.set_floatx("float64")
made = models.network
models.network = lambda *given: made(*given[:3], "float64")
config = TrainingConfig(depth=8, epochs=2, batch_size=128, padding=1, flip=False)
runs, monitors = {}, {}
for devices in ("one", "all"):
    monitors[devices] = GradientMonitor()
    folder = Path(sys.argv[1]) / devices
    runs[devices] = training.train(
        config, folder, devices=devices, monitor=monitors[devices], verbose=False
    )
one, both = (runs[devices].model.get_weights() for devices in ("one", "all"))
worst = max(np.abs(a - b).max() for a, b in zip(one, both, strict=True))
assert worst < 1e-5, worst
for name in ("gradient_norm", "weight_norm", "update_ratio", "loss"):
    expected, got = (monitors[devices].records[name] for devices in ("one", "all"))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
assert runs["all"].record["hardware"].startswith("2 devices: CPU")
assert runs["all"].record["test_accuracy"] == runs["one"].record["test_accuracy"]
# What two devices began, one goes on with.
longer = dataclasses.replace(config, epochs=2)
again = training.train(longer, Path(sys.argv[1]) / "all", resume=True, verbose=False)
for a, b in zip(again.model.get_weights(), both, strict=True):
    np.testing.assert_array_equal(a, b)
try:
    odd = dataclasses.replace(config, batch_size=127)
    training.train(odd, Path(sys.argv[1]) / "odd", devices="all", verbose=False)
except ValueError as error:
    assert str(error) == "batch_size must be a multiple of the 2 devices, received 127"
else:
    raise AssertionError("127 images were shared by two")
"""


@pytest.mark.slow
def test_two_devices_train_the_network_of_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_another_word_is_refused(tmp_path):
    with pytest.raises(ValueError, match="devices must be one of one, all, received 'two'"):
        training.train(TrainingConfig(), tmp_path / "run", devices="two")
    assert not (tmp_path / "run").exists()
