"""Every row is checked before it is yielded, and the fast check says what the published JSON Schemas say."""

from __future__ import annotations

import copy
import json
import logging
from functools import cache

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero import schemas
from sera_swezero.catalog import CONFIGS
from sera_swezero.check import contracts
from sera_swezero.convert import convert, convert_shard
from sera_swezero.core import message_order
from sera_swezero.core.system_prompt import system_text
from sera_swezero.core.trajectory import SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.report import Report
from sera_swezero.request.settle import settle
from sera_swezero.schemas import validate
from sera_swezero.schemas.columns import types_of
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import Raw, ShardReader, plan_shards, take_snapshot
from sera_swezero.views import LINEAGE, VIEWS, rectified

DRAFT = "https://json-schema.org/draft/2020-12/schema"
JSON_TYPES = {"string": "string", "int64": "integer", "float64": "number"}  # every other kind of column is a list
SETS = [name for name in CONFIGS if name != "sera"]


@cache
def raws(config):
    """The records of a set in the embedded corpus, with where they are from."""
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    asked = settle(config, upstream="sample")
    snapshot = take_snapshot(asked.origins, upstream="sample")
    origin = asked.origins[0]
    columns = types_of(SOURCES[origin.source].native_columns[origin.shape])
    return [raw for shard in plan_shards(snapshot.files) for raw in ShardReader(snapshot, shard, columns)]


@cache
def rows(config, view):
    """The rows of a set in a view, incomplete ones too, shortest first."""
    asked = settle(config, view=view, upstream="sample", incomplete="keep")
    snapshot = take_snapshot(asked.origins, upstream="sample")
    shards = plan_shards(snapshot.files)
    made = [made.text_row for shard in shards for _, made in convert_shard(shard, snapshot, asked, Report())]
    return sorted(made, key=lambda row: len(str(row)))


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
    assert not validate.accepts(name, None)
    assert [fault.path for fault in validate.faults(name, None)] == ["$"]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_tool_is_a_function_whose_parameters_are_a_valid_schema(source):
    tools = schemas.load(source.tools)
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


# The fast check and the JSON Schemas, side by side.


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("config", SETS)
def test_fast_check_and_schemas_both_accept_every_row_of_the_corpus(config, view):
    contract = contract_of(config, view)
    assert len(rows(config, view)) > 40
    for row in rows(config, view):
        assert contract.accepts(row)
        assert contract.faults(row) == []


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "\ud800", "T1", "GLM-4.6", "Submitted", "[]", "{}", "null", "[1]", "<think></think>\n", 1.0, 2**63]
    ),
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)
ROLES = [*message_order.WRAPPERS, "assistant", "tool", "human", "gpt", "observation", "function_call", "", "System"]


def mutate_columns(draw, row):
    name = draw(st.sampled_from([*row, "extra", "role"]))
    if draw(st.booleans()):
        row[name] = draw(JUNK)
    else:
        row.pop(name, None)


CALLS = [
    '{"name": "a", "arguments": {}}',
    '{"name": "a", "arguments": {"n": 1e999}}',
    '{"name": "a", "arguments": "{}"}',
    '{"name": "a", "arguments": {}, "id": 1}',
    '{"name": 1, "arguments": {}}',
    '{"name": "bash"}',
    "{'a'}",
    "[]",
    "NaN",
    "",
]
KEYS = ["extra", "name", "tool_calls", "tool_call_ids", "thought"]


def words_of(draw, text):
    """Other words for a content that is text: cut at its ends, a newline more, a tool call of another kind."""
    cut = text[draw(st.integers(0, 12)) : len(text) - draw(st.integers(0, 12))]
    call = f"<tool_call>{draw(st.sampled_from(CALLS))}</tool_call>"
    return draw(st.sampled_from([cut, f"{text}\n", call]) | JUNK)


def broken_message(draw, message):
    """The message with another role, a key more or less, or other words."""
    if not isinstance(message, dict) or not message:
        return draw(JUNK)
    key = draw(st.sampled_from([*message, *KEYS]))
    if draw(st.integers(0, 4)) == 0:
        return {name: value for name, value in message.items() if name != key}
    if key in ("role", "from"):
        return {**message, key: draw(st.sampled_from(ROLES) | JUNK)}
    if isinstance(message.get(key), str):
        return {**message, key: words_of(draw, message[key])}
    return {**message, key: draw(JUNK)}


