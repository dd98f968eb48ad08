"""A training's life behind a panel: one start, its messages, what it is given, its end."""

import gc
import itertools
import json
import sys
import threading
import time
import types
from typing import Any

import numpy as np
import pytest
from ipywidgets import Widget
from test_panel import BATCH, DEADLINE, STEPS, Frames, network, panel_of, steps, until

from resnet_lesson import TrainingPanel
from resnet_lesson.runtime import keras
from resnet_lesson.widgets.panel import job, recording
from resnet_lesson.widgets.panel import widget as module

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """No thread of a test ends with an unhandled error, and none is left."""
    unhandled = []
    monkeypatch.setattr(threading, "excepthook", unhandled.append)
    yield
    assert unhandled == []
    assert fits() == []


def fits():
    return [one.name for one in threading.enumerate() if one.name.startswith("fit ")]


@pytest.fixture
def slow(monkeypatch):
    """TensorFlow's import, as long as a test wants it: two events, started and go."""
    events = types.SimpleNamespace(started=threading.Event(), go=threading.Event())

    def load(name):
        events.started.set()
        assert events.go.wait(DEADLINE)

    monkeypatch.setattr(job, "importlib", types.SimpleNamespace(import_module=load))
    return events


def browser(panel, *commands):
    """The browser's commands, in a thread of JupyterLab's own."""

    def send():
        for command in commands:
            panel._on_message(panel, command, [])

    thread = threading.Thread(target=send)
    thread.start()
    return thread


# ---------------------------------------------------------------- starts


def counted(made):
    """A maker that counts in a list."""

    def make():
        made.append(threading.current_thread().name)
        return network()()

    return make


def test_a_second_start_is_refused_while_tensorflow_is_imported(slow):
    made = []
    panel = TrainingPanel({"one": counted(made)}, epochs=1, batch_size=BATCH)
    frames = Frames(panel)
    first = browser(panel, "start")
    assert slow.started.wait(DEADLINE)
    assert panel.state == "building"
    for start in (panel.start, panel.run):
        with pytest.raises(RuntimeError, match=r"a training is under way \(building\)"):
            start()
    browser(panel, "start", "hello").join(DEADLINE)
    assert [frame["state"] for frame in frames] == ["building"] * 3
    assert panel.record() == {"runs": []}
    with pytest.raises(TimeoutError):
        panel.wait(0.01)
    slow.go.set()
    first.join()
    panel.wait(DEADLINE)
    assert made == ["fit one"]
    assert panel.state == "finished"
    assert {frame["training"] for frame in frames} == {1}


def test_of_three_starts_at_once_one_trains():
    made, refused = [], []
    panel = TrainingPanel({"one": counted(made)}, epochs=1, batch_size=BATCH)

    def start():
        together.wait()
        try:
            panel.start()
        except RuntimeError as error:
            refused.append(str(error))

    for count in range(1, 6):
        together = threading.Barrier(3)
        starts = [threading.Thread(target=start) for _ in range(3)]
        for thread in starts:
            thread.start()
        for thread in starts:
            thread.join()
        panel.wait(DEADLINE)
        assert (len(made), len(refused)) == (count, 2 * count)
        assert steps(panel) == [STEPS]


@pytest.mark.parametrize("error", [ImportError("no TensorFlow"), KeyboardInterrupt()])
def test_a_start_that_fails_leaves_the_panel_startable(monkeypatch, error):
    panel = panel_of("left", "right", epochs=1)
    frames = Frames(panel)

    def fail(name):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(job, "importlib", types.SimpleNamespace(import_module=fail))
        with pytest.raises(type(error)):
            panel.start()
    assert panel.state == frames[-1]["state"] == "failed"
    assert frames[-1]["error"].startswith(type(error).__name__)
    panel.run()
    assert panel.state == "finished"
    assert steps(panel) == [STEPS, STEPS]


