"""A calculator that waits until a test lets it go."""

import threading

from graphflow import Calculator, Context, Input, Output

let_go = threading.Event()


class Stuck(Calculator):
    """Comes back from `process` once `let_go` is set."""

    number = Input(type=int)
    same = Output(type=int)

    def process(self, context: Context) -> None:
        let_go.wait()
        context[self.same] = context[self.number]
