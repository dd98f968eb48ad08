"""What a class needs on a JupyterHub: memory and cores, with as many kernels as memory holds.

All kernels start at once. Each runs every code cell of notebook 1, one after the other without a
pause, and its browser is played here: it says hello to each explorer, and then moves the slider of
the last one once a second. Their number doubles up to a class, or to what free memory holds.

A hub also gives each learner a server; a few are measured by themselves.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import psutil
import record

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "notebooks/01_vanishing_gradients.ipynb"
PAGE = ROOT / "docs/teachers.md"
MARKS = ("<!-- hub: begin -->", "<!-- hub: end -->")
LEARNERS = 30  # a class; no more kernels are started
FIRST_CELLS = 300  # seconds in which a class runs all cells
# Of the machine's memory, what is never used: the larger of a share and of bytes.
RESERVE_SHARE, RESERVE = 0.15, 2e9
CHANGES, PAUSE = 10, 1.0  # of the slider: how many, and seconds from one to the next
DEPTHS = range(20, 101)  # of the slider, as the walk through the questions goes
SETTLE, SAMPLE, LOOK = 5.0, 1.0, 0.25  # seconds: until at rest, between readings, of free memory
LONGEST = 1800  # seconds that one number of kernels may take
SERVERS = 4
MB, GB = 1e6, 1e9


class NoRoomError(Exception):
    """Free memory fell under the reserve."""


def reserve(total):
    """Bytes that stay free on a machine of ``total`` bytes."""
    return max(RESERVE_SHARE * total, RESERVE)


def following(count, each, free, most=LEARNERS):
    """How many kernels to try after ``count``, or None.

    Args:
        each: bytes that one of them took.
        free: bytes that may be used, without the reserve.
    """
    fits = min(2 * count, int(free // each), most)
    return fits if fits > count else None


def line(counts, values):
    """(what each adds, what is there without any) by least squares; through zero for one count."""
    if len(set(counts)) < 2:
        return values[0] / counts[0], 0.0
    slope, start = np.polyfit(counts, values, 1)
    return float(slope), float(start)


def spread(values, unit=1.0, digits=1):
    """Median and worst."""
    found = {"median": float(np.median(values)), "worst": max(values)}
    return {name: round(value / unit, digits) for name, value in found.items()}


def memory(pid):
    """Bytes of a process: as Pss a shared page counts in part, as Uss not, as Rss in full."""
    found = psutil.Process(pid).memory_full_info()
    return {kind: getattr(found, kind) for kind in ("pss", "uss", "rss")}


def in_all(processes):
    """Bytes of processes of one kind together: what they share is there once."""
    shared = max((one["rss"] - one["uss"] for one in processes), default=0)
    return sum(one["uss"] for one in processes) + shared


def cpu_seconds(pid):
    """That a process and those that it has waited for took until now."""
    return sum(psutil.Process(pid).cpu_times()[:4])


class Learner:
    """A kernel in a folder of its own, and what a browser would say to it."""

    def __init__(self, number, home):
        from jupyter_client import AsyncKernelManager

        self.random = random.Random(number)
        self.folder = Path(home, str(number))
        self.folder.mkdir()
        self.manager = AsyncKernelManager(kernel_name="python3")
        self.explorers = {}  # by comm, whether it hides its curve
        self.client = None

    async def start(self):
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "IPYTHONDIR": str(self.folder / "ipython"),
        }
        await self.manager.start_kernel(
            cwd=str(self.folder),
            env=environment,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self.manager.provisioner.pid
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=LONGEST)

    async def run(self, cells):
        """Run cell after cell; CPU seconds since the kernel began, when all have run."""
        for cell in cells:
            await self._until_idle(self.client.execute(cell))
        return cpu_seconds(self.pid)

    async def _until_idle(self, asked):
        while True:
            message = await self.client.get_iopub_msg(timeout=LONGEST)
            kind, content = message["msg_type"], message["content"]
            if kind == "comm_open" and "guessing" in content["data"]["state"]:
                self.explorers[content["comm_id"]] = content["data"]["state"]["guessing"]
                self._say(content["comm_id"], {"method": "custom", "content": "hello"})
            elif message["parent_header"].get("msg_id") != asked:
                continue
            elif kind == "error":
                raise RuntimeError(f"a cell fails: {content['ename']}: {content['evalue']}")
            elif kind == "status" and content["execution_state"] == "idle":
                return

    async def drag(self):
        """Move the slider now and then: milliseconds until each change has its curve, CPU seconds.

        Learners are not in step with each other.
        """
        explorer = [comm for comm, hides in self.explorers.items() if not hides][-1]
        before, taken = cpu_seconds(self.pid), []
        start = time.perf_counter() + self.random.uniform(0, PAUSE)
        for turn, depth in enumerate(self.random.sample(DEPTHS, CHANGES)):
            await asyncio.sleep(max(0, start + turn * PAUSE - time.perf_counter()))
            asked = time.perf_counter()
            state = {"method": "update", "state": {"depth": depth}, "buffer_paths": []}
            self._say(explorer, state)
            await self._until_curve(explorer, depth)
            taken.append(1000 * (time.perf_counter() - asked))
        return taken, cpu_seconds(self.pid) - before

    async def _until_curve(self, explorer, depth):
        while True:
            message = await self.client.get_iopub_msg(timeout=LONGEST)
            content = message["content"]
            if message["msg_type"] != "comm_msg" or content["comm_id"] != explorer:
                continue
            curve = content["data"].get("state", {}).get("curve")  # an echo has none
            if curve and curve["setting"]["depth"] == depth:
                return

    def _say(self, comm, data):
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self.client.shell_channel.send(message)

    async def end(self):
        if self.client:
            self.client.stop_channels()
        if self.manager.has_kernel:
            await self.manager.shutdown_kernel(now=True)


class Watch:
    """Reads memory while kernels run.

    Raises:
        NoRoomError: free memory falls under the reserve.
    """

    def __init__(self, learners):
        self.learners = learners
        self.before = self.least = psutil.virtual_memory().available
        self.kept = reserve(psutil.virtual_memory().total)
        self.readings = []  # for each, by process, its memory

    async def go_on(self):
        due = 0
        while True:
            self.look()
            if time.monotonic() >= due:
                await asyncio.to_thread(self.read)
                due = time.monotonic() + SAMPLE
            await asyncio.sleep(LOOK)

    def look(self):
        """Bytes in use that were not before."""
        free = psutil.virtual_memory().available
        self.least = min(self.least, free)
        if free < self.kept:
            raise NoRoomError(f"{free / GB:.1f} GB are free, and {self.kept / GB:.1f} stay free")
        return self.before - free

    def read(self):
        found = {}
        for learner in self.learners:
            with contextlib.suppress(AttributeError, psutil.Error):  # not there yet
                found[learner.pid] = memory(learner.pid)
        self.readings.append(found)
        return found

    def highest(self, kind):
        """Bytes of each process at its own highest."""
        pids = self.readings[-1]
        return [max(found[pid][kind] for found in self.readings if pid in found) for pid in pids]


async def together(count, cells, home):
    """Figures of so many kernels at once.

    Raises:
        ExceptionGroup: of a NoRoomError, where they do not fit, or of what else failed.
    """
    learners = [Learner(number, home) for number in range(count)]
    watch = Watch(learners)
    try:
        async with asyncio.timeout(LONGEST), asyncio.TaskGroup() as group:
            watching = group.create_task(watch.go_on())
            started = time.perf_counter()

            async def all_cells(learner):
                await learner.start()
                return await learner.run(cells)

            cpu = await asyncio.gather(*map(all_cells, learners))
            wall = time.perf_counter() - started
            dragged = await asyncio.gather(*(learner.drag() for learner in learners))
            await asyncio.sleep(SETTLE)
            rest = list(watch.read().values())
            used = watch.look()
            watching.cancel()
    finally:
        await asyncio.gather(*(each.end() for each in learners), return_exceptions=True)
    return {
        "rest_mb": {
            **{kind: spread([one[kind] for one in rest], MB) for kind in rest[0]},
            "machine": round(used / count / MB, 1),
        },
        "peak_mb": {
            **{kind: spread(watch.highest(kind), MB) for kind in rest[0]},
            "machine": round((watch.before - watch.least) / count / MB, 1),
        },
        "together_gb": round(max(in_all(found.values()) for found in watch.readings) / GB, 3),
        "wall_s": round(wall, 1),
        "cpu_s": spread(cpu),
        "slider_ms": record.summary([ms for taken, _ in dragged for ms in taken]),
        "slider_cpu_s": spread([seconds for _, seconds in dragged], digits=2),
    }


def ladder():
    """Figures by the number of kernels, and why there are no more."""
    import nbformat

    notebook = nbformat.read(NOTEBOOK, nbformat.current_nbformat)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    found, count = {}, 1
    while count:
        print(f"{count} kernels", flush=True)
        free = psutil.virtual_memory()
        with tempfile.TemporaryDirectory() as home:
            try:
                one = asyncio.run(together(count, cells, home))
            except ExceptionGroup as failed:
                if not (full := failed.subgroup(NoRoomError)):
                    raise
                return found, f"{count} were too many: {full.exceptions[0]}"
        print("   ", json.dumps(one), flush=True)
        found[str(count)] = one
        each = MB * max(one["peak_mb"]["machine"], one["peak_mb"]["pss"]["median"])
        count = following(count, each, free.available - reserve(free.total))
    full = str(LEARNERS) in found
    return found, "a class" if full else "more would not leave the reserve free"


def servers():
    """Memory and CPU of JupyterLab's server, which a hub starts for each learner."""
    sys.path.insert(0, str(ROOT / "tools"))
    import lab

    before = set(psutil.Process().children())
    with contextlib.ExitStack() as stack:
        for _ in range(SERVERS):
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(lab.serving(home, sys.executable, home))
        time.sleep(SETTLE)
        pids = [each.pid for each in set(psutil.Process().children()) - before]
        found, cpu = [memory(pid) for pid in pids], [cpu_seconds(pid) for pid in pids]
    return {f"{kind}_mb": spread([one[kind] for one in found], MB) for kind in found[0]} | {
        "cpu_s": spread(cpu)
    }


