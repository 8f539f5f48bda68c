"""SERA oddities in calls and in what the environment answers."""

from __future__ import annotations

from tools.sample_corpus.edges import Table
from tools.sample_corpus.plan import Plan, Turn, observe
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera.steps import bash, model_turn, ordinary

EDGES = Table()
edge = EDGES.edge

CLIP = 100_000
"""Characters after which the harness clips an output."""


@edge(full_t1=1, lite_t1=1)
def index_absent(scene: Scene, plan: Plan) -> None:
    """Calls without `index`, and with 0 for it, where the server writes -1."""
    plan.put(scene.rng, ordinary(scene, edit=lambda said, reply: said["tool_calls"][0].pop("index")))
    plan.put(scene.rng, ordinary(scene, edit=lambda said, reply: said["tool_calls"][0].update(index=0)))


@edge(full_t1=1, full_t2=1, lite_t2=1)
def arguments_object(scene: Scene, plan: Plan) -> None:
    """Arguments as an object instead of its JSON text, one of them nested."""
    how = {"command": "ls", "env": {"LANG": "C", "deep": [1, {"x": None}]}}
    for arguments in ({"command": "pwd"}, how):
        turn = bash(
            scene,
            "/testbed\n",
            edit=lambda said, reply, value=arguments: said["tool_calls"][0]["function"].update(arguments=value),
        )
        plan.put(scene.rng, turn)


@edge(full_t1=1, full_t2=1, lite_t1=1)
def empty_arguments_of_submit(scene: Scene, plan: Plan) -> None:
    """The last submit has "" for its arguments and the first has null."""
    first, last = plan.ending[0], plan.ending[-1]
    first.edit = lambda said, reply: said["tool_calls"][0]["function"].update(arguments=None)
    last.arguments = ""


@edge(full_t2=1, lite_t1=1, lite_t2=1)
def empty_arguments_of_bash(scene: Scene, plan: Plan) -> None:
    """A bash call with "" for its arguments: read as {}, which then lacks the command that the schema asks for."""
    plan.put(scene.rng, model_turn("bash", "", observe("bash: command is missing\n"), "Let me run it."))


OFF_SCHEMA = (
    ("bash", {"cmd": "ls"}),
    ("bash", {"command": ["ls", "-l"]}),
    ("str_replace_editor", {"command": "delete", "path": "/testbed/a.py"}),
    ("str_replace_editor", {"command": "view"}),
    ("str_replace_editor", {"command": "view", "path": "/testbed/a.py", "view_range": "[1, 20]"}),
    ("str_replace_editor", {"command": "insert", "path": "/testbed/a.py", "insert_line": "12", "new_str": "x = 1"}),
)


@edge(full_t1=1, full_t2=1, lite_t2=1)
def off_schema(scene: Scene, plan: Plan) -> None:
    """Six calls that break their tool's schema: wrong key, wrong type, no such command, no path."""
    turns = [
        model_turn(tool, arguments, observe("The call was not understood.\n"), "Next.")
        for tool, arguments in OFF_SCHEMA
    ]
    plan.put(scene.rng, *turns)


@edge(full_t1=1, full_t2=1)
def unknown_tool(scene: Scene, plan: Plan) -> None:
    """Calls of tools that the harness does not have."""
    turns = [
        model_turn(tool, {"query": "x"}, observe(f"{tool}: command not found\n"), "Let me try that.")
        for tool in ("search_web", "Bash")
    ]
    plan.put(scene.rng, *turns)


@edge(full_t1=1, lite_t2=1)
def big_integers(scene: Scene, plan: Plan) -> None:
    """Integers beyond 64 bits in arguments, in a property that no schema knows."""
    arguments = {"command": "python -c 'print(2 ** 128)'", "seed": 2**128, "low": -(2**70)}
    plan.put(scene.rng, model_turn("bash", arguments, observe(f"{2**128}\n"), "How large does it get?"))


@edge(lite_t1=1, lite_t2=1)
def odd_argument_text(scene: Scene, plan: Plan) -> None:
    """Argument texts that are valid objects but written in another way: spaces, escapes, key order, floats."""
    plan.put(
        scene.rng,
        model_turn(
            "bash",
            ' {"timeout":1.50e1 ,\n "command" : "echo \\u00e9\\/ é"}\n',
            observe("\u00e9/ \u00e9\n"),
            "Odd, but legal.",
        ),
    )


def clipped(scene: Scene) -> Turn:
    """A turn whose output went beyond the harness's limit."""
    log = "\n".join(scene.project.pytest(scene.rng, 9000, 1) for _ in range(16))
    turn = bash(scene, "")
    note = f"<response clipped><NOTE>{len(log) - CLIP} characters of the output were left out.</NOTE>"
    turn.observation = f"Observation: {log[:CLIP]}{note}"
    return turn


@edge(lite_t1=1)
def clipped_observation(scene: Scene, plan: Plan) -> None:
    """An output beyond 100,000 characters: the harness's other prefix, clipped, with a note."""
    plan.put(scene.rng, clipped(scene))


@edge(full_t1=1, full_t2=1, lite_t2=1)
def odd_prefixes(scene: Scene, plan: Plan) -> None:
    """Outputs behind two prefixes (one goes), behind none, behind one alone, and behind lookalikes that stay."""
    for observation in (
        "OBSERVATION:\nObservation: inner",
        "OBSERVATION:\n",
        "no prefix at all\nOBSERVATION:\nlater",
        "OBSERVATION: on one line",
        "observation: small",
        " Observation: indented",
    ):
        turn = bash(scene, "")
        turn.observation = observation
        plan.put(scene.rng, turn)
