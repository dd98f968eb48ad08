"""What docs/security.md says: nothing listens beyond this machine, and what is written where."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from ipaddress import ip_address
from pathlib import Path

import clones
import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
PATIENCE = 60  # s
STUDY = """
import sys
from toy_study import slow_measure, study
from resnet_lesson.studies import run
if __name__ == "__main__":
    run(study(slow_measure, seeds=8), *sys.argv[1:2], scheduler=(sys.argv[2:] or [None])[0])
"""
# Keeps the names of all machines that a process looks for.
ASKING = """
import os, sys
def keep(event, arguments):
    if event == "socket.getaddrinfo":
        with open(os.environ["ASKED"], "a") as file:
            print(arguments[0], file=file)
sys.addaudithook(keep)
"""


def listening(root):
    """The addresses at which this process and those that it has started await anybody."""
    found = set()
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                for each in process.net_connections(kind="inet"):
                    awaits = each.status == psutil.CONN_LISTEN or each.type == socket.SOCK_DGRAM
                    found |= {(each.laddr.ip, each.laddr.port)} if awaits else set()
    return found


def outside(addresses):
    """Those of them that other machines reach."""
    return {each for each in addresses if not ip_address(each[0]).is_loopback}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def started(command, home, privileges=(), **options):
    """A process of a user whose home, temporary folder and working directory lie in ``home``."""
    for name in ("home", "temporary", "here"):
        (home / name).mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(clones.PLACES)}
    own = {"HOME": str(home / "home"), "TMPDIR": str(home / "temporary")}
    code = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    environment = kept | own | code | options.pop("env", {})
    with (home / "log").open("ab") as log:
        process = psutil.Popen(
            [*privileges, *map(str, command)],
            **({"cwd": home / "here"} | options),
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except psutil.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=20)


def wait_for(condition, log):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, log.read_text(encoding="utf-8", errors="replace")
        time.sleep(0.1)
    return found


def ended(process, log):
    """All addresses at which a process listened until its end, which was a good one."""
    found = set()
    end = time.monotonic() + PATIENCE
    while process.poll() is None:
        assert time.monotonic() < end, log.read_text(encoding="utf-8", errors="replace")
        found |= listening(process)
        time.sleep(0.02)
    assert process.returncode == 0, log.read_text(encoding="utf-8", errors="replace")
    return found


def written(folder):
    """The files in a folder, and the folders in which nothing is."""
    paths = [path for path in folder.rglob("*") if path.is_file() or not any(path.iterdir())]
    return {path.relative_to(folder).as_posix() for path in paths}


def undocumented(folder):
    """What was written into the home and the temporary folder, and no row of the page names it."""
    temporary = ("__pycache__", "dask-scratch-space")
    assert all(f"`{name}`" in PAGE for name in temporary)
    named = {"home": tuple(re.findall(r"`~/([^`]+)`", PAGE)), "temporary": temporary}
    return {
        f"{place}: {path}"
        for place, names in named.items()
        for path in written(folder / place)
        if not path.startswith(names)
    }


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_door_that_is_open_is_seen(host, kind):
    with socket.socket(type=kind) as door:
        door.bind((host, 0))
        if kind == socket.SOCK_STREAM:
            door.listen()
        address = door.getsockname()
        found = listening(psutil.Process())
    assert address in found
    assert (address in outside(found)) == (host == "0.0.0.0")


def test_a_training_listens_nowhere_and_writes_where_the_page_says(tmp_path):
    short = ["--depth", "8", "--epochs", "1", "--warmup-epochs", "0"]
    command = [sys.executable, "-m", "resnet_lesson", "train", *short]
    with started(command, tmp_path) as training:
        assert ended(training, tmp_path / "log") == set()
    folders = {path.rpartition("/")[0] for path in written(tmp_path / "here")}
    assert folders == {"runs/digits"}
    assert ".keras/keras.json" in written(tmp_path / "home")
    assert undocumented(tmp_path) == set()


def test_a_study_on_this_machine_listens_nowhere(tmp_path):
    with started([sys.executable, "-c", STUDY, "results"], tmp_path) as study:
        journal = tmp_path / "here/results/toy.journal"
        wait_for(lambda: journal.exists() and journal.stat().st_size, tmp_path / "log")
        assert len(study.children(recursive=True)) >= 2
        assert ended(study, tmp_path / "log") == set()
    assert written(tmp_path / "here") == {"results/toy.json"}
    assert undocumented(tmp_path) == set()


@pytest.fixture
def strange_clone(tmp_path):
    """A clone in a folder of a strange name that cannot be written to, with an environment."""
    clone = tmp_path / clones.STRANGE
    clones.copy(clone, clones.tracked("notebooks", "resnet_lesson", "pyproject.toml", "Makefile"))
    environment = [sys.executable, "-m", "venv", "--without-pip", ".venv"]
    subprocess.run(environment, cwd=clone, check=True)
    (packages,) = clone.glob(".venv/lib/*/site-packages")
    (packages / "these.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    (packages / "sitecustomize.py").write_text(ASKING, encoding="utf-8")
    clones.make_read_only(clone / "notebooks")
    clone.chmod(0o555)
    yield clone
    clone.chmod(0o755)
    clones.make_writable(clone / "notebooks")


def test_make_lab_listens_to_this_machine_alone_in_a_folder_of_any_name(tmp_path, strange_clone):
    """One that cannot be written to, too; and it asks nobody for news or newer versions."""
    flags = "--no-browser --allow-root --IdentityProvider.token=secret"
    # The environment is there, and make shall not look into it.
    command = ["make", "-o", ".venv/.lesson-ready", "lab", f"LAB_ARGS={flags}"]
    environment = {
        "PYTHONPATH": str(strange_clone),
        "JUPYTERLAB_DIR": str(Path(sys.prefix, "share/jupyter/lab")),
        "ASKED": str(tmp_path / "asked"),
    }

    def address():
        """Where the server says that it is."""
        for path in tmp_path.glob("home/**/jpserver-*.json"):
            with contextlib.suppress(ValueError):  # half written
                return json.loads(path.read_text(encoding="utf-8"))["url"]

    def ask(path, data=None):
        request = urllib.request.Request(server + path, data, {"Authorization": "token secret"})
        return urllib.request.urlopen(request, timeout=PATIENCE).read()

    log = tmp_path / "log"
    options = {"cwd": strange_clone, "env": environment}
    with started(command, tmp_path, clones.without_roots_privileges(), **options) as lab:
        server = wait_for(address, log)
        assert b'"news": {"disabled": true}' in ask("lab")
        ask("lab/api/update")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{server}api/kernels", timeout=PATIENCE)
        kernel = json.loads(ask("api/kernels", b'{"name": "python3", "path": "notebooks"}'))
        (connection,) = tmp_path.glob(f"home/**/kernel-{kernel['id']}.json")
        assert connection.stat().st_mode & 0o077 == 0  # it has the key of what a kernel takes
        assert json.loads(connection.read_text(encoding="utf-8"))["key"]
        client = BlockingKernelClient(connection_file=str(connection))
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        said = []
        reply = client.execute_interactive(
            "import resnet_lesson; print(resnet_lesson.__file__)",
            output_hook=lambda message: said.append(message["content"].get("text", "")),
            timeout=PATIENCE,
        )
        client.stop_channels()
        found = listening(lab)
    assert reply["content"]["status"] == "ok"
    assert "".join(said).strip() == str(strange_clone / "resnet_lesson/__init__.py")
    assert len(found) > 5  # the server's, and five of the kernel
    assert outside(found) == set()
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split()
    assert {*asked} <= {"127.0.0.1", "localhost", "None", socket.gethostname()}
    assert written(tmp_path / "home")
    assert undocumented(tmp_path) == set()


def documented(section, command):
    """A command of the page, as it stands below a heading."""
    below = PAGE.partition(f"### {section}\n")[2].partition("\n##")[0]
    (line,) = re.findall(rf"^    ({command} .+)$", below, re.MULTILINE)
    return line


def as_run(line, scheduler, *more):
    """A documented command of this environment, at ports of its own."""
    line = line.replace("SCHEDULER", "127.0.0.1").replace("127.0.0.1:8786", scheduler)
    line = line.replace("127.0.0.1:8787", "127.0.0.1:0").replace("--nworkers -1", "--nworkers 2")
    _, *words = shlex.split(line)
    return [sys.executable, "-m", "dask", *words, *more]


@contextlib.contextmanager
def cluster(section, home, *more, **options):
    """The scheduler and workers of the page, and the address for a study."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    scheduler = as_run(documented(section, "dask scheduler"), address, f"--port={port}", *more)
    workers = as_run(documented(section, "dask worker"), address, *more)
    log = home / "log"
    with (
        started(scheduler, home, **options) as first,
        started(workers, home, **options) as second,
    ):
        wait_for(lambda: b"Starting established connection" in log.read_bytes(), log)
        wait_for(lambda: len(second.children(recursive=True)) >= 2, log)
        protocol = "tls" if "tls" in documented(section, "dask scheduler") else "tcp"
        yield first, second, f"{protocol}://{address}"


