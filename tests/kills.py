"""How often tests stop a program from outside, how they see its end, and the record of that."""

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from resnet_lesson.files import json_table

# `make stress` asks for more, and only then a record is written.
KILLS = int(os.environ.get("KILLS", "3"))
RECORDS = Path(__file__).parent / "stress"


def start(*arguments):
    """A process with a group of its own, which heeds Ctrl-C also where the tests do not."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def end(process):
    """Its exit code and its stderr, when all processes that it started have ended, too."""
    _, said = process.communicate(timeout=300)
    wait_for_end_of(process.pid)
    return process.returncode, said


def wait_for_end_of(group):
    for _ in range(600):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise TimeoutError("a process of the group is still there")


def left_over(folder):
    """The names of partial files and locks in a folder, which may not exist yet."""
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    return [name for name in names if ".part." in name or name.endswith(".lock")]


def keep(name, what, kills, same):
    """Write the record of these kills: a dict each; ``same`` is the verdict at the end."""
    if "KILLS" not in os.environ:
        return
    from resnet_lesson.backend import device_name, versions

    table = {
        "what": what,
        "command": "make stress",
        "date": datetime.date.today().isoformat(),
        "hardware": device_name(),
        "versions": versions(),
        "ended_bit_for_bit_as_if_never_stopped": same,
        "kills": kills,
    }
    RECORDS.mkdir(exist_ok=True)
    (RECORDS / f"{name}.json").write_text(json_table(table, "kills"), encoding="utf-8")


def record(name):
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
