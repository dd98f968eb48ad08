"""A folder of guesses, as a class hands them in."""

import shutil
from pathlib import Path

from resnet_lesson.widgets.explorer import guesses

GIVEN = Path(__file__).parents[1] / "old_files" / "first_edition" / "guesses"


def test_the_folder_may_begin_at_home_and_what_is_hidden_in_it_is_passed_over(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = Path(shutil.copytree(GIVEN, tmp_path / "class"))
    (folder / "._guess.json").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "guess-checkpoint.json").write_text("{}", encoding="utf-8")
    assert [guess["end"] for guess in guesses.read("~/class")] == [-12.5]
