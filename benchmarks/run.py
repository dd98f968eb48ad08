"""Measure everything on this machine; write results.json and the table in README.md.

``make bench`` runs this. The machine should have nothing else to do.
"""

import argparse

import compute
import latency
import record
import training

PARTS = {"compute": compute, "latency": latency, "training": training}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anyway", action="store_true", help="measure though others are at work")
    arguments = parser.parse_args()
    results = {
        "command": "make bench" + (" BENCH_ARGS=--anyway" if arguments.anyway else ""),
        "date": record.today(),
        "device": record.device(),
        "load_average": {},
        "versions": {},
        "figures": {},
        "rows": [],
    }
    for name, part in PARTS.items():
        results["load_average"][name] = record.wait_for_quiet(arguments.anyway)
        figures, versions, rows = part.main()
        results["figures"][name] = figures
        results["versions"] |= versions
        results["rows"] += rows
    record.write(results)


if __name__ == "__main__":
    main()
