"""What a reported number depends on, how it is summed up, and the table it goes into."""

import datetime
import json
import os
import platform
import re
import sys
import time
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
QUIET = 0.5  # load average of a minute above which others are at work
PATIENCE = 180  # seconds in which what came just before may fade from the average


def summary(values):
    """Median and 95th percentile of a list of milliseconds."""
    return {
        "median": round(float(np.median(values)), 3),
        "p95": round(float(np.quantile(values, 0.95)), 3),
        "count": len(values),
    }


def shown(figures):
    """In words, with three digits or more."""
    median, late = (f"{v:,.{1 if v < 100 else 0}f}" for v in (figures["median"], figures["p95"]))
    return f"{median} ms (p95 {late})"


def cores():
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def cpu():
    """The processor's own name, where the system tells."""
    try:
        found = re.search(
            r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8")
        )
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def device():
    return {"cpu": cpu(), "cores": cores(), "system": platform.system()}


def wait_for_quiet(anyway):
    """The load average once it is low; others at work would be in the figures.

    Raises:
        SystemExit: it stays high, and nobody asked to go on anyway.
    """
    until = time.monotonic() + (0 if anyway else PATIENCE)
    while (load := os.getloadavg()[0]) > QUIET:
        if time.monotonic() < until:
            time.sleep(5)
            continue
        message = f"THE MACHINE IS NOT QUIET: load average {load:.2f}, over {QUIET}"
        if not anyway:
            raise SystemExit(f"{message}. Stop what else runs, or pass --anyway.")
        print(f"{message}; the figures will be off.", file=sys.stderr, flush=True)
        break
    return round(load, 2)


def today():
    return datetime.date.today().isoformat()


def write(name, measured, parts):
    """Put a part into the record, and make the table anew; ``parts`` names all in order."""
    path = FOLDER / "results.json"
    held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    held[name] = measured
    results = {part: held[part] for part in parts if part in held}
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    page = FOLDER / "README.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n".join(table(part, one) for part, one in results.items())
    page.write_text(f"{before}{BEGIN}\n{tables}{END}{after}", encoding="utf-8")


def table(name, measured):
    """Markdown: what, where and when, then a row a figure."""
    device = measured["device"]
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    lines = [
        f"**{name.title()}**: {measured['date']}, {device['cpu']}, {device['cores']} cores, "
        f"{device['system']}; load average before it {measured['load_average']}; {versions}.",
        "",
        "| what | figure | target | met |",
        "|---|---|---|---|",
    ]
    words = {True: "yes", False: "**no**", None: ""}
    for what, figure, target, met in measured["rows"]:
        lines.append(f"| {what} | {figure} | {target} | {words[met]} |")
    return "\n".join(lines) + "\n"
