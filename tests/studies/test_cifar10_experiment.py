"""The command of the GPU experiment, with a stand-in for the Python that has PyTorch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_lesson.training import PRESETS, TrainingConfig

EXPERIMENT = Path(__file__).parents[2] / "experiments/cifar10"
# Ends one more run at each call, as torch_runs.py would if the time sufficed for one.
FAKE_TORCH = f"""#!{sys.executable}
import json, sys
from pathlib import Path

_, script, jobs, data, output, *seconds = sys.argv
assert Path(script).name == "torch_runs.py" and seconds == ["--seconds", "5.0"]
path = Path(output) / "runs.json"
runs = json.loads(path.read_bytes())["runs"] if path.exists() else []
runs.append({{"config": json.loads(Path(jobs).read_bytes())[len(runs)]}})
path.write_text(json.dumps({{"runs": runs}}), encoding="utf-8")
"""


@pytest.fixture
def call(tmp_path):
    """A function that gives the command its DATA, OUTPUT and other arguments."""
    (tmp_path / "cifar10.npz").touch()

    def run(*arguments, data="cifar10.npz"):
        command = [sys.executable, EXPERIMENT, tmp_path / data, tmp_path / "output", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    return run


def test_the_jobs_are_configurations_of_the_lesson(call, tmp_path):
    assert call("--jobs-only").returncode == 0
    jobs = json.loads((tmp_path / "output/jobs.json").read_bytes())
    configs = [TrainingConfig.from_json(job) for job in jobs]
    assert len(set(configs)) == len(configs) == 13
    assert configs[0] == PRESETS["cifar10-fast"]


def test_it_goes_on_with_the_runs_that_are_missing(call, tmp_path):
    torch = tmp_path / "torch"
    torch.write_text(FAKE_TORCH, encoding="utf-8")
    torch.chmod(0o755)
    for left in (12, 11):
        done = call("--torch", torch, "--seconds", "5")
        assert done.returncode == 1
        assert f"{left} of 13 runs have not ended" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "data", "message"),
    [
        ([], "cifar-10-batches-py", "DATA must be an .npz file"),
        (["--torch", "no-such-python"], "cifar10.npz", "--torch must be a Python with PyTorch"),
        (["--seconds", "many"], "cifar10.npz", "invalid float value: 'many'"),
    ],
)
def test_it_says_what_is_wrong(call, arguments, data, message):
    done = call(*arguments, data=data)
    assert done.returncode
    assert message in done.stderr
    assert "Traceback" not in done.stderr
