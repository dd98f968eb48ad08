"""What is done often leaves nothing behind: no widget, thread, figure, file or memory."""

import gc
import itertools
import threading
import tracemalloc

import comm
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import psutil
import pytest
import size
import subjects

from resnet_lesson import GradientExplorer, GradientMonitor, TrainingPanel
from resnet_lesson.gradients.history import HEAD, MEASURES
from resnet_lesson.gradients.tape import Tape
from resnet_lesson.runtime import keras
from resnet_lesson.widgets.frontend import LessonWidget
from resnet_lesson.widgets.panel.job import TrainingJob

pytestmark = pytest.mark.slow
PROCESS = psutil.Process()
OURS = (LessonWidget, ipywidgets.Layout, keras.Model, GradientMonitor, Tape, TrainingJob)


def left():
    """What of this process is counted."""
    gc.collect()
    objects = gc.get_objects()
    return {
        "widgets": len(ipywidgets.widgets.widget._instances),
        "comms": len(comm.get_comm_manager().comms),
        "targets": len(comm.get_comm_manager().targets),
        "objects": sum(isinstance(one, OURS) for one in objects),
        "threads": threading.active_count(),
        "figures": len(plt.get_fignums()),
        "files": PROCESS.num_fds(),
    }


def growth(act, count):
    """Bytes of the process that stay of each act: the median over twenty stretches of the second
    half of ``count`` acts.

    The first half fills caches and free lists. The allocator takes memory in steps, of which a few
    stretches have one; what stays of each act is in all of them.
    """
    half = count // 2
    done = np.unique(np.linspace(0, half - 1, 21).astype(int))
    for _ in range(half):
        act()
    used = []
    for at in range(half):
        if at in done:
            gc.collect()
            used.append(PROCESS.memory_info().rss)
        act()
    return np.median(np.diff(used) / np.diff(done))


def often(act, many, bound):
    """Do it so often: what is counted stays, and where that is often enough to see it, no act
    leaves as many bytes as ``bound``."""
    act()
    before = left()
    if size.LARGE:
        grown = growth(act, many)
        print(f"{grown:,.0f} bytes stay of each, and {bound:,.0f} would be too many")
        assert grown < bound
    else:
        for _ in range(size.times(many)):
            act()
    assert left() == before


def weight(make):
    """Bytes of what ``make`` returns, as Python counts them, and that itself."""
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], made
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", subjects.KINDS)
def test_widgets_that_are_closed_are_gone(kind):
    def act():
        widget = subjects.make(kind)
        widget._repr_mimebundle_()
        widget.close()

    act()
    each, one = weight(lambda: subjects.make(kind))
    one.close()
    del one
    often(act, 200, each / 10)


def test_an_explorer_whose_depth_changes_keeps_nothing():
    explorer = GradientExplorer(activation="relu")
    explorer._use_engine(explorer._load_engine())
    depths = itertools.cycle(np.random.default_rng(0).permutation(np.arange(1, 201)))

    def act():
        explorer.depth = next(depths)

    often(act, 2000, 8)  # a number of each curve would be more
    explorer.close()


def network():
    """A compiled model, x and y: six steps of eight."""
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    return model, random.standard_normal((48, 6)), random.integers(0, 3, 48)


def panel():
    return TrainingPanel({"one": network, "two": network}, batch_size=8)


def monitored():
    model, x, y = network()
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[GradientMonitor()])


def test_fits_of_new_networks_leave_none_of_them():
    """TensorFlow never frees the graph of a function that it has run, a plain fit's neither: what
    is ours is counted, and not the bytes of the process."""
    of_panel = panel()
    for act in (of_panel.run, monitored):
        act()
        before = left()
        for _ in range(size.times(60)):
            act()
        assert left() == before
    of_panel.close()


COLUMNS = HEAD + len(MEASURES) * 2  # of a row, for two kernels
AT_ONCE = 50  # steps


@pytest.mark.parametrize("drains", [False, True])
def test_a_monitor_keeps_the_records_that_it_promises_and_nothing_else(drains):
    model, x, y = network()
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=AT_ONCE)
    monitor, steps = GradientMonitor(), size.times(100_000)
    steps = max(AT_ONCE, steps // 50 // AT_ONCE * AT_ONCE)

    def act():
        x_all, y_all = np.resize(x, (8 * steps, 6)), np.resize(y, 8 * steps)
        model.fit(x_all, y_all, batch_size=8, shuffle=False, verbose=0, callbacks=[monitor])
        if drains:
            monitor.drain()

    # Pieces of memory leave gaps, but a second copy would be twice as much. Of what is drained, not
    # a number of each step stays.
    often(act, 50, 8 * steps if drains else 1.5 * 8 * COLUMNS * steps)
    if not drains:
        records = monitor.records
        kept = sum(records[name].nbytes for name in (*MEASURES, "step", "loss"))
        assert kept == 8 * (COLUMNS - 1) * len(records["step"])  # "broken" is text
