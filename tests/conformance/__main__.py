"""`python -m tests.conformance DIR [--group G] [--jobs N]`: which recorded cases hold."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .workers import run_folder


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of cases, as its README describes them")
    parser.add_argument("--group", default="", help="only the cases of this group")
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time")
    parser.add_argument("--timeout", type=float, default=20.0, help="seconds after which a case counts as hanging")
    parser.add_argument("--threads", type=int, help="threads of graphs that do not set them")
    parser.add_argument("--unfused", action="store_true", help="every node runs by itself, none as part of a step")
    given = parser.parse_args(arguments)
    try:
        outcomes = run_folder(
            given.folder, given.group, max(given.jobs, 1), given.timeout, given.threads, fuse=not given.unfused
        )
    except FileNotFoundError as error:
        parser.error(str(error))
    held = sum(not outcome.differences for outcome in outcomes)
    print(f"{held} of {len(outcomes)} cases hold")
    return 0 if held == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
