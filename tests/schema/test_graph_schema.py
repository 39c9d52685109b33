"""The JSON Schema of graphs: right graphs pass, mistakes do not, and editors find what to offer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from graphflow import config, registry
from graphflow.config.loading import read
from graphflow.schema import graph_schema

TINY = Path(__file__).parents[1] / "graphs"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema of the tiny graphs' folder."""
    return graph_schema(TINY)


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(schema)


def shipped() -> list[Path]:
    files = [Path(read(name).location.file) for name in (*config.graph_names(), *config.module_names())]
    return [*files, *(path for path in TINY.glob("*.yaml") if path.stem not in ("endless", "hollow"))]


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(schema)
    # what yaml-language-server knows: draft-07, references within the file
    text = json.dumps(schema)
    for later in ('"$defs"', '"prefixItems"', '"unevaluatedProperties"', '"dependentRequired"'):
        assert later not in text
    definitions = schema["definitions"]
    assert all(ref.removeprefix("#/definitions/").partition("/")[0] in definitions for ref in references(schema))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for entry in value.values():
            yield from references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from references(entry)


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_graphs_that_are_right_pass(validator: jsonschema.Draft7Validator, path: Path) -> None:
    errors = [f"{list(error.absolute_path)}: {error.message[:300]}" for error in validator.iter_errors(document(path))]
    assert errors == []


