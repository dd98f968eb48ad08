"""Bundle the widgets' JavaScript and CSS into the module and the style sheet that each ships.

``make bundles`` calls it. What Python and JavaScript both need is written first, from Python; then
the engine of the page: its C compiled to WebAssembly, its worker, and the digits.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from resnet_lesson import plots
from resnet_lesson.data import load
from resnet_lesson.gradients.history import MEASURES
from resnet_lesson.widgets.builder import widget as builder
from resnet_lesson.widgets.explorer import guesses
from resnet_lesson.widgets.explorer import widget as explorer
from resnet_lesson.widgets.panel import job

ROOT = Path(__file__).parent.parent
WIDGETS = ROOT / "resnet_lesson/widgets"
NAMES = ("builder", "explorer", "lesions", "panel", "race")
# Beside the Python that runs this, as requirements-dev.txt installs it.
NODE = Path(sys.executable).with_name("node")
ESBUILD = ROOT / "node_modules/esbuild/bin/esbuild"
ENGINE = WIDGETS / "engine"
# The compiler and what a page can be expected to have: 128-bit vectors, and no system below.
COMPILER = (sys.executable, "-m", "ziglang", "cc", "--target=wasm32-wasi", "-mexec-model=reactor")
COMPILED = ("-O2", "-msimd128", "-Wall", "-Wl,--no-entry", "-Wl,--strip-all")
FUSED = "-mrelaxed-simd"  # a product and its addition in one instruction, where a browser can
NOTE = (
    "Bundled by `make bundles` from the files beside this one, in chart and in engine: read those."
)
OPTIONS = (
    *("--bundle", "--charset=utf8", "--target=es2023", "--log-level=warning"),
    *("--loader:.gz=base64", "--loader:.txt=text"),
)


def constants():
    """What stands on both sides, from where Python has it."""
    return {
        "explorer": {
            "setting": explorer.grid.SETTING,
            "guessed": guesses.GUESSED,
            "without_bn": explorer.WITHOUT_BN,
            "traits": explorer.TRAITS,
            "layers": explorer.LAYERS,
            "words": explorer.WORDS,
            "choices": explorer.CHOICES,
            "most": explorer.grid.load()["most"],
            "decades": guesses.MAX_DECADES,
            "file": guesses.FILE,
            "defaults": explorer.DEFAULTS,
        },
        "order": builder.EXAMPLE["order"],
        "odd": plots.PALETTE[1].lower(),
        "panel": {"measures": MEASURES, "live": job.LIVE},
    }


def networks():
    """What the builder has from Python."""
    return {
        "names": list(builder.EXAMPLE),
        "example": builder.EXAMPLE,
        "most": builder.MOST,
        "orders": {name: order._asdict() for name, order in builder.orders.ORDERS.items()},
    }


def generated():
    """The text of each file that is made from Python, by its name in ``chart``."""
    made = {"constants.json": constants(), "networks.json": networks()}
    return {name: json.dumps(content, indent=2) + "\n" for name, content in made.items()}


def compiled(name, *options, real="float"):
    """The bytes of this C file of the engine as WebAssembly, with ``real`` for its numbers.

    ``name`` may also be the path of a file that includes the engine's, without its ``.c``.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "program.wasm"
        given = [*COMPILED, *options, "-I.", f"-DREAL={real}"]
        subprocess.run([*COMPILER, *given, "-o", output, f"{name}.c"], cwd=ENGINE, check=True)
        return output.read_bytes()


def both(name):
    """The fused program and the plain one, which costs next to nothing once they are packed."""
    fused = compiled(name, FUSED)
    return len(fused).to_bytes(4, "little") + fused + compiled(name)


def digits():
    """The training digits as bytes: 64 pixels each, from 0 to 16, then all labels."""
    data = load("digits")
    return (16 * data.x_train).astype(np.uint8).tobytes() + data.y_train.astype(np.uint8).tobytes()


def engine():
    """The bytes of each file that the engine ships, by its name."""
    workers = {
        f"{name}.txt": esbuild(str(ENGINE / f"{name}.js"), "--format=iife", "--minify").encode()
        for name in ("worker", "race_worker")
    }
    return workers | {
        "stack.wasm.gz": gzip.compress(both("stack"), mtime=0),
        # One program, which is fast enough: the same seed is the same race in every browser.
        "race.wasm.gz": gzip.compress(compiled("race"), mtime=0),
        "digits.gz": gzip.compress(digits(), mtime=0),
    }


def esbuild(*arguments):
    """Run esbuild; what it prints.

    Raises:
        SystemExit: it is not installed, or refuses.
    """
    if not (ESBUILD.exists() and NODE.exists()):
        raise SystemExit("esbuild is missing: `make bundles` installs it")
    done = subprocess.run(
        [NODE, ESBUILD, *OPTIONS, *arguments], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def script(*modules):
    """What these modules of the widgets export, as a script that defines it in ``exported``."""
    with tempfile.TemporaryDirectory() as folder:
        entry = Path(folder) / "entry.js"
        lines = [f"export * from {json.dumps(str(WIDGETS / module))};\n" for module in modules]
        entry.write_text("".join(lines), encoding="utf-8")
        return esbuild(str(entry), "--format=iife", "--global-name=exported")


def bundle(folder, *options):
    """Write the bundles of all widgets below ``folder``."""
    entries = [
        f"{name}/bundle={WIDGETS / name / name}.{kind}" for name in NAMES for kind in ("js", "css")
    ]
    banners = [f"--banner:{kind}=/* {NOTE} */" for kind in ("js", "css")]
    esbuild(*entries, *banners, f"--outdir={folder}", "--minify", "--format=esm", *options)


def main():
    for name, text in generated().items():
        (WIDGETS / "chart" / name).write_text(text, encoding="utf-8")
    for name, content in engine().items():
        (ENGINE / name).write_bytes(content)
    bundle(WIDGETS)


if __name__ == "__main__":
    main()
