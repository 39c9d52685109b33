"""A calculator with a memory, for tests of what solutions do with it."""

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output


class Count(Calculator):
    """Counts images."""

    image = Input("IMAGE", np.ndarray)
    count = Output("COUNT", tuple, "how many so far, and the timestamp")
    bright = Output("BRIGHT", float, "the mean, where it is over 100")
    limit: int = Option(1000, "more than this are refused")

    def open(self, context: Context) -> None:
        self.seen = 0

    def process(self, context: Context) -> None:
        self.seen += 1
        if self.seen > self.limit:
            raise RuntimeError(f"more than {self.limit} images")
        context[self.count] = (self.seen, context.timestamp)
        mean = float(context[self.image].mean())
        if mean > 100:
            context[self.bright] = mean
