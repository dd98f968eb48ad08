"""The command line: ``python -m resnet_lesson train --preset digits``, and its other commands."""

from . import stopping

if __name__ == "__main__":
    stopping.listen()  # what is imported below takes a moment, in which Ctrl-C may come

import argparse
import errno
import os
import shlex
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from . import studies
from .checks import BACKENDS, number_or_text
from .files import expand_path, user_path
from .keras_settings import begun_on
from .output import print_line, visible


class Parser(argparse.ArgumentParser):
    """One whose last line is visible: an argument or a file may have any characters in its name."""

    def error(self, message: str) -> NoReturn:
        """One line, where argparse prints the usage as well: of a long command it fills a page."""
        self.exit(2, f"{self.prog}: {message} (--help says what there is)")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        super().exit(status, f"{visible(message.strip())}\n" if message else None)


def main(arguments: list[str] | None = None) -> None:
    """Run one command.

    Raises:
        SystemExit: with 2 for a wrong argument, 1 where a command fails, and 128 and the number of
            the signal where one stops it: 130 for SIGINT, which is Ctrl-C, 143 for SIGTERM. The
            message is one line.
    """
    parser = Parser(prog="python -m resnet_lesson")
    commands = parser.add_subparsers(required=True)
    for add in (_add_study, _add_train, _add_pack, _add_widget_data, _add_doctor):
        add(commands)
    options = parser.parse_args(arguments)
    stopped = visible(f"{parser.prog}: stopped; {options.to_go_on(options)}")
    stopping.announce(stopped)
    try:
        options.command(options)
    except (ValueError, ImportError) as error:
        parser.exit(2, f"{parser.prog}: {error}")
    except OSError as error:
        raise SystemExit(visible(f"{parser.prog}: {error}{_remedy(error, options)}")) from error
    except FloatingPointError as error:
        raise SystemExit(visible(f"{parser.prog}: {error}")) from error
    except KeyboardInterrupt:
        stopping.finish()
        parser.exit(128 + (stopping.received() or signal.SIGINT), stopped)


def _remedy(error: OSError, options: argparse.Namespace) -> str:
    """What to do, if an error says that a folder is gone or that this cannot be written to."""
    if error.errno == errno.ENOENT and _started_nowhere():
        return " (the folder in which this was started was deleted: change to another)"
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS) or "output" not in options:
        return ""
    # What is given no other place is written into the package itself.
    output = Path(__file__).parent if options.output is None else options.output
    folder, refused = Path(output).absolute(), Path(str(error.filename)).absolute()
    if not (refused.is_relative_to(folder) or folder.is_relative_to(refused)):
        return ""
    return f" ({'OUTPUT' if options.command is pack_run else '--output'} says where to write)"


def _started_nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _check_given(name: str, path: str | None) -> None:
    """Refuse an empty path before anything is imported for it."""
    if path is not None:
        user_path(name, path)


def _add_study(commands: Any) -> None:
    study = commands.add_parser(
        "study", help="run studies and write their records; what is on record is not run again"
    )
    study.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(studies.NAMES)}; all if none is given"
    )
    study.add_argument(
        "--seeds",
        type=partial(number_or_text, int),
        metavar="N",
        help="seeds for each setting; a study has its own number",
    )
    study.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="the address of a Dask scheduler, which runs what anybody sends it who reaches it: "
        "start it by `dask scheduler --host 127.0.0.1 --dashboard-address 127.0.0.1:8787`, or see "
        "docs/security.md for several machines; without it, this machine runs the studies",
    )
    study.add_argument(
        "--output",
        default="results",
        metavar="DIR",
        help="where the records are; results, if not given",
    )
    study.set_defaults(command=run_studies, to_go_on=_study_again)


def _study_again(options: argparse.Namespace) -> str:
    return f"the same command goes on with what is on record in {options.output}"


def run_studies(options: argparse.Namespace) -> None:
    user_path("--output", options.output)
    if options.seeds is not None:
        studies.check_seeds("--seeds", options.seeds)
    if options.scheduler is not None:
        studies.check_scheduler("--scheduler", options.scheduler)
    chosen = [studies.study(name) for name in options.names or studies.NAMES]
    for each in chosen:
        with stopping.working():
            record = studies.run(each, options.output, options.seeds, options.scheduler)
        print_line(f"{each.name}: {len(record)} lines on record. {each.question}")


def _add_train(commands: Any) -> None:
    from .training import config

    train = commands.add_parser(
        "train",
        help="train a network, keeping all that is needed to go on",
        description="An option that is not given is the preset's, or with --resume the run's own.",
    )
    train.add_argument(
        "--preset",
        choices=config.PRESETS,
        help="digits, if not given; with --resume a run that was begun keeps its own",
    )
    train.add_argument(
        "--output", metavar="DIR", help="the folder of the run; runs/PRESET, if not given"
    )
    train.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run that DIR holds, or begin one there",
    )
    train.add_argument("--data", metavar="PATH", help="the path of a local copy of CIFAR-10")
    train.add_argument(
        "--monitor",
        action="store_true",
        help="keep the norms of each step of this call in gradients.csv; where it goes on with a "
        "run, in gradients_from_epoch_N.csv",
    )
    train.add_argument(
        "--devices",
        choices=config.DEVICES,
        default="one",
        help="all that this machine has share each batch; one, if not given",
    )
    train.add_argument(
        "--backend",
        choices=BACKENDS,
        help="what Keras computes on; the run's own with --resume, else what Keras is set to",
    )
    config.add_options(train)
    train.set_defaults(command=run_training, to_go_on=_resume)


