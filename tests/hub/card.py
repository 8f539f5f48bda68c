"""The YAML front matter of a dataset card, and what the hub demands of it."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import yaml  # type: ignore[import-untyped]

_BLOCK = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_PATHS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_SPLIT = {"type": "object", "required": ["split", "path"], "properties": {"split": _TEXT, "path": _PATHS}}
_CONFIG = {
    "type": "object",
    "required": ["config_name"],
    "properties": {
        "config_name": _TEXT,
        "default": {"type": "boolean"},
        "data_files": {"anyOf": [_PATHS, {"type": "array", "items": _SPLIT, "minItems": 1}]},
    },
}
_NAMED = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _TEXT, "num_bytes": _NUMBER, "num_examples": _NUMBER},
    },
}
_INFO = {
    "type": "object",
    "properties": {
        "config_name": _TEXT,
        "features": _NAMED,
        "splits": _NAMED,
        "download_size": _NUMBER,
        "dataset_size": _NUMBER,
    },
}
_DEFAULT = {"properties": {"default": {"const": True}}, "required": ["default"]}
_CARD = jsonschema.Draft202012Validator(
    {
        "properties": {
            "configs": {"type": "array", "items": _CONFIG, "contains": _DEFAULT, "minContains": 0, "maxContains": 1},
            "dataset_info": {"anyOf": [_INFO, {"type": "array", "items": {**_INFO, "required": ["config_name"]}}]},
        }
    }
)


def parse(text: str) -> dict[str, Any]:
    """The metadata of a card. Raises ValueError when the block is not valid YAML or not a mapping."""
    block = _BLOCK.match(text)
    if block is None:
        return {}
    try:
        metadata = yaml.safe_load(block[1]) or {}
    except yaml.YAMLError as problem:
        raise ValueError(f"Invalid YAML: {problem}") from problem
    if isinstance(metadata, dict):
        return metadata
    raise ValueError("The YAML front matter must be a mapping")


def problems(text: str) -> list[str]:
    """The errors of a card, as the hub reports them when it is committed."""
    try:
        metadata = parse(text)
    except ValueError as problem:
        return [str(problem)]
    errors = [f"{error.json_path}: {error.message}" for error in _CARD.iter_errors(metadata)]
    names = [] if errors else [config["config_name"] for config in metadata.get("configs", ())]
    return errors + [f'"configs" names "{name}" more than once' for name in set(names) if names.count(name) > 1]
