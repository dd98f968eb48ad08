"""Train the lesson's networks on CIFAR-10 on a GPU, and keep their record.

Writes what to train to OUTPUT/jobs.json, and trains it in PyTorch for at most --seconds. Until all
runs have ended, the same command goes on with those that are missing. At the end it writes
resnet_lesson/results/cifar10.json, and runs/cifar10-long for python -m resnet_lesson pack.
"""

import argparse
import json
from pathlib import Path

import torch_python
from jobs import JOBS, write_jobs

from resnet_lesson.training import TrainingConfig


def main():
    parser = argparse.ArgumentParser(
        prog="python experiments/cifar10",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="CIFAR-10 as an .npz file")
    parser.add_argument(
        "output", type=Path, metavar="OUTPUT", help="a folder for the runs; made if it is missing"
    )
    torch_python.add_option(parser)
    parser.add_argument(
        "--seconds",
        type=float,
        default=3600,
        metavar="N",
        help="no epoch starts later; 3600, if not given",
    )
    parser.add_argument(
        "--jobs-only",
        action="store_true",
        help="only write OUTPUT/jobs.json, for torch_runs.py on a machine without TensorFlow",
    )
    options = parser.parse_args()
    data, output = options.data, options.output
    if data.suffix != ".npz" or not data.is_file():
        parser.error(f"DATA must be an .npz file, received {data}")
    output.mkdir(parents=True, exist_ok=True)
    jobs = output / "jobs.json"
    write_jobs(jobs)
    if options.jobs_only:
        return
    if missing(output):
        torch_python.check_python(options.torch)
        arguments = [jobs, data, output, "--seconds", options.seconds]
        torch_python.run(options.torch, "torch_runs.py", *arguments)
    if left := missing(output):
        raise SystemExit(
            f"{len(left)} of {len(JOBS)} runs have not ended: the same command goes on with them"
        )
    from keep import keep  # TensorFlow, which takes seconds

    keep(data, output)


def missing(output):
    """The jobs that have not ended in this folder."""
    path = output / "runs.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    ended = [TrainingConfig.from_json(run["config"]) for run in runs]
    return [job for job in JOBS if job not in ended]


if __name__ == "__main__":
    main()
