"""The README's Python runs as it stands, one block after the other."""

import dataclasses
import re
from pathlib import Path

import pytest

from resnet_lesson import training

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_code_of_the_readme_runs(tmp_path, monkeypatch):
    """Only the training is cut short."""
    short = dataclasses.replace(training.PRESETS["digits"], depth=8, epochs=1, warmup_epochs=0.0)
    monkeypatch.setitem(training.PRESETS, "digits", short)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    assert len(blocks) >= 8
    names = {}
    for block in blocks:
        exec(compile(block, f"README.md: {block.splitlines()[0]}", "exec"), names)
    assert names["model"].name.startswith("resnet")
    assert names["monitor"].first_bad is None
    assert (tmp_path / "runs/mine/model.weights.h5").exists()
    assert not names["exercises"].leaky.judge(names["deviation"]).right
    assert len(names["record"]["train_accuracy"]) == len(names["record"].runs) > 0
