"""Compiles the runtime's inner loop with mypyc where a C compiler is at hand.

What is compiled is ordinary, typed Python and runs as it is everywhere else, only three times slower for each packet
and node. `GRAPHFLOW_COMPILE=1` makes a failure to compile an error, `GRAPHFLOW_COMPILE=0` does without. An editable
install is not compiled unless asked: an edit must show at once.
"""

import os
import sys

from setuptools import Extension, setup

INNER_LOOP = [
    "graphflow/timestamp.py",
    "graphflow/packet.py",
    "graphflow/context.py",
    "graphflow/runtime/streams.py",
    "graphflow/runtime/policies.py",
    "graphflow/runtime/step.py",
    "graphflow/runtime/node.py",
    "graphflow/runtime/observers.py",
    "graphflow/runtime/pollers.py",
    "graphflow/runtime/gathering.py",
    "graphflow/runtime/pool.py",
    "graphflow/runtime/throttling.py",
    "graphflow/runtime/scheduler.py",
]


def extensions() -> list[Extension]:
    """The compiled modules; none where they are not wanted or cannot be made."""
    wanted = os.environ.get("GRAPHFLOW_COMPILE", "")
    if wanted == "0" or (wanted != "1" and "editable_wheel" in sys.argv):
        return []
    try:
        from mypyc.build import mypycify

        # types are checked elsewhere; here the libraries to check against are missing
        lenient = ["--ignore-missing-imports", "--allow-subclassing-any", "--allow-untyped-decorators"]
        found: list[Extension] = mypycify([*lenient, *INNER_LOOP])
    except (ImportError, SystemExit):
        if wanted == "1":
            raise
        return []
    for extension in found:
        extension.optional = wanted != "1"
    return found


setup(ext_modules=extensions())