def test_where_the_system_has_no_more_threads_the_start_fails_whole(monkeypatch):
    panel, begin = panel_of("left", "right", epochs=10_000), threading.Thread.start

    def start(thread):
        if thread.name == "fit right":
            raise RuntimeError("can't start new thread")
        begin(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            panel.start()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        panel.wait(DEADLINE)
    assert panel.state == "failed"
    panel._arguments["epochs"] = 1
    panel.run()
    assert panel.state == "finished"


def test_what_is_pressed_while_tensorflow_is_imported_is_obeyed(slow):
    made = []
    panel = TrainingPanel({"one": counted(made)}, epochs=1, batch_size=BATCH)
    for command, ends in (("stop", "stopped"), ("pause", "paused")):
        slow.started.clear()
        slow.go.clear()
        first = browser(panel, "start")
        assert slow.started.wait(DEADLINE)
        browser(panel, command).join(DEADLINE)
        slow.go.set()
        first.join()
        until(lambda ends=ends: panel.state == ends, ends)
        assert made == []
    panel.resume()
    panel.wait(DEADLINE)
    assert steps(panel) == [STEPS]


def test_a_start_as_soon_as_one_has_ended_is_a_training_of_its_own(monkeypatch):
    panel = panel_of("left", "right", epochs=1)
    frames, end = Frames(panel), panel._end

    def slowly():
        threading.Event().wait(0.1)
        end()

    monkeypatch.setattr(panel, "_end", slowly)
    for training in range(1, 4):
        panel.start()
        until(lambda: not panel.active, "the end")
        # Over is over: with the last words, and for all who ask.
        assert frames[-1]["state"] == panel.state == "finished"
        assert panel.runs == panel.record()["runs"] == frames[-1]["runs"]
        assert steps(panel) == [STEPS, STEPS]
        assert frames[-1]["training"] == training
    numbers = [frame["training"] for frame in frames]
    assert numbers == sorted(numbers)


def test_an_observer_of_the_end_may_start_the_next_training():
    panel = panel_of("one", epochs=1)
    frames, over = Frames(panel), threading.Event()

    def again(change):
        panel.unobserve(again, "runs")
        panel.start()
        over.set()

    panel.observe(again, "runs")
    panel.start()
    assert over.wait(DEADLINE)
    panel.wait(DEADLINE)
    ends = [frame["training"] for frame in frames if frame["state"] == "finished"]
    assert ends == [1, 2]
    numbers = [frame["training"] for frame in frames]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("where", ["maker", "callback"])
def test_a_training_neither_starts_nor_awaits_itself(where):
    said, made = [], network()

    def call():
        for act in (panel.start, panel.run, panel.wait):
            with pytest.raises(RuntimeError) as raised:
                act()
            said.append(str(raised.value))

    def make():
        model, x, y = made()
        if where == "maker":
            call()
        calls = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: call())
        return model, {"x": x, "y": y, "callbacks": [calls] if where == "callback" else None}

    panel = TrainingPanel({"one": make}, epochs=1, batch_size=BATCH)
    panel.run()
    assert panel.state == "finished"
    word = {"maker": "building", "callback": "training"}[where]
    assert said[:2] == [f"a training is under way ({word}): stop it first"] * 2
    assert said[2] == "a training cannot wait for its own end"


# ---------------------------------------------------------------- its messages


def test_it_answers_at_every_moment_of_its_life():
    answered: list[str] = []

    def make():
        model, x, y = network()()
        waits = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: until_asked())
        return model, {"x": x, "y": y, "callbacks": [waits]}

    def until_asked():
        before = len(answered)
        until(lambda: len(answered) > before + 1, "a question that came later")

    panel = TrainingPanel({"left": make, "right": make}, epochs=4, batch_size=BATCH)
    frames, states = Frames(panel), set()

    def ask():
        panel._on_message(panel, "hello", [])
        states.add(frames[-1]["state"])
        states.add(panel.state)
        for run in panel.record()["runs"]:
            panel.norms(run["name"], "gradient_norm", zoom=True)
        panel.pause()
        panel.resume()
        panel._repr_mimebundle_()
        answered.append(panel.state)
        time.sleep(0.02)  # else the trainings hardly get a turn at Python's lock

    ask()
    panel.start()
    while panel.active:
        ask()
    ask()
    panel.wait()
    assert {"ready", "building", "training", "finished"} <= states
    assert panel.state == "finished"
    assert steps(panel) == [4 * STEPS] * 2
    for frame in frames:
        assert frame["left"] is None or frame["left"] >= 0


def test_it_answers_while_fit_prepares_its_data():
    preparing, go, made = threading.Event(), threading.Event(), network()

    class Data(keras.utils.PyDataset):
        """Of a length that is asked for before Keras says how many steps there are."""

        def __init__(self, x, y):
            super().__init__()
            self.x, self.y = x, y

        def __len__(self):
            preparing.set()
            assert go.wait(DEADLINE)
            return STEPS

        def __getitem__(self, index):
            batch = slice(index * BATCH, (index + 1) * BATCH)
            return self.x[batch], self.y[batch]

    def make():
        model, x, y = made()
        return model, {"x": Data(x, y), "batch_size": None}

    panel = TrainingPanel({"one": make}, epochs=1)
    frames = Frames(panel)
    panel.start()
    assert preparing.wait(DEADLINE)
    said = len(frames)
    browser(panel, "hello", "pause", "resume").join()
    assert [frame["state"] for frame in frames[said:]] == ["building", "pausing", "building"]
    assert frames[-1]["left"] is None
    go.set()
    panel.wait(DEADLINE)
    assert panel.state == "finished"


