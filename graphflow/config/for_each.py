"""ForEach: a graph that runs once for each key of its items, with state of its own for each key.

In YAML the one node to run is listed under `nodes`, and gets the connections of the container:

    people:
      calculator: ForEach
      inputs: {IMAGE: image, ROI: rois}           # rois: a mapping from key to item
      outputs: {LANDMARKS: landmarks}             # a mapping from key to what the node made of it
      options: {each: [ROI], grace: 15}
      nodes:
        person: {calculator: PersonLandmarks}
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from graphflow.config.spec import GraphSpec, NodeSpec, StreamRef
from graphflow.errors import Problem

FOR_EACH: Final = "ForEach"
"""The calculator name of a node that stands for any number of copies of another."""


def instance_graph(node: NodeSpec, problems: list[Problem]) -> GraphSpec | None:
    """The graph that runs once for each key: the contained node, connected as the container is.

    Args:
        node: the container, its parameters replaced.
        problems: receives containers of no node, or of several.
    """
    if len(node.contained) != 1:
        message = f"node '{node.name}': {FOR_EACH} takes one node under 'nodes', not {len(node.contained)}"
        problems.append(Problem(node.field_locations.get("nodes", node.location), message, "make a graph of them"))
        return None
    names: dict[str, int] = {}
    inputs, outputs = _inside(node.inputs, names), _inside(node.outputs, names)
    side_names: dict[str, int] = {}
    side_inputs = _inside(node.side_inputs, side_names)
    for ref in node.side_outputs:
        message = f"node '{node.name}': {FOR_EACH} has no side outputs, as there may be any number of instances"
        problems.append(Problem(ref.location, message, "make a stream of it"))
    inner = node.contained[0]
    return GraphSpec(
        inner.calculator,
        inputs=inputs,
        outputs=outputs,
        side_inputs=side_inputs,
        nodes=(replace(inner, inputs=inputs, outputs=outputs, side_inputs=side_inputs),),
        location=node.location,
        folder=node.folder,
    )


def _inside(refs: tuple[StreamRef, ...], names: dict[str, int]) -> tuple[StreamRef, ...]:
    """The container's interface under names that are distinct inside."""
    renamed = []
    for ref in refs:
        name = ref.name.rpartition("/")[2]
        names[name] = names.get(name, 0) + 1
        distinct = name if names[name] == 1 else f"{name}_{names[name]}"
        renamed.append(replace(ref, name=distinct, back_edge=False))
    return tuple(renamed)
