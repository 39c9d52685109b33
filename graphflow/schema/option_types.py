"""The type of an option as JSON Schema (draft-07 keywords)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, PydanticSchemaGenerationError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from graphflow.calculator import Calculator
from graphflow.ports import REQUIRED

Schema = dict[str, Any]

PARAMETER: Schema = {"$ref": "#/definitions/parameter"}
"""A text with a parameter of the graph in it, which may stand for anything."""


def options_schema(calculator: type[Calculator]) -> Schema:
    """The `options` of a node of a calculator; that some must be set is for the node to say."""
    declared = calculator.options()
    properties: dict[str, Schema] = {}
    for name, option in declared.items():
        schema = option_schema(calculator.option_type(name))
        doc = option.doc
        if option.default is not REQUIRED:
            default = plain(option.default)
            schema["default"] = default
            doc = f"{doc}\n\nDefault: {json.dumps(default, ensure_ascii=False)}".strip()
        properties[name] = schema | ({"description": doc} if doc else {})
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def option_schema(annotation: Any) -> Schema:
    """What may be written for a type; anywhere in it a parameter of the graph."""
    try:
        found = TypeAdapter(annotation).json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):  # a class of the author's own
        return {}
    return _converted(found, found.get("$defs", {}))


def plain(value: Any) -> Any:
    """A default as JSON and YAML can show it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _converted(schema: Any, definitions: Mapping[str, Any]) -> Schema:
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        return _converted(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    result = {key: value for key, value in schema.items() if key in _KEPT}
    for key in ("anyOf", "oneOf"):
        if key in schema:
            members = [_converted(entry, definitions) for entry in schema[key]]
            flat = [inner for entry in members for inner in entry.get("anyOf", [entry])]
            result["anyOf"] = [entry for i, entry in enumerate(flat) if entry not in flat[:i]]
    if "properties" in schema:
        result["properties"] = {name: _converted(entry, definitions) for name, entry in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _converted(schema["additionalProperties"], definitions)
    if "prefixItems" in schema:
        result["items"] = [_converted(entry, definitions) for entry in schema["prefixItems"]]
        result["additionalItems"] = False
    elif "items" in schema:
        result["items"] = _converted(schema["items"], definitions)
    limited = bool({"enum", "const"} & set(result))
    plain_type = result.get("type")
    if "anyOf" in result or not (limited or plain_type) or (plain_type in ("string", "null") and not limited):
        return result
    described = {key: result.pop(key) for key in ("description", "default") if key in result}
    choices = [result]
    if result.get("type") == "array" and isinstance(result.get("items"), dict):
        choices.append(result["items"])  # a list of one may be written without brackets
    return {"anyOf": [*choices, PARAMETER], **described}


_KEPT = frozenset(
    {
        "type", "enum", "const", "default", "description", "required", "additionalProperties", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "pattern",
    }
)  # fmt: skip
