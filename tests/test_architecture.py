"""How the package is built: imports point one way, the core stands alone, sources are named in one place each."""

from __future__ import annotations

import ast
import importlib
import sys
from collections import Counter
from pathlib import Path

import pytest

from sera_swezero.sources import SOURCES
from tests.support.processes import HERE

PACKAGE = "sera_swezero"
ROOT = HERE / PACKAGE
MODULES = {
    ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}

CORE = {"core", "catalog", "errors", "version"}
"""Parts that import the standard library and each other alone; so does the list of schemas."""

LAYERS = (
    CORE | {"schemas", "display"},
    {"sources", "views", "plugins"},
    {"hub", "upstream", "sample"},
    {"request"},
    {"report", "readings", "convert"},
    {"rows", "loading", "check"},
    {"build", "push", "quality", "templates", "cluster", "export"},
    {"cli", "__main__"},
)
"""What may import what: a part imports from its own layer and from those above it in this list."""

HELPERS = (
    *("source", "tool_arguments", "bash_block", "decoding", "run_files"),
    *("swe_agent_history", "swe_agent_messages", "swe_agent_run", "swe_agent_steps"),
    *("mini_swe_agent_chat", "mini_swe_agent_turn"),
    *("json_record", "openai_chat_columns", "atif_steps"),
)
"""Modules of `sources` that are not sources."""

LONGEST = 250
"""Lines of a module: what fits in a head."""


def parsed(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def part(name: str) -> str:
    """The first name below the package: `sera_swezero.hub.listing` is a part of `upstream`."""
    return name.split(".")[1] if "." in name else ""


def imports(name: str, *, at_top: bool = False) -> set[str]:
    """The modules that a module imports, by full name; `at_top`: when it is itself imported."""
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    tree = parsed(name)
    for node in tree.body if at_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            found |= {
                f"{module}.{alias.name}" if f"{module}.{alias.name}" in MODULES else module for alias in node.names
            }
    return found


def inner(name: str) -> set[str]:
    return {one for one in imports(name) if one.split(".")[0] == PACKAGE}


def rank(name: str) -> int:
    return next((at for at, layer in enumerate(LAYERS) if part(name) in layer), -1)


def test_every_module_has_its_layer() -> None:
    unknown = sorted({part(name) for name in MODULES if name != PACKAGE and rank(name) < 0})
    assert not unknown, f"say in LAYERS where {', '.join(unknown)} belongs"


@pytest.mark.parametrize("name", [name for name in MODULES if name != PACKAGE])
def test_imports_point_one_way(name: str) -> None:
    wrong = [one for one in inner(name) if one != PACKAGE and rank(one) > rank(name)]
    assert not wrong, f"{name} imports {wrong}, which are above it"


@pytest.mark.parametrize("name", [name for name in MODULES if part(name) in CORE])
def test_the_core_imports_the_standard_library_and_msgspec_alone(name: str) -> None:
    assert {one.split(".")[0] for one in imports(name)} <= {*sys.stdlib_module_names, "msgspec", PACKAGE}
    assert {part(one) for one in inner(name) if one != f"{PACKAGE}.schemas"} <= CORE


def test_no_import_is_a_circle() -> None:
    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above[above.index(name) :], name))
        if name not in done:
            for one in {one for one in imports(name, at_top=True) if one in MODULES}:
                visit(one, (*above, name))
            done.add(name)

    done: set[str] = set()
    for module in MODULES:
        visit(module, ())


def test_a_source_is_named_by_its_own_file_the_registry_and_the_config_table() -> None:
    """Nothing else asks which source it has before it: a new one is one file and a row in each of two tables."""
    mine = {f"{PACKAGE}.{name}" for name in ("sources", "catalog", "request.arguments", "request.settle")}
    for name in MODULES:
        if name in mine or name.startswith(f"{PACKAGE}.sources."):
            continue
        reached = {one for one in inner(name) if one.startswith(f"{PACKAGE}.sources.")}
        assert reached <= {f"{PACKAGE}.sources.{helper}" for helper in HELPERS}, name
        compared = [
            constant.value
            for node in ast.walk(parsed(name))
            if isinstance(node, ast.Compare | ast.Subscript | ast.MatchValue | ast.Dict)
            for constant in ast.walk(node)
            if isinstance(constant, ast.Constant) and constant.value in SOURCES
        ]
        assert not compared, f"{name} asks for the source {compared}"


def test_sources_and_views_know_nothing_of_each_other() -> None:
    for name in MODULES:
        if part(name) == "sources" and name != f"{PACKAGE}.sources":
            others = {one for one in inner(name) if part(one) == "sources"}
            others -= {f"{PACKAGE}.sources.{helper}" for helper in HELPERS}
            assert not others - {name}, name
            assert "views" not in {part(one) for one in inner(name)}


def test_the_root_holds_what_a_newcomer_reads_first() -> None:
    path_of_a_row = {"catalog", "plugins", "readings", "convert", "report", "rows"}
    assert {path.stem for path in ROOT.glob("*.py")} == {"__init__", "__main__", "errors", "version"} | path_of_a_row


def test_no_two_modules_or_classes_have_the_same_name() -> None:
    names = [name.rpartition(".")[2] for name in MODULES]
    classes = [node.name for name in MODULES for node in ast.walk(parsed(name)) if isinstance(node, ast.ClassDef)]
    for found in (names, classes):
        assert [name for name, count in Counter(found).items() if count > 1] == []


def test_no_name_is_told() -> None:
    """The word says neither what a thing is nor what it does."""
    for name in MODULES:
        names = {getattr(node, key, None) for node in ast.walk(parsed(name)) for key in ("id", "arg", "attr", "name")}
        assert not {one for one in names if isinstance(one, str) and "told" in one.strip("_").split("_")}, name


@pytest.mark.parametrize("name", list(MODULES))
def test_a_module_fits_in_a_head(name: str) -> None:
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{name} has {lines} lines"
    assert ast.get_docstring(parsed(name)), f"{name} has no docstring"


@pytest.mark.parametrize("path", [*HERE.glob("benchmarks/**/*.py"), *HERE.glob("examples/**/*.py")], ids=str)
def test_benchmarks_and_examples_find_what_they_import_of_the_package(path: Path) -> None:
    """Without what else they import, which only an extra brings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            module = importlib.import_module(str(node.module))
            for name in (alias.name for alias in node.names):
                assert hasattr(module, name) or importlib.import_module(f"{node.module}.{name}"), name
