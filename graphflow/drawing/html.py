"""A graph as a page to explore: one file that needs no network."""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from importlib import resources
from typing import Any

from graphflow.drawing import placement
from graphflow.drawing.layers import in_rows
from graphflow.drawing.model import Box, Level
from graphflow.drawing.svg import COLOURS, STYLE
from graphflow.ports import REQUIRED
from graphflow.schema.option_types import plain

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{name} — graphflow</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{name}</h1><p title="{doc}">{doc}</p>
<input id="search" type="search" placeholder="find a node" aria-label="find a node">
<button id="expand">open all</button><button id="collapse">close all</button><button id="fit">fit</button>
</header>
<main>
<svg id="picture" xmlns="http://www.w3.org/2000/svg"><g id="scene"></g></svg>
<aside id="panel" hidden></aside>
</main>
<div id="legend"></div>
<div id="tip" hidden></div>
<script>const DATA = {data};
{script}</script>
</body>
</html>
"""


def html_page(level: Level, depth: int = 0) -> str:
    """The page; subgraphs are open `depth` levels deep at first."""
    opened: list[str] = []
    groups: set[str] = set()
    data = {
        "level": _level(level, depth, opened, groups),
        "open": opened,
        "colours": COLOURS,
        "legend": sorted(("subgraph" if group == "graph" else group, COLOURS[group]) for group in groups),
        "geometry": {
            "box": placement.BOX_HEIGHT,
            "pill": placement.PILL_HEIGHT,
            "rowGap": placement.ROW_GAP,
            "boxGap": placement.BOX_GAP,
            "point": placement.POINT_WIDTH,
            "margin": placement.MARGIN,
            "header": placement.HEADER,
            "rounds": placement.ROUNDS,
            "bold": placement.BOLD,
            "straightness": placement.STRAIGHTNESS,
        },
    }
    # a text in the graph must not end the script
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str).replace("</", "<\\/")
    style = STYLE + _file("page.css")
    return _PAGE.format(
        name=escape(level.name), doc=escape(level.doc), style=style, data=text, script=_file("page.js")
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _level(level: Level, depth: int, opened: list[str], groups: set[str]) -> dict[str, Any]:
    rows = in_rows(level)
    return {
        "name": level.name,
        "path": level.path,
        "boxes": [_box(box, depth, opened, groups) for box in level.boxes],
        "wires": [{"name": wire.name, "type": wire.type, "side": wire.side} for wire in level.wires],
        "rows": rows.rows,
        "pieces": [asdict(piece) for piece in rows.pieces],
        "cells": max((cell for row in rows.rows for cell in row), default=-1) + 1,
    }


def _box(box: Box, depth: int, opened: list[str], groups: set[str]) -> dict[str, Any]:
    if box.kind in ("node", "graph"):
        groups.add("graph" if box.kind == "graph" else box.group if box.group in COLOURS else "own")
    if box.inside is not None and box.inside.depth <= depth:
        opened.append(box.inside.path)
    return {
        "kind": box.kind,
        "name": box.name,
        "calculator": box.calculator,
        "group": box.group,
        "doc": box.doc,
        "tops": [asdict(port) for port in box.tops],
        "bottoms": [asdict(port) for port in box.bottoms],
        "options": [
            {"name": option.name, "value": _value(option.value), "default": _value(option.default), "doc": option.doc}
            for option in box.options
        ],
        "policy": box.policy,
        "place": box.place,
        "inside": _level(box.inside, depth, opened, groups) if box.inside is not None else None,
    }


def _value(value: Any) -> Any:
    return {"required": True} if value is REQUIRED else plain(value)
