"""`python -m tests.conformance_pose DIR [--group G]`: which recorded answers of other pose systems ours reproduce."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .runner import run_folder


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance_pose", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of topics, as its README describes them")
    parser.add_argument("--group", default="", help="only the cases of this topic")
    given = parser.parse_args(arguments)
    held = total = 0
    try:
        for outcome in run_folder(given.folder, given.group):
            total += 1
            held += not outcome.differences
            if outcome.differences:
                print(f"{outcome.topic}/{outcome.case} ({outcome.kind}): {outcome.differences[0]}")
    except FileNotFoundError as error:
        parser.error(str(error))
    print(f"{held} of {total} cases hold")
    return 0 if held == total else 1


if __name__ == "__main__":
    sys.exit(main())