def mutate_list(draw, messages):
    """Break a list of messages: a message less, twice, moved, the end cut off, or a message broken."""
    index = draw(st.integers(0, max(len(messages) - 1, 0)))
    other = draw(st.integers(0, max(len(messages) - 1, 0)))
    message = messages[index] if messages else {}
    changed = {
        "drop": [*messages[:index], *messages[index + 1 :]],
        "twice": [*messages[:index], message, message, *messages[index + 1 :]],
        "move": [*messages[:index], *messages[index + 1 :][:other], message, *messages[index + 1 :][other:]],
        "cut": messages[:index],
        "break": [*messages[:index], broken_message(draw, message), *messages[index + 1 :]],
    }
    messages[:] = changed[draw(st.sampled_from(["break", "break", "break", *changed]))]


def mutated(draw, row):
    """A copy of the row with one to three things changed, in its columns or inside its messages."""
    row = copy.deepcopy(row)
    payload = "conversations" if "conversations" in row else "messages"
    for _ in range(draw(st.integers(1, 3))):
        value = row.get(payload)
        if draw(st.integers(0, 3)) == 0 or not isinstance(value, str | list):
            mutate_columns(draw, row)
        elif isinstance(value, list) and value and all(isinstance(leaf, str) and leaf[:1] == "{" for leaf in value):
            leaves = [json.loads(leaf) for leaf in value]
            mutate_list(draw, leaves)
            row[payload] = [leaf if isinstance(leaf, str) else json.dumps(leaf) for leaf in leaves]
        elif isinstance(value, list):
            mutate_list(draw, value)
        else:
            try:
                messages = json.loads(value)
            except ValueError:
                mutate_columns(draw, row)
                continue
            if isinstance(messages, list):
                mutate_list(draw, messages)
                row[payload] = json.dumps(messages, ensure_ascii=draw(st.booleans()))
    return row


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("config", ["glm-4.6-lite-t2", "swe-zero-1k-32k", "swe-zero-12m"])
@given(data=st.data())
def test_fast_check_and_schemas_agree_on_broken_rows(config, view, data):
    contract = contract_of(config, view)
    row = mutated(data.draw, data.draw(st.sampled_from(rows(config, view)[:12])))
    faults = contract.faults(row)
    assert contract.accepts(row) == (not faults), faults
    for fault in faults:
        assert fault.path.startswith("$")
        assert fault.found
        assert fault.expected


# The check inside loading.


def pairs_of(row):
    return [(message["role"], message["content"]) for message in json.loads(row["messages"])]


@given(data=st.data())
def test_the_check_while_loading_is_the_schema_and_the_grammar(data):
    """But for wrappers, which are literals of the code that writes rows: the next test holds these."""
    contract = contract_of("swe-zero-1k-32k", "rectified")
    row = data.draw(st.sampled_from(rows("swe-zero-1k-32k", "rectified")[:20]))
    pairs = pairs_of(row)
    for _ in range(data.draw(st.integers(1, 2))):
        index = data.draw(st.integers(0, len(pairs)))
        way = data.draw(st.sampled_from(["drop", "twice", "role", "status"]))
        if way == "status":
            row = {**row, "exit_status": data.draw(st.sampled_from(["Submitted", "incomplete", None, "submitted"]))}
        elif index < len(pairs):
            role, content = pairs[index]
            other = data.draw(st.sampled_from([name for name in message_order.WRAPPERS if name != "tool_call"]))
            text = content.removeprefix(message_order.WRAPPERS[role][0]).removesuffix(message_order.WRAPPERS[role][1])
            changed = {
                "drop": [],
                "twice": [pairs[index]] * 2,
                "role": [(other, text.join(message_order.WRAPPERS[other]))],
            }
            pairs[index : index + 1] = changed[way]
    told = [{"role": role, "content": content} for role, content in pairs]
    row = {**row, "messages": json.dumps(told, ensure_ascii=False)}
    try:
        rectified._check_order([role for role, _ in pairs], submitted=str(row["exit_status"]).lower() == "submitted")
        validate.check_row(contract.schema, row)
        accepted = True
    except RowError:
        accepted = False
    assert accepted == (not contract.faults(row))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
STEPS = st.builds(
    Step, TEXTS, st.just(""), st.builds(ToolCall, TEXTS, st.builds(json.dumps, st.dictionaries(TEXTS, TEXTS))), TEXTS
)


