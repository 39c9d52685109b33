"""Mistakes in graphs and calculators, and what each is answered: `python -m tests.mistakes` prints the table.

A case changes one thing in a graph that is right. `«` marks the place that the answer must name; a case that runs has
none, since its answer names the node.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

GRAPH: Final = """\
graph: Waving
params:
  min_confidence: 0.5
inputs: {IMAGE: image}
outputs: {HEIGHT: height, OVERLAY: overlay}
nodes:
  pose:
    calculator: PoseLandmarks
    inputs: {IMAGE: image}
    outputs: {LANDMARKS: pose_landmarks}
    options: {min_detection_confidence: $min_confidence}
  wrist:
    calculator: ./my.py:WristHeight
    inputs: {LANDMARKS: pose_landmarks}
    outputs: {HEIGHT: height}
    options: {index: 15, side: LEFT, range: {low: 0.0}}
  overlay:
    calculator: LandmarksRenderer
    inputs: {IMAGE: image, POSE_LANDMARKS: pose_landmarks}
    outputs: {IMAGE: overlay}
"""

CALCULATOR: Final = '''\
from typing import Literal

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.calculators.payloads import NormalizedLandmarkList


class Range(OptionGroup):
    low: float = 0.0
    high: float = 1.0


class WristHeight(Calculator):
    """How high a landmark is."""

    landmarks = Input("LANDMARKS", NormalizedLandmarkList)
    height = Output("HEIGHT", float)
    index: int = Option(doc="which landmark")
    side: Literal["LEFT", "RIGHT"] = Option("LEFT", "of the body")
    range: Range = Option(Range(), "what counts")

    def process(self, context: Context) -> None:
        landmarks = context[self.landmarks]
        if landmarks is not None:
            context[self.height] = 1.0 - float(landmarks.xyz[self.index, 1])
'''


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake, and what its answer must say.

    Attributes:
        title: what was done wrong.
        change: old text -> new text in the graph, the new one with `«` before the place.
        code: the same in the calculator's file.
        says: words that the answer must hold: what is wrong, what exists or helps instead.
        overrides: what is given by `--set`.
        warning: whether the graph runs all the same.
        more: further files.
        run: instead of checking the graph, does something and gives the answer.
    """

    title: str
    change: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    overrides: Mapping[str, object] = field(default_factory=dict)
    warning: bool = False
    more: Mapping[str, str] = field(default_factory=dict)
    run: Callable[[], str] | None = None


