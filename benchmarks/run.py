"""Measure on this machine; write results.json and the table in README.md.

``make bench`` runs this. The machine should have nothing else to do. Parts that are named are
measured anew, and what the record has of the others stays: ``make bench BENCH_ARGS=training``.
"""

import argparse
import functools

import backends
import compute
import hub
import latency
import page
import record
import studies
import throughput
import training

USUAL = {
    "compute": compute.main,
    "latency": latency.main,
    "page": page.main,
    "training": training.main,
    "backends": backends.main,
    "throughput": throughput.main,
}
# Minutes to an hour each: measured only where named.
LONG = {"hub": hub.main}
LONG |= {f"study-{name}": functools.partial(studies.main, name) for name in studies.NAMES}
PARTS = USUAL | LONG


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "parts", nargs="*", help=f"of {', '.join(PARTS)}; without any, {', '.join(USUAL)}"
    )
    parser.add_argument("--anyway", action="store_true", help="measure though others are at work")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"parts must be of {', '.join(PARTS)}, received {', '.join(sorted(unknown))}")
    for name in arguments.parts or USUAL:
        load = record.wait_for_quiet(arguments.anyway)
        figures, versions, rows = PARTS[name]()
        measured = {"date": record.today(), "device": record.device(), "load_average": load}
        measured |= {"versions": versions, "figures": figures, "rows": rows}
        record.write(name, measured, list(PARTS))
        if name == "hub":
            hub.tell(measured)


if __name__ == "__main__":
    main()
