"""The command line: ``python -m resnet_lesson study degradation``."""

import argparse

from . import studies


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m resnet_lesson")
    commands = parser.add_subparsers(required=True)
    study = commands.add_parser(
        "study", help="run studies and write their records; what is on record is not run again"
    )
    study.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(studies.NAMES)}; all if none is given"
    )
    study.add_argument("--seeds", type=int, help="how many; a study has its own number")
    study.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask scheduler; else here")
    study.add_argument("--output", default="results", metavar="DIR", help="results, if not given")
    study.set_defaults(command=run_studies)
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, ImportError) as error:
        parser.error(str(error))


def run_studies(options):
    for chosen in [studies.study(name) for name in options.names or studies.NAMES]:
        record = studies.run(chosen, options.output, options.seeds, options.scheduler)
        print(f"{chosen.name}: {len(record)} lines on record. {chosen.question}")


if __name__ == "__main__":
    main()