def test_a_cluster_started_as_documented_listens_to_this_machine_alone(tmp_path):
    with cluster("On one machine", tmp_path) as (scheduler, workers, address):
        with started([sys.executable, "-c", STUDY, "results", address], tmp_path) as study:
            own = ended(study, tmp_path / "log")
        doors = {each: listening(each) for each in (scheduler, workers)}
    assert (tmp_path / "here/results/toy.json").exists()
    assert len(doors[scheduler]) == 2  # and its dashboard
    assert len(doors[workers]) == 2 * 3  # of each: itself, its page and its nanny
    assert outside(doors[scheduler] | doors[workers] | own) == set()
    assert undocumented(tmp_path) == set()


def test_readme_and_help_give_the_same_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("dask scheduler", "dask worker", "python -m resnet_lesson study"):
        assert documented("On one machine", command) in readme
    told = subprocess.run(
        [sys.executable, "-m", "resnet_lesson", "study", "--help"],
        env={**os.environ, "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"`{documented('On one machine', 'dask scheduler')}`" in told.stdout
    assert "docs/security.md" in told.stdout


def certificate(folder):
    """A pair of certificate and key as the page makes it, and the page's settings for it."""
    folder.mkdir()
    (make,) = re.findall(r"^    (openssl .+)$", PAGE, re.MULTILINE)
    subprocess.run(shlex.split(make), cwd=folder, check=True, capture_output=True)
    (settings,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    settings = settings.replace("/path/to", str(folder))
    (folder / "lesson.yaml").write_text(settings, encoding="utf-8")
    return {"DASK_CONFIG": str(folder)}


def test_with_a_certificate_nobody_else_gets_in(tmp_path):
    ours = certificate(tmp_path / "ours")
    another = certificate(tmp_path / "another")
    none = {"DASK_CONFIG": str(tmp_path / "none")}
    log, here = tmp_path / "log", ("--host=127.0.0.1",)
    with cluster("On several machines", tmp_path, *here, env=ours) as (_, _, address):

        def gets_in(protocol, settings):
            asks = address.replace("tls", protocol)
            code = f"from distributed import Client; Client({asks!r}, timeout=5)"
            with started([sys.executable, "-c", code], tmp_path, env=settings) as client:
                return client.wait(timeout=PATIENCE) == 0

        assert gets_in("tls", ours)
        assert not gets_in("tls", another)
        assert not gets_in("tls", none)
        assert not gets_in("tcp", none)
        command = [sys.executable, "-c", STUDY, "results", address]
        with started(command, tmp_path, env=ours) as study:
            ended(study, log)
    assert (tmp_path / "here/results/toy.json").exists()
