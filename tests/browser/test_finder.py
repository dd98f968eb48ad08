"""Which browser the tests take, and what they say where there is none."""

import subprocess

import browser as finder
import pytest


def test_a_browser_that_cannot_start_is_not_taken(tmp_path):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    broken.chmod(0o755)
    assert not finder.runs(broken)
    assert not finder.runs(tmp_path / "nothing")


def test_without_any_browser_it_says_what_to_do(monkeypatch):
    tried = []
    monkeypatch.setattr(finder, "find", lambda: None)
    monkeypatch.setattr(subprocess, "run", lambda command, **options: tried.append(command))
    with pytest.raises(SystemExit, match="apt install chromium"):
        finder.install()
    assert tried[0][-2:] == ["install", "chromium"]