def test_the_time_left_counts_the_epochs_that_are_left():
    made = network()

    def make():
        model, x, y = made()
        return model, {"x": x, "y": y, "initial_epoch": 3}

    panel = TrainingPanel({"one": make}, epochs=5, batch_size=BATCH)
    panel.run()
    (run,) = panel.runs
    assert run["steps"] == run["total"] == 2 * STEPS


def test_the_epochs_that_are_left_are_those_of_a_backup(tmp_path):
    """Keras goes on at the epoch of the backup, whatever ``initial_epoch`` is."""
    stop = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: 1 / (3 - epoch))

    def panel(*callbacks):
        made = network()

        def make():
            model, x, y = made()
            backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
            return model, {"x": x, "y": y, "callbacks": [backup, *callbacks]}

        return TrainingPanel({"one": make}, epochs=5, batch_size=BATCH)

    with pytest.raises(ZeroDivisionError):
        panel(stop).run()
    resumed = panel()
    resumed.run()
    (run,) = resumed.runs
    assert run["steps"] == run["total"] == 2 * STEPS


# ---------------------------------------------------------------- its end


def held_in_its_maker(panel):
    """Have the panel's one maker say that it is called, and wait for leave: two events."""
    inside, go = threading.Event(), threading.Event()

    def make():
        inside.set()
        assert go.wait(DEADLINE)
        return network()()

    panel._makers = {"one": make}
    return inside, go


def test_a_stopped_training_leaves_no_iterator_to_a_later_one():
    """TensorFlow takes up to a minute to free one that was left for so long."""
    panel = panel_of("left", "right", epochs=10_000)
    gc.collect()
    gc.disable()
    try:
        others = iterators()
        panel.start()
        until(lambda: min(steps(panel)[1:], default=0) > STEPS, "steps")
        in_use = iterators() - others
        panel.stop()
        panel.wait(DEADLINE)
        left = iterators() - others
    finally:
        gc.enable()
    assert in_use != set()
    assert left == set()


def iterators():
    """The ids of all in this process: some test may have left one."""
    return {id(one) for one in gc.get_objects() if type(one).__name__ == "OwnedIterator"}


@pytest.mark.parametrize("when", ["ready", "building", "training", "paused", "finished"])
def test_a_closed_panel_trains_no_more(when):
    panel = panel_of("one", epochs=1 if when == "finished" else 10_000)
    inside, go = held_in_its_maker(panel)
    before = 0
    if when != "ready":
        panel.start()
        assert inside.wait(DEADLINE)
    if when in ("training", "paused", "finished"):
        go.set()
        if when == "paused":
            panel.pause()
        until(lambda: panel.state == when, when)
        before = panel._job.callbacks["one"]._steps if when != "finished" else STEPS
    panel.close()
    go.set()
    panel.close()
    panel.wait(DEADLINE)
    assert panel.state == {"ready": "ready", "finished": "finished"}.get(when, "stopped")
    assert panel.comm is None
    taken = sum(steps(panel))
    assert before <= taken <= before + (when != "finished")
    if when == "building":
        assert taken == 0
    # A press that was on its way is too late.
    browser(panel, "start").join()
    assert not panel.active


def test_closing_all_widgets_ends_all_trainings():
    panels = [panel_of("one", epochs=10_000), panel_of("left", "right", epochs=10_000)]
    for panel in panels:
        panel.start()
    until(lambda: all(panel.state == "training" for panel in panels), "steps")
    Widget.close_all()
    for panel in panels:
        panel.wait(DEADLINE)
        assert panel.state == "stopped"


def test_a_panel_that_was_refused_is_closed_in_silence(monkeypatch):
    unraised = []
    monkeypatch.setattr(sys, "unraisablehook", unraised.append)
    for arguments in ((), ({},), (1, 2)):
        with pytest.raises((TypeError, ValueError)):
            TrainingPanel(*arguments)
    assert unraised == []