def derived(kernels, server):
    """What a class needs, by lines through the measured numbers of kernels.

    The machine's memory has the system's own for each kernel, and that of others who are at work;
    the larger of the two lines counts.
    """
    counts = [int(count) for count in kernels]
    lines = {
        "processes": [one["together_gb"] for one in kernels.values()],
        "machine": [
            count * one["peak_mb"]["machine"] * MB / GB
            for count, one in zip(counts, kernels.values(), strict=True)
        ],
    }
    each = server["pss_mb"]["median"] * MB / GB
    cpu = max(one["cpu_s"]["median"] for one in kernels.values()) + server["cpu_s"]["median"]
    found = {}
    for name, values in lines.items():
        slope, start = line(counts, values)
        found[name] = {
            "each_gb": round(slope, 3),
            "start_gb": round(start, 3),
            "class_gb": round(start + LEARNERS * (slope + each), 1),
        }
    return found | {
        "learners": LEARNERS,
        "memory_gb": max(found[name]["class_gb"] for name in lines),
        "cpu_s": round(cpu, 1),
        "cores": round(LEARNERS * cpu / FIRST_CELLS, 1),
    }


def rows(figures):
    """The table's rows: what, figure, target, met."""
    for count, one in figures["kernels"].items():
        name = f"{count} kernel{'s' if count != '1' else ''} at once"
        for when, words in (("peak_mb", "at its peak"), ("rest_mb", "at rest")):
            pss, uss = one[when]["pss"], one[when]["uss"]
            figure = f"{pss['median']:.0f} MB (worst {pss['worst']:.0f}); private "
            figure += f"{uss['median']:.0f}; the machine's, for each, {one[when]['machine']:.0f}"
            yield f"{name}: memory of each {words}, as Pss", figure, "", None
        cpu = one["cpu_s"]
        yield (
            f"{name}: until all have run notebook 1",
            f"{one['wall_s']:.0f} s; CPU seconds of each {cpu['median']} (worst {cpu['worst']})",
            "",
            None,
        )
        figure = f"{record.shown(one['slider_ms'])}; CPU seconds of each "
        figure += f"{one['slider_cpu_s']['median']:.2f} for {CHANGES} changes"
        yield f"{name}: from a move of the slider to its curve, in all", figure, "", None
    server, found, has = figures["server"], figures["derived"], figures["memory"]
    yield (
        f"JupyterLab's server, {SERVERS} at once: memory of each at rest, as Pss",
        f"{server['pss_mb']['median']:.0f} MB (worst {server['pss_mb']['worst']:.0f}); private "
        f"{server['uss_mb']['median']:.0f}; CPU seconds {server['cpu_s']['median']}",
        "",
        None,
    )
    figure = f"{has['total_gb']} GB, {has['reserve_gb']} of them kept free; {figures['ended']}"
    yield "the machine's memory, and why there are no more kernels", figure, "", None
    for name, words in (("processes", "what the kernels held"), ("machine", "the machine's")):
        one = found[name]
        yield (
            f"derived, by a line through {words}: {LEARNERS} learners, a server and a kernel each",
            f"{one['class_gb']} GB: {one['start_gb']}, and {one['each_gb']} for each kernel",
            "",
            None,
        )
    yield (
        f"derived: {LEARNERS} learners who run all cells within {FIRST_CELLS / 60:.0f} minutes",
        f"{found['cores']} cores: {found['cpu_s']} CPU seconds each",
        "",
        None,
    )


