"""Every row is checked before it is yielded, and two readers of the published JSON Schemas say the same of it."""

from __future__ import annotations

import copy
import json
import random
from functools import cache

import jsonschema
import pytest

from sera_swezero import schemas
from sera_swezero.catalog import CONFIGS
from sera_swezero.check import contracts
from sera_swezero.core import message_order
from sera_swezero.errors import RowError
from sera_swezero.schemas import validate
from sera_swezero.sources import SOURCES
from sera_swezero.views import LINEAGE, VIEWS
from tests.support.mutations import dumped, mutate, places
from tests.support.raw import T2, ZERO, convert_one, line, sample_records, sample_rows

DRAFT = "https://json-schema.org/draft/2020-12/schema"
JSON_TYPES = {"string": "string", "int64": "integer", "float64": "number"}  # every other kind of column is a list


@cache
def rows(config, view):
    """The rows of a set in a view, incomplete ones too, shortest first."""
    return sorted(sample_rows(config, view, "keep")[0], key=lambda row: len(str(row)))


def contract_of(config, view):
    origin = CONFIGS[config].origins[0]
    return contracts()[VIEWS[view].schema(SOURCES[origin.source], origin.shape)]


# The schemas themselves.


@pytest.mark.parametrize("name", schemas.names())
def test_every_schema_is_valid_2020_12_and_bears_its_own_name(name):
    schema = schemas.load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DRAFT
    assert schema["$id"] == f"{name}.schema.json"
    assert schema["title"]
    # Compiling resolves every reference.
    assert [fault.path for fault in validate.faults(name, None)] == ["$"]


@pytest.mark.parametrize("name", ["tools-sera", "tools-swe-zero"])
def test_every_tool_is_a_function_whose_parameters_are_a_valid_schema(name):
    tools = schemas.load(name)
    assert tools
    for tool in tools:
        assert tool.keys() == {"type", "function"}
        assert tool["type"] == "function"
        assert tool["function"].keys() == {"name", "description", "parameters"}
        parameters = tool["function"]["parameters"]
        jsonschema.Draft202012Validator.check_schema(parameters)
        assert parameters["type"] == "object"
        assert set(parameters["required"]) <= parameters["properties"].keys()


@pytest.mark.parametrize("contract", contracts().values(), ids=contracts())
def test_a_schema_has_the_views_columns_in_order_with_their_types_and_nulls(contract):
    properties = schemas.load(contract.schema)["properties"]
    required = schemas.load(contract.schema)["required"]
    assert list(contract.columns) == required
    assert [name for name in properties if name in required] == required
    assert schemas.load(contract.schema)["additionalProperties"] is False
    for name, kind in contract.columns.items():
        types = properties[name]["type"]
        allowed = {types} if isinstance(types, str) else set(types)
        assert allowed - {"null"} == {JSON_TYPES.get(kind.removesuffix("?"), "array")}, name
        assert ("null" in allowed) == kind.endswith("?"), name


def test_the_lineage_schema_has_the_lineage_columns():
    schema = schemas.load("lineage")
    assert list(schema["properties"]) == schema["required"] == list(LINEAGE)


def test_every_view_of_every_set_has_a_contract():
    expected = {
        view.schema(source, shape)
        for view in VIEWS.values()
        for source in SOURCES.values()
        for shape in source.native_columns
    }
    assert contracts().keys() == expected <= set(schemas.names())


# The compiled schemas and `jsonschema`, side by side.


CALLS = [
    *('{"name": "a", "arguments": {}}', '{"name": "a", "arguments": {"n": 1e999}}', '{"name": "a", "arguments": "{}"}'),
    *('{"name": "a", "arguments": {}, "id": 1}', '{"name": 1, "arguments": {}}', '{"name": "bash"}', "{'a'}", "[]", ""),
]
ROLES = [*message_order.WRAPPERS, "assistant", "tool", "human", "gpt", "observation", "function_call", "System"]
VALUES = [*ROLES, "T1", "GLM-4.6", "Submitted", *(f"<tool_call>{call}</tool_call>" for call in CALLS)]


def broken(rng, row):
    """Return a copy of the row that is broken in its columns or inside its messages."""
    row = copy.deepcopy(row)
    messages = row.get("messages")
    leaves = isinstance(messages, list) and messages and isinstance(messages[0], str)
    if leaves:
        row["messages"] = [json.loads(leaf) for leaf in messages]
    elif isinstance(messages, str) and messages[:1] == "[":
        row["messages"] = json.loads(messages)
    if rng.random() < 0.5:
        texts = [(container, key) for container, key in places(row) if isinstance(container[key], str)]
        container, key = rng.choice(texts)
        container[key] = rng.choice([*VALUES, container[key][rng.randint(0, 12) :], f"{container[key]}\n"])
    else:
        row = mutate(rng, row)
    if isinstance(messages, str) and isinstance(row.get("messages"), list):
        row["messages"] = dumped(row["messages"], ensure_ascii=rng.random() < 0.5)
    elif leaves and isinstance(row.get("messages"), list):
        row["messages"] = [dumped(leaf) for leaf in row["messages"]]
    return row


@pytest.mark.parametrize(
    ("config", "view"),
    [*((T2, view) for view in VIEWS), (ZERO, "rectified"), (ZERO, "native"), ("swe-zero-12m", "native")],
)
def test_the_compiled_schemas_and_jsonschema_agree_on_broken_rows(config, view):
    contract, accepted = contract_of(config, view), 0
    for number in range(100):
        rng = random.Random(number)
        row = broken(rng, rng.choice(rows(config, view)[:12]))
        faults = contract.faults(row)
        slow = next(validate._validator(contract.schema).iter_errors(row), None)
        assert bool(validate.faults(contract.schema, row)) == (slow is not None), number
        accepted += not faults
        for fault in faults:
            assert fault.path.startswith("$")
            assert fault.found
            assert fault.expected
    assert 0 < accepted < 90


# The check inside loading.


def test_a_row_that_breaks_its_schema_is_refused_while_loading_with_every_problem():
    row = {**rows(T2, "rectified")[0], "teacher": "GPT", "func_name": None, "line_level_recall": 1.5}
    with pytest.raises(RowError) as caught:
        validate.check_row("rectified-sera", row)
    assert caught.value.reason == "bad_record"
    for path in ("$.teacher", "$.func_name", "$.line_level_recall"):
        assert path in caught.value.problem


@pytest.mark.parametrize("column", ["n_turns", "prompt_tokens"])
@pytest.mark.parametrize("value", [-1, 2**63])
def test_a_record_that_the_source_reads_but_no_column_holds_is_rejected(column, value):
    good = sample_records(ZERO)[0].data
    assert convert_one(good, ZERO).error is None
    error = convert_one({**good, column: value}, ZERO).error
    assert error.reason == "bad_record"
    assert column in error.problem


def test_native_rows_are_refused_while_loading_exactly_where_their_schema_refuses_them():
    whole = [json.loads(raw.data) for raw in sample_records(T2) if raw.data.startswith(b'{"messages": "[{')]
    for number in range(100):
        rng = random.Random(number)
        record = rng.choice(sorted(whole, key=lambda record: len(record["messages"]))[:12])
        messages = mutate(rng, {"messages": json.loads(record["messages"])}).get("messages")
        record = {**record, "messages": dumped(messages)}
        done = convert_one(line(record), T2, view="native", incomplete="keep")
        assert (done.error is None) == (not contracts()["native-sera"].faults(record)), number
