"""A graph as text that other programs draw: Mermaid, Graphviz."""

from __future__ import annotations

import json
from collections.abc import Iterator

from graphflow.drawing.model import Box, End, Level, Wire


def mermaid_text(level: Level, depth: int = 0) -> str:
    """A Mermaid flowchart, as Markdown pages show them; subgraphs are laid open `depth` levels deep."""
    lines = ["flowchart TB", *_mermaid_level(level, depth, "  ")]
    lines += [
        "  classDef graph fill:#e6f4f7,stroke:#0b7285,stroke-width:2px",
        "  classDef input fill:#e4e7eb,stroke:#9aa5b1",
        "  classDef output fill:#d9f2e3,stroke:#57a773",
    ]
    backs = [str(i) for i, (_, _, wire, end) in enumerate(_edges(level, depth)) if end.back]
    if backs:
        lines.append(f"  linkStyle {','.join(backs)} stroke:#d9480f,stroke-dasharray:6 4")
    return "\n".join(lines) + "\n"


def dot_text(level: Level, depth: int = 0) -> str:
    """Text for Graphviz's `dot`; subgraphs are laid open `depth` levels deep."""
    lines = [
        f"digraph {json.dumps(level.name)} {{",
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica"];',
        '  edge [fontname="Helvetica", fontsize=9, color="#7b8794"];',
        *_dot_level(level, depth, "  "),
    ]
    for start, target, wire, end in _edges(level, depth):
        style = ', style=dashed, color="#d9480f", constraint=false' if end.back else ""
        style = style or (', style=dotted, color="#7048e8"' if wire.side else "")
        lines.append(f"  {json.dumps(start)} -> {json.dumps(target)} [label={json.dumps(wire.name)}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _is_open(box: Box, depth: int) -> bool:
    return box.inside is not None and box.inside.depth <= depth


def _identity(level: Level, box: Box) -> str:
    """A name that no other box has; what comes in and goes out of a graph may have the name of a node."""
    prefix = f"{level.path}/" if level.path else ""
    return prefix + box.name + {"input": " in", "output": " out"}.get(box.kind, "")


def _edges(level: Level, depth: int) -> Iterator[tuple[str, str, Wire, End]]:
    """From box to box; of an open subgraph from and to the ends of its streams inside."""
    for wire in level.wires:
        for end in wire.targets:
            yield _end(level, wire.source, "bottom", depth), _end(level, end, "top", depth), wire, end
    for box in level.boxes:
        if box.inside is not None and _is_open(box, depth):
            yield from _edges(box.inside, depth)


def _end(level: Level, end: End, side: str, depth: int) -> str:
    box = level.boxes[end.box]
    if box.inside is None or not _is_open(box, depth):
        return _identity(level, box)
    kind, ports = ("input", box.tops) if side == "top" else ("output", box.bottoms)
    tag, _, index = ports[end.port].label.partition(":")
    position = int(index or 0) if tag else sum(not port.label for port in ports[: end.port])
    ends = [inner for inner in box.inside.boxes if inner.kind == kind and inner.calculator == tag]
    return _identity(box.inside, ends[position]) if position < len(ends) else _identity(level, box)


def _mermaid_level(level: Level, depth: int, indent: str) -> Iterator[str]:
    for box in level.boxes:
        name = _mermaid_name(_identity(level, box))
        if box.inside is not None and _is_open(box, depth):
            yield f'{indent}subgraph {name}["{box.name}: {box.calculator}"]'
            yield from _mermaid_level(box.inside, depth, indent + "  ")
            yield f"{indent}end"
        elif box.kind in ("input", "output"):
            yield f'{indent}{name}(["{box.name}"]):::{box.kind}'
        else:
            style = ":::graph" if box.kind == "graph" else ""
            yield f'{indent}{name}["{box.name}<br/>{box.calculator}"]{style}'
    if not level.path:
        for start, target, wire, end in _edges(level, depth):
            arrow = "-.->" if end.back or wire.side else "-->"
            yield f'{indent}{_mermaid_name(start)} {arrow}|"{wire.name}"| {_mermaid_name(target)}'


def _mermaid_name(identity: str) -> str:
    return "n_" + identity.replace("/", "__").replace(" ", "___")


def _dot_level(level: Level, depth: int, indent: str) -> Iterator[str]:
    for box in level.boxes:
        name = json.dumps(_identity(level, box))
        if box.inside is not None and _is_open(box, depth):
            yield f"{indent}subgraph {json.dumps('cluster_' + _identity(level, box))} {{"
            title = json.dumps(f"{box.name}: {box.calculator}")
            yield f'{indent}  label={title}; color="#0b7285"; fontname="Helvetica";'
            yield from _dot_level(box.inside, depth, indent + "  ")
            yield f"{indent}}}"
        elif box.kind in ("input", "output"):
            colour = "#e4e7eb" if box.kind == "input" else "#d9f2e3"
            yield f'{indent}{name} [label={json.dumps(box.name)}, shape=ellipse, fillcolor="{colour}"];'
        else:
            style = ', color="#0b7285", peripheries=2' if box.kind == "graph" else ""
            title = json.dumps(f"{box.name}\n{box.calculator}")
            yield f"{indent}{name} [label={title}{style}];"