def noisy(load):
    """A sentence, where the machine was not quiet."""
    if load <= record.QUIET:
        return ""
    return f" Before it the machine's load was {load:.1f}, so the times may be a little too long."


def told(measured):
    """What the teachers' page says of the figures."""
    figures, device = measured["figures"], measured["device"]
    found, kernels, server = figures["derived"], figures["kernels"], figures["server"]
    most = max(kernels, key=int)
    cores = math.ceil(found["cores"])
    alone = (kernels["1"]["peak_mb"]["rss"]["worst"] + server["rss_mb"]["worst"]) / 1000
    shown = {
        "memory of each, with its part of what all share": lambda one, count: (
            f"{1000 * one['together_gb'] / count:.0f} MB"
        ),
        "of it, shared with nobody": lambda one, _: f"{one['peak_mb']['uss']['median']:.0f} MB",
        "the same, at rest": lambda one, _: f"{one['rest_mb']['uss']['median']:.0f} MB",
        "until all have run the notebook": lambda one, _: f"{one['wall_s']:.0f} s",
        "computing time of each": lambda one, _: f"{one['cpu_s']['median']:.0f} s of one core",
        "from a move of the slider to its curve": lambda one, _: (
            f"{one['slider_ms']['median']:.0f} ms"
        ),
        "the same, of the slowest one in twenty": lambda one, _: (
            f"{one['slider_ms']['p95']:.0f} ms or more"
        ),
    }
    table = [f"| | one kernel | {most} kernels at once |", "|---|---|---|"]
    for words, show in shown.items():
        cells = (show(kernels[count], int(count)) for count in ("1", most))
        table.append(f"| {words} | {' | '.join(cells)} |")
    return "\n\n".join(
        (
            wrapped(
                f"**For {LEARNERS} learners a hub needs about {math.ceil(found['memory_gb'])} GB "
                f"of memory. It needs {cores} cores, or more.** What its system and its own "
                "programs take comes on top. Both numbers are derived; the table was measured:"
            ),
            "\n".join(table),
            wrapped(
                f"It was measured on {measured['date']} on an {device['cpu']} under "
                f"{device['system']}, with {device['cores']} cores and "
                f"{figures['memory']['total_gb']:.0f} GB of memory."
                f"{noisy(measured['load_average'])} The memory of a class is on a line through "
                "all numbers of kernels that were tried, "
                f"where each learner adds {1000 * larger(found)['each_gb']:.0f} MB for a kernel "
                f"and {server['pss_mb']['median']:.0f} MB for a server. The cores are the "
                f"computing time of {LEARNERS} kernels and servers, spread over the first "
                f"{FIRST_CELLS / 60:.0f} minutes of a class. If all learners run everything in one "
                f"moment, they wait: about {at_once(found, cores)} s on that many cores, and about "
                f"{at_once(found, 4 * cores)} s on four times as many. This is derived, too."
            ),
            wrapped(
                f"A limit of {math.ceil(12.5 * alone) / 10:.1f} GB for each learner leaves some "
                "room, where one notebook is open at a time. A kernel and its server whose "
                f"libraries nobody else has loaded hold {alone:.1f} GB."
            ),
        )
    )


