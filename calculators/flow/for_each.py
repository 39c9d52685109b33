"""ForEach: one graph for each key of a mapping, with state of its own."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding


class ForEach(Calculator):
    """Runs a node, usually a graph, once for each key of its items, and each key has a copy of its own.

    The node stands under `nodes`, and its ports are those of the container. Inputs named in `each` carry mappings: at
    every timestamp each key's instance gets its own item, and all instances with an item get what the other inputs
    carry. Each output is a mapping from key to what that key's instance emitted, in the order of the keys; a key whose
    instance emitted nothing is not in it.

    An instance appears with its key. Its filters, loops and trackers know nothing of other keys; models are shared. At
    timestamps without an item for the key its time goes on; after more than `grace` of them in a row it is closed, and
    should the key come back, it begins anew. Instances run in parallel, and what comes out does not depend on how.
    """

    items = Input("*", doc="mappings from key to item, and what all instances get")
    found = Output("*", type=dict, doc="mappings from key to output")
    side = SideInput("*", doc="for all instances", optional=True)

    each: list[str] = Option(doc="the inputs that carry a mapping from key to item, by TAG or TAG:index")
    grace: int = Option(0, "for how many timestamps in a row without an item an instance is kept")

    def check(self, binding: Binding) -> Iterable[str]:
        known = {f"{entry.tag}:{entry.index}" for entry in binding.inputs}
        for name in self.each:
            if (name if ":" in name else f"{name}:0") not in known:
                exists = ", ".join(sorted(entry.tag or f":{entry.index}" for entry in binding.inputs))
                yield f"'each' names the input '{name}', which is not connected; inputs: {exists}"
        if not self.each:
            yield "'each' must name an input that carries a mapping from key to item"
        if self.grace < 0:
            yield f"grace cannot be {self.grace}"

    def process(self, context: Context) -> None:
        raise NotImplementedError("ForEach runs within a graph only")