CONFIGURATION: Final = (
    Mistake("a stream's name misspelt", {"{IMAGE: image, POSE": "{IMAGE: «imag, POSE"}, says=("'imag'", "'image'?")),
    Mistake("a calculator misspelt", {"LandmarksRenderer": "«LandmarkRenderer"}, says=("'LandmarksRenderer'",)),
    Mistake("a subgraph misspelt", {": PoseLandmarks": ": «PoseLandmark"}, says=("unknown", "'PoseLandmarks'")),
    Mistake(
        "a tag misspelt",
        {"{LANDMARKS: pose_landmarks}\n    outputs: {H": "{LANDMARK: «pose_landmarks}\n    outputs: {H"},
        says=("no input 'LANDMARK'", "'LANDMARKS'"),
    ),
    Mistake(
        "a subgraph's tag misspelt", {"{LANDMARKS: pose_l": "{LANDMARK: «pose_l"}, says=("no output", "'LANDMARKS'")
    ),
    Mistake("an option misspelt", {"index: 15": "index: 15, «sidee: LEFT"}, says=("no option 'sidee'", "'side'")),
    Mistake(
        "an option inside another misspelt",
        {"{low: 0.0}": "{lov: «0.0}"},
        says=("option 'range.lov' does not exist; there are: low, high",),
    ),
    Mistake(
        "an option of the wrong type", {"index: 15": "«index: left"}, says=("'index'", "integer", "which landmark")
    ),
    Mistake("a value that is not among those allowed", {"side: LEFT": "«side: MIDDLE"}, says=("'LEFT' or 'RIGHT'",)),
    Mistake(
        "an option that must be set left out",
        {"index: 15, ": "", "options: {side": "options: «{side"},
        says=("needs option 'index'", "which landmark"),
    ),
    Mistake(
        "a parameter misspelt",
        {"{min_detection_confidence: $min": "{«min_detection_confidence: $mim"},
        says=("'mim_confidence'", "'min_confidence'"),
    ),
    Mistake(
        "a subgraph's parameter misspelt", {"{min_detection": "{«min_detektion"}, says=("'min_detection_confidence'",)
    ),
    Mistake(
        "a model misspelt",
        {": $min_confidence}": ": $min_confidence, pose_model: pose_landmark_ful}"},
        says=("no model is called 'pose_landmark_ful'", "'pose_landmark_full'", "used at", "8:17 (pose)"),
    ),
    Mistake("a file that is not there", {"./my.py": "«./mine.py"}, says=("no file mine.py", "'./my.py:WristHeight'?")),
    Mistake(
        "a class that the file does not define",
        {":WristHeight": ":WristHigh", "calculator: ./my": "calculator: «./my"},
        says=("defines no calculator 'WristHigh'", "'WristHeight'"),
    ),
    Mistake(
        "the file of a calculator forgotten", {"./my.py:WristHeight": "«WristHeight"}, says=("'./my.py:WristHeight'?",)
    ),
    Mistake(
        "an input forgotten",
        {"    inputs: {LANDMARKS: pose_landmarks}\n": "", "  wrist:": "  «wrist:"},
        says=("needs input 'LANDMARKS'",),
    ),
    Mistake(
        "an output of the graph that nothing makes",
        {"HEIGHT: height, O": "HEIGHT: «heigth, O"},
        says=("no node produces", "'height'"),
    ),
    Mistake(
        "two nodes that make one stream",
        {"{IMAGE: overlay}\n": "{IMAGE: «height}\n", ", OVERLAY: overlay": ""},
        says=("two producers: 'wrist' and 'overlay'", "the first is at"),
    ),
    Mistake(
        "a stream of another type",
        {"POSE_LANDMARKS: pose_landmarks": "POSE_LANDMARKS: «height"},
        says=("takes NormalizedLandmarkList", "carries float", "made by 'wrist'"),
    ),
    Mistake(
        "a loop without a back edge",
        {
            "{IMAGE: overlay}\n": "{IMAGE: overlay}\n  a: {calculator: PassThrough, inputs: [«y], outputs: [x]}\n"
            "  b: {calculator: PassThrough, inputs: [x], outputs: [y]}\n"
        },
        says=("cycle without a back edge: a -> b -> a", "back_edge: true"),
    ),
    Mistake("a key misspelt", {"options: {index": "«optoins: {index"}, says=("no 'optoins'", "'options'")),
    Mistake(
        "a node given twice",
        {"  overlay:\n": "  «wrist: {calculator: PassThrough, inputs: [image]}\n  overlay:\n"},
        says=("'wrist' is given twice", "line 12"),
    ),
    Mistake(
        "a bracket forgotten",
        {"{IMAGE: image}\noutputs: {HEIGHT": "{IMAGE: image\noutputs«: {HEIGHT"},
        says=("not YAML",),
    ),
    Mistake(
        "a stream in upper case", {"{HEIGHT: height}": "{HEIGHT: «Height}"}, says=("'Height' cannot be", "'height'?")
    ),
    Mistake("a tag in lower case", {"{HEIGHT: height}\n": "{«height: height}\n"}, says=("not a tag", "'HEIGHT'")),
    Mistake(
        "an input policy misspelt",
        {"{HEIGHT: height}\n": "{HEIGHT: height}\n    input_policy: «imediate\n"},
        says=("'imediate'", "'immediate'"),
    ),
    Mistake(
        "an executor that is not declared",
        {"{HEIGHT: height}\n": "{HEIGHT: height}\n    executor: «gpu\n"},
        says=("unknown executor 'gpu'", "declares none under 'executors'"),
    ),
    Mistake("a node's option set that is not there", overrides={"wirst.index": 3}, says=("no node 'wirst'", "'wrist'")),
    Mistake(
        "a graph that contains itself",
        {"calculator: LandmarksRenderer": "calculator: «g.yaml"},
        says=("contains itself",),
    ),
    Mistake(
        "a mistake in a subgraph of one's own",
        {": LandmarksRenderer": ": Drawn", ", POSE_LANDMARKS: pose_landmarks": ""},
        more={
            "drawn.yaml": "graph: Drawn\ninputs: {IMAGE: i}\noutputs: {IMAGE: o}\nnodes:\n"
            "  n: {calculator: LandmarksRenderer, inputs: {IMAGE: «j}, outputs: {IMAGE: o}}\n"
        },
        says=("drawn.yaml:5:54", "'overlay/n' reads stream 'j'", "used at", "18:17 (overlay)"),
    ),
    Mistake(
        "a Python mistake in the calculator's file",
        {"calculator: ./my": "calculator: «./my"},
        code={"Input, Option,": "Input, Opton,"},
        says=("my.py:3 cannot be loaded: ImportError", "Opton"),
    ),
    Mistake(
        "a port with a tag in lower case",
        {"calculator: ./my": "calculator: «./my"},
        code={'Output("HEIGHT"': 'Output("height"'},
        says=("WristHeight.height", "tags look like 'HEIGHT'"),
    ),
    Mistake(
        "an option without a type",
        {"calculator: ./my": "calculator: «./my"},
        code={"index: int = ": "index = "},
        says=("WristHeight.index: an option says its type",),
    ),
    Mistake(
        "a stream that nobody reads",
        {"{LANDMARKS: pose_landmarks}\n    opt": "{LANDMARKS: pose_landmarks, DETECTION: «found}\n    opt"},
        says=("nothing reads stream 'found'", "call it '_found'"),
        warning=True,
    ),
    Mistake(
        "a parameter that nothing uses",
        {"  min_confidence: 0.5\n": "  min_confidence: 0.5\n  «speed: 2\n"},
        says=("nothing uses parameter 'speed'", "$speed"),
        warning=True,
    ),
    Mistake(
        "a node that waits for itself",
        {
            "{IMAGE: overlay}\n": "{IMAGE: overlay}\n  loop: {calculator: PassThrough, "
            "inputs: [image, {stream: «late, back_edge: true}], outputs: [now, _old]}\n"
            "  next: {calculator: PassThrough, inputs: [now], outputs: [late]}\n"
        },
        says=("'loop' waits for ever", "input_policy: immediate"),
        warning=True,
    ),
    Mistake(
        "a loop that nothing enters",
        {
            "{IMAGE: overlay}\n": "{IMAGE: overlay}\n  loop: {calculator: PassThrough, "
            "inputs: [{stream: «late, back_edge: true}], outputs: [now]}\n"
            "  next: {calculator: PassThrough, inputs: [now], outputs: [late]}\n"
        },
        says=("'loop' can never run", "PreviousLoopback"),
        warning=True,
    ),
)