def larger(found):
    """The line that counts."""
    return max(found["processes"], found["machine"], key=lambda one: one["class_gb"])


def at_once(found, cores):
    """Seconds in which so many cores do what a class asks for."""
    return round(found["learners"] * found["cpu_s"] / cores)


def wrapped(words):
    """As the page's other lines."""
    return textwrap.fill(words, 110, break_long_words=False, break_on_hyphens=False)


def tell(measured):
    """Put it there."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    text = f"{before}{MARKS[0]}\n{told(measured)}\n{MARKS[1]}{after}"
    PAGE.write_text(text, encoding="utf-8")


def main():
    """(figures, versions, rows of the table)."""
    from resnet_lesson.runtime import versions

    total = psutil.virtual_memory().total
    kernels, ended = ladder()
    if not kernels:
        raise SystemExit(f"not one kernel fits into this machine's memory: {ended}")
    print("servers", flush=True)
    server = servers()
    figures = {
        "memory": {
            "total_gb": round(total / GB, 1),
            "reserve_gb": round(reserve(total) / GB, 1),
        },
        "kernels": kernels,
        "ended": ended,
        "server": server,
        "derived": derived(kernels, server),
    }
    table = list(rows(figures))
    for row in table:
        print("   ", *row, sep=" | ", flush=True)
    found = {name: versions()[name] for name in ("python", "tensorflow", "keras")}
    names = ("ipykernel", "jupyterlab")
    return figures, found | {name: importlib.metadata.version(name) for name in names}, table


if __name__ == "__main__":
    main()