def _resume(options: argparse.Namespace) -> str:
    return f"to go on, add --resume --output {shlex.quote(_output(options))}"


def _output(options: argparse.Namespace) -> str:
    if options.output is None:
        return f"runs/{options.preset or 'digits'}"
    return options.output


def _chosen_backend() -> str | None:
    """What Keras computes on, if it is imported or the environment says so."""
    if "keras" in sys.modules:
        return sys.modules["keras"].backend.backend()
    return os.environ.get("KERAS_BACKEND") or None


def _choose_backend(name: str) -> None:
    """Let Keras compute on this backend, if nothing has chosen another."""
    chosen = _chosen_backend() or name
    if chosen != name:
        raise ValueError(
            f"--backend must be that of KERAS_BACKEND where it is set, {chosen}, received {name}"
        )
    os.environ["KERAS_BACKEND"] = name


def run_training(options: argparse.Namespace) -> None:
    from . import training
    from .training import checkpoint
    from .training.config import with_options

    preset = options.preset or "digits"
    options.output = _output(options)
    begun, path = user_path("--output", options.output), expand_path(options.output)
    _check_given("--data", options.data)
    config = training.PRESETS[preset]
    stored = checkpoint.load(begun) if options.resume else None
    if stored:
        if options.preset and stored.config.dataset != config.dataset:
            raise ValueError(
                f"a run goes on with its own data, {stored.config.dataset}, received the preset "
                f"{options.preset}, which is for {config.dataset}"
            )
        config = stored.config
    config = with_options(config, options, begun if stored else None)
    if options.backend:
        _choose_backend(options.backend)
    elif stored and not _chosen_backend():
        _choose_backend(begun_on(stored.about["versions"]))
    from .training import folder

    train = training.train  # with Keras, before there is work to put away
    with stopping.working():
        run = train(
            config,
            options.output,
            data=options.data,
            resume=options.resume,
            devices=options.devices,
            gradients=options.monitor,
        )
    print_line(f"{run.sentence}. The curves: {path / folder.CURVES}")


def _run_again(options: argparse.Namespace) -> str:
    return "nothing is half written: run it again"


def _add_pack(commands: Any) -> None:
    pack = commands.add_parser(
        "pack",
        help="pack a finished run, for pretrained.load",
        description="Write the weights of a finished run in half precision, and what is measured "
        "of its network; pretrained.load(OUTPUT) loads it.",
    )
    pack.add_argument("run", metavar="RUN", help="the folder of a finished run")
    pack.add_argument("output", metavar="OUTPUT", help="the folder for the packed network")
    pack.add_argument("--data", metavar="PATH", help="the path of a local copy of CIFAR-10")
    pack.set_defaults(command=pack_run, to_go_on=_run_again)


def pack_run(options: argparse.Namespace) -> None:
    user_path("RUN", options.run)
    user_path("OUTPUT", options.output)
    _check_given("--data", options.data)
    from .pretrained.pack import pack

    with stopping.working():
        pack(options.run, options.data, options.output)
    print_line(f"Packed. pretrained.load({options.output!r}) opens it.")


def _add_widget_data(commands: Any) -> None:
    for name, command, text in (
        ("grid", write_grid, "compute the explorer's curves for where there is no kernel"),
        ("runs", write_runs, "record the trainings that the panel replays without a kernel"),
    ):
        parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        parser.add_argument(
            "--output", metavar="FILE", help=f"{name}.json of the package itself, if not given"
        )
        parser.set_defaults(command=command, to_go_on=_run_again)


def write_grid(options: argparse.Namespace) -> None:
    _check_given("--output", options.output)
    from .widgets.explorer import grid

    with stopping.working():
        path = grid.write(options.output)
    print_line(f"The explorer's curves: {path}")


def write_runs(options: argparse.Namespace) -> None:
    _check_given("--output", options.output)
    from .widgets.panel import runs

    with stopping.working():
        path = runs.write(options.output)
    print_line(f"The recorded trainings: {path}")


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor", help="say what this machine and this installation bring, and what is amiss"
    )
    doctor.set_defaults(command=examine, to_go_on=_run_again)


def examine(options: argparse.Namespace) -> None:
    from .doctor import findings

    found = findings()
    for each in found:
        print_line(f"{each.what}: {each.found}")
        if each.advice:
            print_line(f"    -> {each.advice}")
    amiss = [each.what for each in found if each.advice]
    if amiss:
        raise SystemExit(f"amiss: {', '.join(amiss)}")
    print_line("All is well.")


if __name__ == "__main__":
    try:
        main()
    finally:
        stopping.finish()
