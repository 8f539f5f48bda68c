"""The YAML front matter of a dataset card, and what the hub demands of it."""

from __future__ import annotations

import re
from typing import Any

import yaml  # type: ignore[import-untyped]

_BLOCK = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)


def front_matter(text: str) -> dict[str, Any]:
    """The metadata of a card, empty when there is none or when it is not a mapping in valid YAML."""
    try:
        metadata = parse(text)
    except ValueError:
        return {}
    return metadata


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


def problems(text: str) -> tuple[list[str], list[str]]:
    """(errors, warnings) of a card, as the hub reports them when it is committed."""
    try:
        metadata = parse(text)
    except ValueError as problem:
        return [str(problem)], []
    if not metadata:
        return [], ["empty or missing yaml metadata in repo card"]
    return [*_configs(metadata.get("configs")), *_infos(metadata.get("dataset_info"))], []


def _configs(configs: Any) -> list[str]:
    if configs is None:
        return []
    if not isinstance(configs, list):
        return ['"configs" must be an array']
    errors = []
    for index, config in enumerate(configs):
        if not isinstance(config, dict) or not isinstance(config.get("config_name"), str):
            errors.append(f'"configs[{index}].config_name" is required and must be a string')
            continue
        if not isinstance(config.get("default", False), bool):
            errors.append(f'"configs[{index}].default" must be a boolean')
        if "data_files" in config and not _is_data_files(config["data_files"]):
            errors.append(
                f'"configs[{index}].data_files" must be a path, an array of paths or an array of {{split, path}}'
            )
    names = [config["config_name"] for config in configs if isinstance(config, dict) and "config_name" in config]
    errors += [
        f'"configs" names "{name}" more than once' for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if sum(config.get("default") is True for config in configs if isinstance(config, dict)) > 1:
        errors.append('"configs" may have one default only')
    return errors


def _is_data_files(value: Any) -> bool:
    def path(one: Any) -> bool:
        return isinstance(one, str) or (isinstance(one, list) and all(isinstance(each, str) for each in one))

    def split(one: Any) -> bool:
        return isinstance(one, dict) and isinstance(one.get("split"), str) and path(one.get("path"))

    return path(value) or (isinstance(value, list) and bool(value) and all(split(one) for one in value))


def _infos(infos: Any) -> list[str]:
    if infos is None:
        return []
    several = isinstance(infos, list)
    errors = []
    for index, info in enumerate(infos if several else [infos]):
        where = f"dataset_info[{index}]" if several else "dataset_info"
        if not isinstance(info, dict):
            errors.append(f'"{where}" must be an object')
            continue
        if several and not isinstance(info.get("config_name"), str):
            errors.append(f'"{where}.config_name" is required and must be a string')
        errors += [
            f'"{where}.{key}" must be an integer of bytes'
            for key in ("download_size", "dataset_size")
            if key in info and not isinstance(info[key], int)
        ]
        for key in ("features", "splits"):
            if key in info and not _named(info[key]):
                errors.append(f'"{where}.{key}" must be an array of objects with a "name"; numbers must be integers')
    return errors


def _named(value: Any) -> bool:
    def good(one: Any) -> bool:
        return (
            isinstance(one, dict)
            and isinstance(one.get("name"), str)
            and all(isinstance(one[key], int) for key in ("num_bytes", "num_examples") if key in one)
        )

    return isinstance(value, list) and all(good(one) for one in value)
