"""How long one run of each model takes on one thread, and to open it, beside LiteRT on the same files.

    python -m benchmarks.models [NAME ...] [--litert-python /path/to/venv/bin/python]

LiteRT is TensorFlow Lite, whose XNNPACK kernels MediaPipe runs these models on; its interpreter needs the package
`ai-edge-litert`. graphflow computes the outputs that its graphs ask for, LiteRT always all; models with operators of
MediaPipe's own, which LiteRT has not, are timed alone. Figures are CPU time of the whole process, so that a busy
machine disturbs them little.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks import harness
from benchmarks.harness import Report, Row, Side, serve

# What graphs ask for; all outputs of the models that are not here.
OUTPUTS = {"pose_landmark_full": [0, 1, 3, 4]}

_BLOCK_MS = 60.0


def _image(shape: tuple[int, ...]) -> Any:
    import numpy as np

    return np.random.default_rng(0).random(shape, dtype=np.float32)


class Graphflow:
    """Models as graphs open them."""

    run: Callable[[], Any]

    def open(self, file: str, outputs: list[int] | None) -> None:
        """Opens a model anew; the next runs are of it."""
        from graphflow.inference import close_sessions, open_session

        close_sessions()
        session = open_session(file, tuple(outputs) if outputs else None)
        # planes, as ImageToTensor writes them
        batch, height, width, channels = session.input_shapes[0]
        image = _image((batch, channels, height, width)).transpose(0, 2, 3, 1)
        self.run = lambda: session.run([image])


class LiteRt:
    """The same files as they are."""

    run: Callable[[], Any]

    def open(self, file: str, outputs: list[int] | None) -> None:
        """Opens a model anew; the next runs are of it."""
        from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

        interpreter = Interpreter(model_path=file, num_threads=1)
        interpreter.allocate_tensors()
        source = interpreter.get_input_details()[0]
        image = _image(tuple(source["shape"]))

        def run() -> Any:
            interpreter.set_tensor(source["index"], image)
            interpreter.invoke()
            return [interpreter.get_tensor(result["index"]) for result in interpreter.get_output_details()]

        self.run = run


class Answers:
    """Opens models and runs blocks on them, for one side."""

    def __init__(self, side: Graphflow | LiteRt) -> None:
        self._side = side

    def __call__(self, file: str = "", outputs: list[int] | None = None, count: int = 0) -> dict[str, Any]:
        if not file:
            return {}
        start = time.process_time()
        try:
            self._side.open(file, outputs)
        except RuntimeError:  # an operator of MediaPipe's that LiteRT has not
            return {}
        opening = time.process_time() - start
        self._side.run()
        start = time.process_time()
        for _ in range(count):
            self._side.run()
        return {"opening": opening * 1e3, "run": (time.process_time() - start) / max(count, 1) * 1e3}


def measure(names: list[str], litert: str | None, rounds: int) -> Report:
    """One row for a run of each model and one for opening it."""
    from graphflow.inference import ModelStore

    store = ModelStore()
    rows: dict[str, list[Row]] = {"run": [], "opening": []}
    with ExitStack() as stack:
        sides = [stack.enter_context(Side("graphflow", sys.executable, "benchmarks.models", ["serve", "graphflow"]))]
        if litert:
            sides.append(stack.enter_context(Side("LiteRT", litert, "benchmarks.models", ["serve", "LiteRT"])))
        for name in names:
            file, outputs = str(store.path(name)), OUTPUTS.get(name)
            warm = {side: side.ask(file, outputs, 5) for side in sides}
            able = [side for side, answer in warm.items() if answer]
            count = max(3, round(_BLOCK_MS / statistics.mean(warm[side]["run"] for side in able)))
            found: dict[tuple[str, str], list[float]] = {}
            for _, order in harness.in_turn(able, rounds):
                for side in order:
                    answer = side.ask(file, outputs, count)
                    for what in rows:
                        found.setdefault((side.name, what), []).append(answer[what])
            for what, listed in rows.items():
                note = f"outputs {outputs}; LiteRT all" if outputs else ""
                figures = found["graphflow", what], found.get(("LiteRT", what), [])
                listed.append(Row(f"{name}, {what}", "ms of CPU", *figures, note))
    return Report("models", "models on one thread, beside LiteRT", [*rows["run"], *rows["opening"]])


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve(sys.stdin, Answers(LiteRt() if sys.argv[2] == "LiteRT" else Graphflow()))
        return
    parser = harness.arguments("Time single models, beside LiteRT's with --litert-python.", rounds=9)
    parser.add_argument("names", nargs="*", help="models; default all of MediaPipe's wheel")
    parser.add_argument("--litert-python", help="interpreter of an environment with ai-edge-litert")
    given = parser.parse_args()
    from graphflow.inference.catalog import SHIPPED

    names = given.names or [card.name for card in SHIPPED.cards if card.member]
    harness.finish(measure(names, given.litert_python, given.rounds), given.out)


if __name__ == "__main__":
    main()