def _run(how: str) -> Callable[[], str]:
    """Runs the unruly calculator, which at its fourth frame does what `how` says; gives what the run fails with."""

    def run() -> str:
        import numpy as np

        from graphflow import CalculatorError, load

        folder = Path(__file__).parent / "graphs"
        graph = load(folder / "unruly.yaml", params={"how": how})
        graph.observe("mean", lambda packet: None)
        graph.start()
        try:
            for number in range(5):
                graph.add_packet("image", np.zeros((4, 4, 3), np.uint8), number * 40_000)
            graph.close_all_inputs()
            graph.wait_until_done()
        except CalculatorError as error:
            return re.sub(r"[^\s(]*/(?=unruly\.)", "", str(error))
        return "nothing"

    return run


def _give_up() -> str:
    """Runs a calculator that never returns, cancels the run, and gives what that says."""
    import numpy as np

    from graphflow import GraphCancelled, load, registry

    folder = Path(__file__).parent / "graphs"
    registry.find("./unruly.py:Unruly", folder).released.clear()  # type: ignore[attr-defined]
    graph = load(folder / "unruly.yaml", params={"how": "block", "at": 0})
    graph.observe("mean", lambda packet: None)
    graph.start()
    graph.add_packet("image", np.zeros((4, 4, 3), np.uint8), 0)
    while not any(call.action == "process" for call in graph.running_calls()):
        pass
    graph.cancel(0)
    try:
        graph.wait_until_done()
    except GraphCancelled as error:
        return re.sub(r"[^\s(]*/(?=unruly\.)", "", error.__notes__[0].removeprefix("also: "))
    finally:
        registry.find("./unruly.py:Unruly", folder).released.set()  # type: ignore[attr-defined]
    return "nothing"


def _type(*arguments: str) -> Callable[[], str]:
    """Types a command in an empty folder, and gives what it answers on stderr."""

    def run() -> str:
        import contextlib
        import io

        from graphflow.cli import main
        from graphflow.cli.reporting import stderr

        stderr.cache_clear()
        answered = io.StringIO()
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            contextlib.redirect_stderr(answered),
            contextlib.suppress(SystemExit),
        ):
            main(arguments)
        stderr.cache_clear()
        return answered.getvalue().strip()

    return run


