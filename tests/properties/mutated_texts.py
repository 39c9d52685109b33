"""Reads mutated graph texts in this process and reports every one that gives neither a graph nor a GraphConfigError.

    python tests/properties/mutated_texts.py COUNT SEED [SHARED]

Run as a program, so that what a text does to the process (memory, time, a crash) is measured and nobody else's. The
texts follow from the seed alone. Prints one JSON object: how many gave a graph and how many an error, the peak growth
of memory, and the failures.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import graphflow.graphs

from graphflow import GraphConfigError, config, registry
from graphflow.config.library import graph_names

LIMIT_MIB = 200
LIMIT_S = 20
HERE = Path(__file__).parents[1]

PLAIN = """
0 -1 1e999 .nan .inf -9223372036854775809 1_0 0b1 1:30 2001-01-01 true null ~ [] {} [[]] *a &a <<
!!python/name:os.system !tag | > --- ... $ $max ` @ # , : { } [ ] < > ; / [mediapipe.X.ext]
[type.googleapis.com/mediapipe.Y] }}} -inf nanf 07 0.0f TAG TAG:0 TAG:-1:a TAG:99999999999:a ::: A:B:C:D
./x.py:Y ../../etc/passwd con /dev/zero holistic
"""
VALUES = [
    *PLAIN.split(),
    "9" * 5000,
    "0x" + "f" * 400,
    "''",
    '""',
    "{a: {b: {c: d}}}",
    "!!binary aGk=",
    "!!int x",
    "!!set {a}",
    "? a",
    "- - -",
    "%YAML 9.9",
    "not $x",
    "a" * 5000,
    "\xe9",
    "\ud7ff",
    "\x00",
    "\x07",
    "\t",
    "\u2028",
    "\ufeff",
    "\U0001f600",
    "\\",
    '"',
    "'",
    ": ",
    "- ",
    "node {",
    "options {",
    "'\\xzz'",
    "'\\777'",
]
BOMBS = [
    "[" * 3000,
    "{a: " * 3000,
    "- " * 3000,
    "node {" * 3000,
    "options { a " * 1500,
    "<" * 3000,
    "(" * 3000,
    "'" * 3001,
    "!" * 3000,
    "?" * 3000,
    # each alias stands for nine of the one before
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
    "params: {x: [*f,*f,*f,*f,*f,*f,*f,*f,*f]}\n",
    "params: &p {x: *p}\n",
    "nodes: &n\n  a: {calculator: PassThrough, options: *n}\n",
    "x: &x [*x]\n",
    "\n" * 20000,
    " " * 50000 + "a: b",
    "#" * 50000,
]


def seeds(shared: Path | None) -> list[str]:
    """The texts that are mutated: the shipped graphs, those of the tests, and the recorded cases where they are."""
    folders = [Path(next(iter(graphflow.graphs.__path__))), HERE / "graphs"]
    texts = [path.read_text("utf-8") for folder in folders for path in sorted(folder.rglob("*.yaml"))]
    pbtxt = [path.read_text("utf-8") for path in sorted((HERE / "graphs").rglob("*.pbtxt"))]
    if shared:
        cases = sorted((shared / "conformance" / "framework" / "cases").glob("*.json"))
        pbtxt += [json.loads(path.read_text("utf-8"))["graph"] for path in cases]
    # as many of one form as of the other
    return texts * max(1, len(pbtxt) // max(1, len(texts))) + pbtxt


def mutate(text: str, chance: random.Random, texts: list[str]) -> str:
    """A text with one to four mistakes in it."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        text = chance.choice(MUTATIONS)(text, chance, texts)
    return text


def _span(text: str, chance: random.Random, longest: int) -> tuple[int, int]:
    begin = chance.randrange(len(text) + 1)
    return begin, min(len(text), begin + chance.randint(0, longest))


def _delete(text: str, chance: random.Random, texts: list[str]) -> str:
    begin, end = _span(text, chance, chance.choice([1, 8, 200]))
    return text[:begin] + text[end:]


def _insert(text: str, chance: random.Random, texts: list[str]) -> str:
    begin, _ = _span(text, chance, 0)
    return text[:begin] + chance.choice(VALUES) + text[begin:]


def _bomb(text: str, chance: random.Random, texts: list[str]) -> str:
    lines = text.split("\n")
    lines.insert(chance.randint(0, len(lines)), chance.choice(BOMBS))
    return "\n".join(lines)


def _replace_word(text: str, chance: random.Random, texts: list[str]) -> str:
    words = text.split(" ")
    position = chance.randrange(len(words))
    others = chance.choice(texts).split()
    words[position] = chance.choice([*VALUES, *others[:100]])
    return " ".join(words)


def _value(text: str, chance: random.Random, texts: list[str]) -> str:
    """Replaces what follows a colon."""
    colons = [index for index, character in enumerate(text) if character == ":"]
    if not colons:
        return text
    begin = chance.choice(colons) + 1
    end = min((text.find(mark, begin) % (len(text) + 1) for mark in "\n,}"), default=len(text))
    return text[:begin] + " " + chance.choice(VALUES) + text[max(begin, end) :]


def _lines(text: str, chance: random.Random, texts: list[str]) -> str:
    """Deletes, doubles, moves or indents a line, or takes one from another text."""
    lines = text.split("\n")
    position = chance.randrange(len(lines))
    line = lines.pop(position)
    match chance.randrange(6):
        case 0:
            pass
        case 1:
            lines[position:position] = [line, line]
        case 2:
            lines.insert(chance.randint(0, len(lines)), line)
        case 3:
            lines.insert(position, " " * chance.randint(1, 5) + line)
        case 4:
            lines.insert(position, line.lstrip())
        case _:
            lines[position:position] = [line, chance.choice(chance.choice(texts).split("\n"))]
    return "\n".join(lines)


def _double(text: str, chance: random.Random, texts: list[str]) -> str:
    begin, end = _span(text, chance, 300)
    return text[:end] + text[begin:end] * chance.choice([1, 1, 50]) + text[end:]


def _cut(text: str, chance: random.Random, texts: list[str]) -> str:
    begin, _ = _span(text, chance, 0)
    return text[:begin] if chance.random() < 0.5 else text[begin:]


def _splice(text: str, chance: random.Random, texts: list[str]) -> str:
    other = chance.choice(texts)
    return text[: _span(text, chance, 0)[0]] + other[_span(other, chance, 0)[0] :]


MUTATIONS = [
    _delete,
    _insert,
    _replace_word,
    _replace_word,
    _value,
    _value,
    _lines,
    _lines,
    _double,
    _cut,
    _splice,
    _bomb,
]


class TooSlow(BaseException):
    """A text took longer than the limit; no `except Exception` may swallow it."""


def _too_slow(number: int, frame: Any) -> None:
    raise TooSlow


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    texts = seeds(Path(sys.argv[3]) if len(sys.argv) > 3 else None)
    for name in registry.names():  # a text must not be charged for the libraries of a calculator it happens to name
        registry.find(name)
    for name in graph_names():
        config.load(name)
    before = last = peak_mib()
    # far above what is allowed: a text that wants everything gets a MemoryError, and the machine goes on
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, _too_slow)
    outcomes = {"graph": 0, "error": 0}
    failures: list[dict[str, str]] = []
    slowest = 0.0
    for number in range(count):
        text = mutate(texts[number % len(texts)], random.Random(f"{seed}-{number}"), texts)
        failure = ""
        started = time.perf_counter()
        signal.alarm(LIMIT_S)
        try:
            config.load(text)
            outcomes["graph"] += 1
        except GraphConfigError as error:
            outcomes["error"] += 1
            if not error.problems or not str(error):
                failure = "a GraphConfigError without a problem"
        except TooSlow:
            failure = f"not read after {LIMIT_S} s"
        except BaseException:
            failure = traceback.format_exc(limit=-6)
        finally:
            signal.alarm(0)
        slowest = max(slowest, time.perf_counter() - started)
        if peak_mib() - last > LIMIT_MIB:
            failure = failure or f"took {peak_mib() - last:.0f} MiB"
        last = peak_mib()
        if failure:
            failures.append({"number": str(number), "failure": failure, "text": text[:3000]})
    print(json.dumps({**outcomes, "slowest_s": slowest, "grown_mib": last - before, "failures": failures}))


if __name__ == "__main__":
    main()