def test_a_cell_that_runs_again_ends_the_training_of_its_panel(monkeypatch):
    panels, leaves = {}, []

    def made_in(cell, run):
        monkeypatch.setattr(module, "_current_cell", lambda: (cell, run))
        return panel_of("one", epochs=10_000)

    for name, place in {
        "before": ("a", "run 1"),
        "beside it": ("a", "run 1"),
        "other cell": ("b", "run 2"),
        "no cell": (None, None),
        "no cell either": (None, "run 3"),
    }.items():
        panel = panels[name] = made_in(*place)
        inside, go = held_in_its_maker(panel)
        leaves.append(go)
        panel.start()
        assert inside.wait(DEADLINE)
    made_in("a", "run 4")
    ended = ["before", "beside it"]
    for name, panel in panels.items():
        assert panel.state == ("stopping" if name in ended else "building")
        assert panel.comm is not None
        panel.stop()
    for go in leaves:
        go.set()
    for panel in panels.values():
        panel.wait(DEADLINE)


def test_a_stop_in_a_validation_acts_at_its_end():
    made, ended = network(), []

    class Stops(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            panel.stop()

        def on_epoch_end(self, epoch, logs=None):
            ended.append(epoch)

    def make():
        model, x, y = made()
        return model, {"x": x, "y": y, "validation_data": (x, y), "callbacks": Stops()}

    panel = TrainingPanel({"one": make}, epochs=10, batch_size=BATCH)
    panel.run()
    assert (ended, steps(panel), panel.state) == ([0], [STEPS], "stopped")


@pytest.mark.parametrize("error", [SystemExit(3), MemoryError("full"), KeyboardInterrupt()])
def test_whatever_ends_a_maker_is_said(error):
    def make():
        raise error

    panel = TrainingPanel({"left": network(), "right": make}, epochs=10_000, batch_size=BATCH)
    frames = Frames(panel)
    panel.start()
    with pytest.raises(type(error)):
        panel.wait(DEADLINE)
    assert panel.state == frames[-1]["state"] == "failed"
    assert frames[-1]["error"].startswith(type(error).__name__)


# ---------------------------------------------------------------- the dtype policy


def plain_network(made):
    """A maker that leaves Keras's state alone, and tells how its network computes."""

    def make():
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
        model.compile("sgd", "mse")
        made.append((model.layers[-1].compute_dtype, type(model.optimizer).__name__))
        return model, np.zeros((BATCH, 6)), np.zeros((BATCH, 3))

    return make


@pytest.fixture
def policy():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def test_networks_have_the_policy_of_the_cell_that_starts_them(policy):
    made = []
    panel = TrainingPanel({"left": plain_network(made), "right": plain_network(made)})
    panel.run()
    here = plain_network(made)
    here()
    assert made == [("float16", "LossScaleOptimizer")] * 3
    keras.config.set_dtype_policy("float64")
    made.clear()
    panel.run()
    here()
    assert {dtype for dtype, _ in made} == {"float64"}


def test_a_browsers_start_has_the_policy_of_where_the_panel_was_made_or_last_started(policy):
    made = []
    panel = TrainingPanel({"one": plain_network(made)})

    def press():
        browser(panel, "start again").join()
        panel.wait(DEADLINE)
        return made.pop()[0]

    assert press() == "float16"
    keras.config.set_dtype_policy("float64")
    panel.run()
    assert made.pop()[0] == press() == "float64"
    # In the kernel's main thread it is the notebook's of that moment.
    keras.config.set_dtype_policy("bfloat16")
    panel._on_message(panel, "start again", [])
    panel.wait(DEADLINE)
    assert made.pop()[0] == "bfloat16"


def test_a_panel_does_not_import_keras_for_its_policy(monkeypatch):
    for held in (None, types.ModuleType("keras")):  # absent, and one that is being imported
        monkeypatch.setitem(sys.modules, "keras", held)
        assert job.dtype_policy() is None


# ---------------------------------------------------------------- what fit is given


def test_of_a_vector_metric_the_mean_is_recorded():
    def make(metrics):
        model, x, _ = network()()
        model.compile("sgd", "categorical_crossentropy", metrics=metrics)
        return model, x, np.eye(3)[np.arange(len(x)) % 3]

    score = keras.metrics.F1Score
    panel = TrainingPanel({"one": lambda: make([score()])}, epochs=3, batch_size=BATCH)
    panel.run()
    (run,) = panel.runs
    assert run["metric"] == "f1_score"
    model, x, y = make([score()])
    history = model.fit(x, y, BATCH, 3, verbose=0).history["f1_score"]
    assert np.shape(history) == (3, 3)
    ends = run["whole"]["accuracy"][STEPS - 1 :: STEPS]
    np.testing.assert_allclose(ends, np.mean(history, axis=1), rtol=1e-3)
    panel = TrainingPanel({"one": lambda: make([score(), "mae"])}, batch_size=BATCH)
    panel.run()
    assert panel.runs[0]["metric"] == "mae", "a single number goes first"


class Scripted(keras.Model):
    """Its steps report the given logs."""

    logs: dict[str, Any]

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        return super().train_step(data) and dict(self.logs)


@pytest.mark.parametrize(
    ("logs", "metric", "loss", "accuracy"),
    [
        ({"loss": 2.5}, None, 2.5, None),
        ({"loss": np.nan, "odd": np.inf}, "odd", None, None),
        ({"loss": np.array([1.0, 2.0]), "odd": np.zeros((2, 2))}, "odd", 1.5, 0.0),
        ({"parts": {"one": 1.0, "my_acc": 0.25}}, "my_acc", None, 0.25),
    ],
)
def test_whatever_a_step_reports_it_is_recorded(logs, metric, loss, accuracy):
    def make():
        model = Scripted()
        model.logs = logs
        model.compile("sgd", "mse")
        return model, np.ones((BATCH, 6)), np.ones((BATCH, 3))

    panel = TrainingPanel({"one": make}, epochs=2, batch_size=BATCH)
    panel.run()
    (run,) = panel.runs
    assert (run["metric"], run["steps"]) == (metric, 2)
    assert (run["whole"]["loss"], run["whole"]["accuracy"]) == ([loss] * 2, [accuracy] * 2)


def test_of_several_outputs_the_first_accuracy_stands_for_all():
    def make():
        inputs = keras.Input((6,))
        heads = {name: keras.layers.Dense(3, name=name)(inputs) for name in ("a", "b")}
        model = keras.Model(inputs, heads)
        model.compile("sgd", "mse", metrics={"b": ["mae", "accuracy"]})
        y = np.ones((BATCH, 3))
        return model, np.ones((BATCH, 6)), {"a": y, "b": y}

    panel = TrainingPanel({"one": make}, batch_size=BATCH)
    panel.run()
    assert panel.runs[0]["metric"] == "b_accuracy"


@pytest.mark.parametrize("how", ["one", "list", "nested", "tuple", "keras's list", "none"])
def test_callbacks_are_taken_as_fit_takes_them(how):
    class Counts(keras.callbacks.Callback):
        epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    counts, given = Counts(), []
    forms = {
        "one": lambda model: counts,
        "list": lambda model: [counts],
        "nested": lambda model: [[counts], []],
        "tuple": lambda model: (counts,),
        "keras's list": lambda model: keras.callbacks.CallbackList(
            [counts], add_history=True, model=model
        ),
        "none": lambda model: None,
    }

    def make():
        model, x, y = network()()
        given.append({"x": x, "y": y, "callbacks": forms[how](model), "epochs": 3})
        given.append(dict(given[0]))
        return model, given[0]

    panel = TrainingPanel({"one": make}, epochs=1, batch_size=BATCH)
    panel.run()
    assert counts.epochs == (0 if how == "none" else 3)
    assert steps(panel) == [3 * STEPS]
    used, before = given
    assert used.keys() == before.keys()
    assert all(used[name] is before[name] for name in used)


def test_verbose_is_fits(capsys):
    made = network()

    def make():
        model, x, y = made()
        return model, {"x": x, "y": y, "verbose": 2, "epochs": np.int64(2)}

    panel = TrainingPanel({"one": make}, batch_size=BATCH)
    panel.run()
    assert "Epoch 2/2" in capsys.readouterr().out
    assert json.loads(json.dumps(panel.record())) == panel.record()


# ---------------------------------------------------------------- names


def test_any_text_that_can_be_shown_is_a_name(tmp_path):
    names = ["caf\u00e9 $5_{", "\U0001f600 alone"]
    panel = panel_of(*names, epochs=1)
    frames = Frames(panel)
    panel.run()
    bundle, _ = panel._repr_mimebundle_()
    assert "image/png" in bundle
    assert [run["name"] for run in frames[-1]["runs"]] == names == panel.networks
    assert bundle["text/plain"].startswith(f"TrainingPanel: trains {' and '.join(names)},")
    assert len(panel.norms(names[0], "gradient_norm")) == STEPS
    panel.save(tmp_path / "run.json")
    assert recording.read(tmp_path / "run.json") == panel.record()


def test_an_error_with_any_text_is_said():
    def make():
        raise OSError(2, "No such file", "caf\udce9.npz")

    panel = TrainingPanel({"one": make})
    frames = Frames(panel)
    with pytest.raises(OSError, match="No such file"):
        panel.run()
    json.dumps(frames, ensure_ascii=False).encode("utf-8")
    states = [state for state, _ in itertools.groupby(frame["state"] for frame in frames)]
    assert states == ["building", "failed"]
