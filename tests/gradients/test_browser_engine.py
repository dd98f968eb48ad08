"""The engine of the page, given the kernel's weights, agrees with the kernel.

It agrees within a thousandth, or within four times what one last bit of the inputs does to the
kernel, whichever is more: where the kernel itself does not know a digit, nobody can agree on it.
Its twin of 64 bits, from the same C, agrees with the NumPy version.
"""

import json
import random
import subprocess
from pathlib import Path

import bundle
import numpy as np
import page_programs
import pytest
from test_stacks import FIGURE_4, exact, material

from resnet_lesson.gradients import stacks
from resnet_lesson.runtime import tf

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[1] / "javascript/agreement.js"
QUANTITIES = ("weight_gradient", "signal_gradient", "signal")
CASES = 80
PADDED = 16  # columns of the read-out in the page


def cases():
    """Settings of all kinds, drawn with a fixed seed; the deep ones more often."""
    draw = random.Random(35)
    for _ in range(CASES):
        shortcut = draw.random() < 0.5
        yield {
            "depth": draw.choice((1, 2, 3, 7, 20, 50, 100, 100, 143, 200)),
            "activation": draw.choice(list(stacks.ACTIVATIONS)),
            "initializer": draw.choice(stacks.INITIALIZERS),
            "normalization": draw.random() < 0.5,
            "shortcut": shortcut,
            "order": draw.choice(list(FIGURE_4)),
            "seed": draw.choice((0, 0, 1, 77)),
            "shortcut_only": shortcut and draw.random() < 0.25,
        }


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = page_programs.written(tmp_path_factory.mktemp("programs"), "stack")
    both = (folder / "float").read_bytes()
    end = 4 + int.from_bytes(both[:4], "little")
    (folder / "fused").write_bytes(both[4:end])
    (folder / "plain").write_bytes(both[end:])
    return folder


@pytest.fixture(scope="module")
def every():
    """Each case and the kernel's result."""
    return [(options, stacks.stack_gradients(**options)) for options in cases()]


def in_the_page(programs, folder, program, every):
    """The norms (3, depth) of each case and its result, as the page computes them."""
    real = "double" if program == "double" else "float"
    written = []
    for number, (options, result) in enumerate(every):
        here = folder / str(number)
        here.mkdir()
        readout = np.pad(result.readout, ((0, 0), (0, PADDED - stacks.CLASSES)))
        for name in ("weights", "inputs", "labels"):
            getattr(result, name).astype(np.float64).tofile(here / name)
        readout.astype(np.float64).tofile(here / "readout")
        case = {"folder": str(here), "setting": options | {"kind": "dense"}}
        written.append(case | {"shortcut_only": options["shortcut_only"]})
    file = folder / "cases.json"
    file.write_text(json.dumps(written), encoding="utf-8")
    command = [bundle.NODE, SCRIPT, programs / program, file, programs / "digits", real]
    said = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    norms = [json.loads(line) for line in said.splitlines()]
    assert len(norms) == len(written)
    return [np.array(each, dtype=float) for each in norms]


def nudged(options):
    """The kernel's norms (3, depth), each of its inputs moved by one last bit, up or down.

    Many times: a unit that stands at the kink of its ReLU opens in a few of them only.
    """
    shapes = ((64, 64),)
    of_layer = stacks._steps(options["order"], options["normalization"], options["shortcut"], 1)
    flags = (options["shortcut"], options["shortcut_only"])
    differentiate = stacks._compiled(shapes, 128, options["activation"], of_layer, *flags)
    _, (inputs, *rest) = stacks._arguments(shapes, options["initializer"], 128, options["seed"])
    draw = np.random.default_rng(0)
    for _ in range(24):
        directions = draw.choice(np.array([-np.inf, np.inf], np.float32), inputs.shape)
        moved = np.nextafter(inputs.numpy(), directions)
        norms, _ = differentiate(tf.constant(options["depth"]), tf.constant(moved), *rest)
        yield norms.numpy()[: options["depth"]].T


def decades(one, other):
    """How far norms lie apart; none where neither has a logarithm, for the same reason."""
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(np.log10(one) - np.log10(other))
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    return np.where(same, 0, np.where(np.isnan(apart), np.inf, apart))


@pytest.mark.parametrize("program", ["fused", "plain"])
def test_with_the_kernels_weights_it_agrees_with_the_kernel(programs, tmp_path, every, program):
    alike = 0
    for (options, result), page in zip(
        every, in_the_page(programs, tmp_path, program, every), strict=True
    ):
        kernel = np.array([getattr(result, name) for name in QUANTITIES])
        apart = decades(page, kernel).max()
        alike += apart <= 1e-3
        if apart > 1e-3:
            # As soon as one nudge does so much, the others need not be tried.
            assert any(apart <= 4 * decades(kernel, other).max() for other in nudged(options))
    assert alike > 0.8 * len(every)  # the rule is not one that lets everything pass


def test_its_twin_of_64_bits_agrees_with_numpy(programs, tmp_path, every):
    some = every[:40]
    apart = []
    for (options, result), page in zip(
        some, in_the_page(programs, tmp_path, "double", some), strict=True
    ):
        named = {
            "act": options["activation"],
            "norm": options["normalization"],
            "shortcut": options["shortcut"],
            "order": options["order"],
            "cut": options["shortcut_only"],
        }
        inputs, labels, weights, readout = material(result)
        with np.errstate(over="ignore", invalid="ignore"):
            _, by_weight, by_signal, rms, _ = exact(inputs, labels, weights, readout, **named)
        norms = [[np.linalg.norm(each) for each in by] for by in (by_weight, by_signal)]
        wanted = np.array([*norms, rms])
        seen = (wanted > 1e-100) & (wanted < 1e100)
        apart.append(decades(page[seen], wanted[seen]).max())
    assert np.max(apart) < 1e-4  # batch normalisation without shortcuts stretches rounding so far
    assert np.median(apart) < 1e-9