def document(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


MISTAKES: dict[str, str] = {
    "unknown key": "nods: {}\nnodes: {}\n",
    "no nodes": "graph: G\n",
    "unknown key of a node": "nodes: {n: {calculator: PassThrough, inputs: [a], outputs: [b], optins: {}}}\n",
    "no calculator": "nodes: {n: {inputs: [a]}}\n",
    "unknown calculator": "nodes: {n: {calculator: PassThru}}\n",
    "name in upper case": "nodes: {N: {calculator: PassThrough, inputs: [a], outputs: [b]}}\n",
    "unknown option": "nodes: {n: {calculator: Gate, inputs: [a, 'ALLOW:b'], outputs: [c], options: {alow: 1}}}\n",
    "option of another type": (
        "nodes: {n: {calculator: Gate, inputs: {'': a, ALLOW: b}, outputs: [c], options: {allow: 3}}}\n"
    ),
    "not among the values": (
        "nodes: {n: {calculator: TensorsToFloats, inputs: {TENSORS: a}, outputs: {FLOAT: b},"
        " options: {activation: SIGMOYD}}}\n"
    ),
    "nested option": (
        "nodes: {n: {calculator: ImageToTensor, inputs: {IMAGE: a}, outputs: {TENSORS: b},"
        " options: {output_tensor_float_range: {min: 0.0, maks: 1.0}}}}\n"
    ),
    "option of the user's calculator": (
        "nodes: {n: {calculator: './calculators.py:Double', inputs: {VALUE: a}, outputs: {RESULT: b},"
        " options: {mode: SLOW}}}\n"
    ),
    "option that must be set": (
        "nodes: {n: {calculator: './calculators.py:Spell', inputs: {VALUE: a}, outputs: {TEXT: b}}}\n"
    ),
    "one of two that must be set": (
        "nodes: {n: {calculator: './calculators.py:Spell', inputs: {VALUE: a}, outputs: {TEXT: b}, options: {}}}\n"
    ),
    "unknown tag": "nodes: {n: {calculator: ImageProperties, inputs: {IMAJE: a}, outputs: {SIZE: b}}}\n",
    "unknown tag in a list": "nodes: {n: {calculator: ImageProperties, inputs: ['IMAJE:a'], outputs: {SIZE: b}}}\n",
    "input missing": "nodes: {n: {calculator: './calculators.py:Double', outputs: {RESULT: b}}}\n",
    "input missing from a mapping": (
        "nodes: {n: {calculator: './calculators.py:Join', inputs: {BIAS: a}, outputs: {TOTAL: b}}}\n"
    ),
    "untagged input missing": "nodes: {n: {calculator: './calculators.py:Shout', inputs: ['CALM:a'], outputs: [b]}}\n",
    "two streams where one fits": (
        "nodes: {n: {calculator: './calculators.py:Double', inputs: {VALUE: [a, b]}, outputs: {RESULT: c}}}\n"
    ),
    "side inputs of none": (
        "nodes: {n: {calculator: './calculators.py:Double', inputs: {VALUE: a}, outputs: {RESULT: b},"
        " side_inputs: {X: s}}}\n"
    ),
    "stream in upper case": "nodes: {n: {calculator: ImageProperties, inputs: {IMAGE: A}, outputs: {SIZE: b}}}\n",
    "back edge of an output": (
        "nodes: {n: {calculator: ImageProperties, inputs: {IMAGE: a}, outputs: {SIZE: {stream: b, back_edge: true}}}}\n"
    ),
    "unknown input policy": (
        "nodes: {n: {calculator: PassThrough, inputs: [a], outputs: [b], input_policy: imediate}}\n"
    ),
    "option of another policy": (
        "nodes: {n: {calculator: PassThrough, inputs: [a], outputs: [b],"
        " input_policy: {name: barrier, batch_size: 2}}}\n"
    ),
    "when": "nodes: {n: {calculator: PassThrough, inputs: [a], outputs: [b], when: smooth}}\n",
    "subgraph's tag": "nodes: {n: {calculator: HandLandmarks, inputs: {IMAJE: a}, outputs: {LANDMARKS: b}}}\n",
    "subgraph's parameter": (
        "nodes: {n: {calculator: HandLandmarks, inputs: {IMAGE: a}, outputs: {LANDMARKS: b},"
        " options: {model_complexiti: 1}}}\n"
    ),
    "subgraph's parameter of another type": (
        "nodes: {n: {calculator: holistic, inputs: {IMAGE: a}, outputs: {OVERLAY: b},"
        " options: {smooth_landmarks: 1.5}}}\n"
    ),
    "subgraph's parameter that must be given": (
        "nodes: {n: {calculator: Scale, inputs: {VALUE: a}, outputs: {RESULT: b}}}\n"
    ),
    "calculator's field on a subgraph": (
        "nodes: {n: {calculator: HandLandmarks, inputs: {IMAGE: a}, outputs: {LANDMARKS: b}, max_in_flight: 2}}\n"
    ),
    "number of threads": "num_threads: many\nnodes: {}\n",
    "executor": "executors: {x: {threads: 2}}\nnodes: {}\n",
    "contained option": (
        "nodes: {n: {calculator: SwitchContainer, inputs: {A: a}, outputs: {A: b},"
        " nodes: {m: {calculator: Gate, options: {alow: true}}}}}\n"
    ),
}

MISTAKES["option of a contained graph"] = (
    "nodes: {n: {calculator: ForEach, inputs: {IMAGE: a}, outputs: {A: b}, options: {each: [IMAGE]},"
    " nodes: {m: {calculator: PersonParts, options: {smoth: true}}}}}\n"
)

FINE: dict[str, str] = {
    "parameters anywhere": (
        "nodes: {n: {calculator: ImageToTensor, inputs: {IMAGE: a}, outputs: {TENSORS: b}, queue_size: $q,"
        " when: not $p, options: {output_tensor_width: $w, output_tensor_float_range: {min: $low, max: 1}}}}\n"
    ),
    "a list of one without brackets": (
        "nodes: {n: {calculator: SplitTensorVector, inputs: [a], outputs: [b],"
        " options: {ranges: {begin: 0, end: 1}}}}\n"
    ),
    "MediaPipe's names": (
        "nodes: {n: {calculator: GateCalculator, inputs: ['a', 'ALLOW:b'], outputs: [c],"
        " options: {empty_packets_as_allow: true}}}\n"
    ),
    "another file": "nodes: {n: {calculator: './more.py:Name', inputs: [a]}, m: {calculator: ./other.yaml}}\n",
    "an output left out": (
        "nodes: {n: {calculator: './calculators.py:Branch', inputs: [a], outputs: [b, ~, c]}}\n"
    ),
    "options from parameters": (
        "nodes: {n: {calculator: './calculators.py:Spell', inputs: {VALUE: a}, outputs: {TEXT: b},"
        " options_from: {language: lang}}}\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_seen(validator: jsonschema.Draft7Validator, text: str) -> None:
    assert not validator.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_what_is_right_is_not_refused(validator: jsonschema.Draft7Validator, text: str) -> None:
    assert [error.message[:300] for error in validator.iter_errors(yaml.safe_load(text))] == []


def test_every_calculator_is_offered_with_ports_options_and_docs(schema: dict[str, Any]) -> None:
    offered = schema["definitions"]["calculator"]["anyOf"][0]["enum"]
    said = schema["definitions"]["calculator"]["anyOf"][0]["enumDescriptions"]
    assert dict(zip(offered, said, strict=True))["Gate"].startswith("Passes its data while allowed")
    assert {*registry.names(), *config.graph_names(), *config.module_names()} <= set(offered)
    assert {"./calculators.py:Double", "./brightness.py:Over", "Nested", "SwitchContainer"} <= set(offered)
    gate = schema["definitions"]["calculator-Gate"]["properties"]
    assert gate["calculator"]["description"].startswith("Passes its data while allowed")
    assert "ALLOW" in gate["inputs"]["anyOf"][0]["properties"]
    options = schema["definitions"]["options-ImageToTensor"]["properties"]
    assert options["keep_aspect_ratio"]["default"] is False
    assert "Default: false" in options["keep_aspect_ratio"]["description"]
    for name in registry.names():
        declared = registry.find(name).options()
        assert set(schema["definitions"][f"options-{name}"]["properties"]) == set(declared)
    activation = schema["definitions"]["options-TensorsToFloats"]["properties"]["activation"]
    assert activation["anyOf"][0]["enum"] == ["NONE", "SIGMOID"]
    holistic = schema["definitions"]["graph-Holistic"]["properties"]
    smooth = holistic["options"]["properties"]["smooth_landmarks"]
    assert smooth["description"] == "over time; false for unrelated images\n\nDefault: true"
