"""What a signal does to the process of a command, whatever becomes of the exception."""

import signal

import kills
import pytest

from resnet_lesson import stopping
from resnet_lesson.__main__ import main

BEGIN = """
import os, signal, time
from resnet_lesson import stopping

def come(name):
    os.kill(os.getpid(), getattr(signal, name))

stopping.listen()
stopping.announce("goodbye")
"""
# Each ends what BEGIN begins; "late" is written where it must not come to.
ENDS = {
    "at once": "come('SIGTERM'); print('late')",
    "put away": """
try:
    with stopping.working():
        try:
            come('SIGTERM')
        finally:
            come('SIGINT'); come('SIGTERM')  # impatience does not disturb what is put away
            sys.stderr.write('away ')
except KeyboardInterrupt:
    stopping.finish()
    come('SIGTERM')
    sys.stderr.write('and all is said\\n')
    sys.exit(128 + stopping.received())
""",
    "lost": """
with stopping.working():
    while True:
        try:
            come('SIGTERM') if not stopping.received() else time.sleep(60)
        except KeyboardInterrupt as error:
            if not caught:
                caught.append(1)
                continue
            os._exit(99)
""",
    "another exception": """
try:
    with stopping.working():
        try:
            come('SIGTERM')
        except KeyboardInterrupt:
            raise ImportError('of a library in C')
except KeyboardInterrupt:
    sys.stderr.write('goodbye\\n')
    sys.exit(128 + stopping.received())
""",
    "held back": """
try:
    with stopping.working(), stopping.held_back():
        come('SIGTERM')
        sys.stderr.write('all of it ')
except KeyboardInterrupt:
    sys.stderr.write('goodbye\\n')
    sys.exit(128 + stopping.received())
""",
    "in a destructor": """
class Closing:
    def __del__(self):
        come('SIGTERM')

try:
    with stopping.working():
        Closing()
        time.sleep(60)
except KeyboardInterrupt:
    sys.stderr.write('goodbye\\n')
    sys.exit(128 + stopping.received())
""",
}
SAID = {
    "put away": (143, "away and all is said\n"),
    "lost": (99, ""),
    "held back": (143, "all of it goodbye\n"),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_signal_is_never_lost_and_disturbs_nothing(how):
    process = kills.start("-c", f"{BEGIN}\nimport sys\ncaught = []\n{ENDS[how]}")
    assert kills.end(process) == SAID.get(how, (143, "goodbye\n"))


def test_who_ignores_signals_goes_on_ignoring_them():
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + BEGIN
    assert kills.end(kills.start("-c", f"{code}\ncome('SIGINT')")) == (0, "")


def test_in_a_program_of_others_signals_do_what_they_did(monkeypatch, tmp_path):
    def handlers():
        return [signal.getsignal(number) for number in stopping.SIGNALS]

    before, meanwhile = handlers(), []

    def make():
        meanwhile.extend(handlers())
        return {}

    monkeypatch.setattr("resnet_lesson.widgets.explorer.grid.make", make)
    main(["grid", "--output", str(tmp_path / "grid.json")])
    assert before == meanwhile == handlers()
    assert stopping.received() == 0