@given(st.lists(STEPS, max_size=4), TEXTS, TEXTS, TEXTS)
def test_every_text_is_written_in_its_wrapper_as_json_dumps_would(steps, briefing, task, answer):
    final = Step("why", answer, None, None)
    written = Trajectory(briefing, task, (*steps, final), Outcome(SUBMITTED))
    wanted = [("system", system_text("tools-sera", briefing)), ("user", task)]
    for step in steps:
        call = f'{{"name": {json.dumps(step.call.name, ensure_ascii=False)}, "arguments": {step.call.arguments}}}'
        texts = {"reasoning": step.reasoning, "tool_call": call, "tool_output": step.observation}
        wanted += [(role, text.join(message_order.WRAPPERS[role])) for role, text in texts.items()]
    wanted += [("reasoning", "<think>why</think>")] + [("answer", f"<answer>{answer}</answer>")] * bool(answer)
    told = [{"role": role, "content": content} for role, content in wanted]
    roles, row = rectified.write(written, "tools-sera", briefing)
    assert roles == [role for role, _ in wanted]
    assert row.decode() == json.dumps(told, ensure_ascii=False)
    assert all(message_order.wrapped(*message) for message in wanted)


def test_a_row_that_breaks_its_schema_is_refused_while_loading_with_every_problem():
    row = {**rows("glm-4.6-lite-t2", "rectified")[0], "teacher": "GPT", "func_name": None, "line_level_recall": 1.5}
    with pytest.raises(RowError) as caught:
        validate.check_row("rectified-sera", row)
    assert caught.value.reason == "bad_record"
    for path in ("$.teacher", "$.func_name", "$.line_level_recall"):
        assert path in caught.value.problem


@pytest.mark.parametrize("column", ["n_turns", "prompt_tokens"])
@pytest.mark.parametrize("value", [-1, 2**63])
def test_a_record_that_the_source_reads_but_no_column_holds_is_rejected(column, value):
    asked = settle("swe-zero-1k-32k", upstream="sample")
    good = raws("swe-zero-1k-32k")[0]
    assert convert(good, asked.origins[0], asked) is not None
    with pytest.raises(RowError, match=column) as caught:
        convert(Raw(0, {**good.data, column: value}), asked.origins[0], asked)
    assert caught.value.reason == "bad_record"


ARGUMENTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            '{"a": NaN}',
            '{"a": 1e400}',
            "{}",
            " {} ",
            '{"a": "</tool_call>"}',
            '{"n": ' + "9" * 30 + "}",
            "[]",
            "null",
            '{"a": "\\ud800"}',
            '{"a": 1}, "x": {"b": 2}',
            '{"a": 1}}',
        ]
    ),
    st.dictionaries(
        st.text(max_size=5), st.text(max_size=5) | st.integers() | st.floats(allow_nan=False), max_size=3
    ).map(json.dumps),
)


@pytest.mark.parametrize("view", VIEWS)
@given(arguments=ARGUMENTS, name=st.text(max_size=10), text=st.text(max_size=40))
def test_hostile_words_give_a_right_row_or_none(view, arguments, name, text):
    raw = json.loads(next(raw for raw in raws("glm-4.6-lite-t2") if raw.data.startswith(b'{"messages": "[{')).data)
    history = json.loads(raw["messages"])
    turn = next(message for message in history if message.get("tool_calls"))
    turn["tool_calls"][0]["function"] |= {"name": name, "arguments": arguments}
    turn["thought"] = turn["content"] = text
    raw["messages"] = json.dumps(history)
    asked = settle("glm-4.6-lite-t2", view=view, upstream="sample", incomplete="keep")
    try:
        row = convert(Raw(0, json.dumps(raw).encode()), asked.origins[0], asked).text_row
    except RowError:
        return
    assert contract_of("glm-4.6-lite-t2", view).faults(row) == []


@given(data=st.data())
def test_native_rows_are_refused_while_loading_exactly_where_their_schema_refuses_them(data):
    whole = [json.loads(raw.data) for raw in raws("glm-4.6-lite-t2") if raw.data.startswith(b'{"messages": "[{')]
    raw = data.draw(st.sampled_from(sorted(whole, key=lambda record: len(record["messages"]))[:12]))
    try:
        history = json.loads(raw["messages"])
    except ValueError:
        return
    mutate_list(data.draw, history)
    raw = {**raw, "messages": json.dumps(history)}
    asked = settle("glm-4.6-lite-t2-native", upstream="sample", incomplete="keep")
    try:
        convert(Raw(0, json.dumps(raw).encode()), asked.origins[0], asked)
        accepted = True
    except RowError:
        accepted = False
    assert accepted == (not contracts()["native-sera"].faults(raw))