_HERE: Final = Path(__file__).parent / "graphs"
_PRINTS: Final = ("run", f"{_HERE}/unruly.yaml", "-i", "sample:astronaut", "--max-frames", "4", "--param", "how=print")
_BRIGHTNESS: Final = f"{_HERE}/brightness.yaml"

RUNNING: Final = (
    Mistake("a calculator that raises", says=("timestamp 120000: RuntimeError: the lens cap",), run=_run("raise")),
    Mistake("a calculator that emits the wrong type", says=("output MEAN", "float, not str"), run=_run("wrong_type")),
    Mistake("a calculator that goes back in time", says=("output 'mean'", "20000"), run=_run("back")),
    Mistake("a calculator that writes into a packet", says=("read-only", "copy the array"), run=_run("scribble")),
    Mistake("a calculator that ends the process", says=("SystemExit: 3",), run=_run("exit")),
    Mistake("a calculator that never returns", says=("'unruly'", "does not return", "not closed"), run=_give_up),
)
"""What goes wrong while a graph runs; each answer names the node, the place of it and that in the calculator."""

COMMANDS: Final = (
    Mistake("a calculator that prints", says=("node 'unruly' printed: hello",), run=_type(*_PRINTS)),
    Mistake(
        "a source that is not there",
        says=("no file vido.mp4", "a source is a video, an image"),
        run=_type("run", _BRIGHTNESS, "-i", "vido.mp4"),
    ),
    Mistake(
        "a camera that is not there",
        says=("camera:front names no camera", "camera:0"),
        run=_type("run", _BRIGHTNESS, "-i", "camera:front"),
    ),
    Mistake(
        "an option of the source misspelt",
        says=("SampleSource has no option 'rate'", "it has: name, frames, fps, max_frames"),
        run=_type("run", _BRIGHTNESS, "-i", "sample:astronaut", "--set", "source.rate=5"),
    ),
    Mistake(
        "results in a format that does not exist",
        says=("--save found.xlsx", ".jsonl, .csv, .parquet"),
        run=_type("run", _BRIGHTNESS, "-i", "sample:astronaut", "--save", "found.xlsx"),
    ),
    Mistake(
        "two sources without names",
        says=("NAME=SOURCE", "image"),
        run=_type("run", _BRIGHTNESS, "-i", "sample:astronaut", "-i", "sample:astronaut"),
    ),
    Mistake(
        "a stream to record misspelt",
        says=("no stream 'maen'", "'mean'?"),
        run=_type("record", _BRIGHTNESS, "-i", "sample:astronaut", "-o", "run.gfrec", "--streams", "maen"),
    ),
)
"""What goes wrong around a run, and what the command line answers."""


def answer(mistake: Mistake, folder: Path) -> tuple[str, tuple[int, int] | None]:
    """What `graphflow check` says of a case, paths relative to `folder`, and the marked place."""
    from graphflow.cli.reporting import with_source_lines
    from graphflow.config import examine

    if mistake.run is not None:
        return mistake.run(), None
    files = {"g.yaml": _changed(GRAPH, mistake.change), "my.py": _changed(CALCULATOR, mistake.code), **mistake.more}
    place = None
    for name, text in files.items():
        before, mark, _ = text.partition("«")
        if mark:
            place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        (folder / name).write_text(text.replace("«", ""), encoding="utf-8")
    found = examine(folder / "g.yaml", overrides=mistake.overrides)
    told = found.warnings if mistake.warning else found.problems
    assert bool(found.problems) is not mistake.warning, found
    return with_source_lines(told).replace(f"{folder}/", ""), place


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the right graph has no {old!r}"
        text = text.replace(old, new, 1)
    return text


def table(mistakes: tuple[Mistake, ...]) -> str:
    """The cases and their answers as a table in Markdown."""
    rows = ["| | mistake | answer |", "|---|---|---|"]
    for number, mistake in enumerate(mistakes, start=1):
        with tempfile.TemporaryDirectory() as folder:
            text, _ = answer(mistake, Path(folder))
        # the lines of the source, with their carets, do not go into a table
        kept = [line for line in text.splitlines() if not re.match(r"  +(\d+ \||\^)", line)]
        shown = "<br>".join(line.strip().replace("|", "\\|") for line in kept)
        rows.append(f"| {number} | {mistake.title} | {shown} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table((*CONFIGURATION, *RUNNING, *COMMANDS)))
