"""The laws of the house, read from the code itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "assistant"

FLOORS = {
    0: {"errors", "pinpoint", "law", "findings", "roles"},
    1: {"readers", "pdf", "corpus", "modelcard", "prompts", "statements", "packs", "references", "cardformats", "cardfields", "bearing", "reading"},
    2: {
        "library",
        "vectors",
        "record",
        "jobs",
        "sessions",
        "postgres",
        "postgres_library",
        "stores",
        "sandbox",
        "llm",
        "llama",
        "chat",
        "embed",
        "weights",
        "egress",
        "pages",
        "chosen",
    },
    3: {
        "retrieve",
        "verify",
        "answer",
        "refuse",
        "triage",
        "assess",
        "draft",
        "diff",
        "compare",
        "replies",
        "review",
        "conflicts",
        "aiact",
        "device",
        "imaging",
        "followups",
        "quoting",
        "relations",
        "support",
        "vocabulary",
        "actors",
        "paragraphs",
        "phrasing",
        "evidence",
        "claims",
    },
    4: {
        "export",
        "evaluate",
        "modelbench",
        "workbench",
        "forms",
        "settings",
        "worker",
        "ingest",
        "ray_ingest",
        "fetch",
        "originals",
        "projects",
        "demo",
        "cli",
        "ui",
        "server",
        "door",
        "retriever",
        "bundle",
        "backup",
        "questionnaire",
        "__main__",
        "__init__",
    },
}
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names}
HEAVY = {
    "torch",
    "sentence_transformers",
    "chromadb",
    "llama_cpp",
    "onnxruntime",
    "gradio",
    "langchain",
    "langchain_core",
    "langchain_chroma",
    "langchain_openai",
    "pandas",
    "matplotlib",
    "sklearn",
    "scipy",
    "fairlearn",
    "pyarrow",
    "pydicom",
    "psycopg",
    "ray",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name below `assistant`."""
    return {str(p.relative_to(HOUSE).with_suffix("")).replace("/", "."): ast.parse(p.read_text("utf8")) for p in sorted(HOUSE.rglob("*.py"))}


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a module imports, wherever the import stands; under `if TYPE_CHECKING` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    """The module of the house that a dotted name belongs to."""
    return name.split(".")[0]


def floor_of(name: str) -> int:
    if name in ("__init__", "__main__"):
        return 4
    return FLOOR_OF[top(name)]


def house_imports(name: str) -> set[str]:
    found = {i.removeprefix("assistant.") for i in imported(modules()[name]) if i.startswith("assistant.")}
    known = set(modules()) | {top(m) for m in modules()}
    return {i for i in found if i in known and top(i) != top(name)}


def test_every_module_has_a_floor() -> None:
    assert {top(m) for m in modules()} <= set(FLOOR_OF)


def test_imports_point_down() -> None:
    up = [(m, i) for m in modules() for i in house_imports(m) if floor_of(i) > floor_of(m) and i not in ("__init__", "__main__")]
    assert up == []


def test_there_are_no_circles() -> None:
    edges: dict[str, set[str]] = {}
    for m in modules():
        if m not in ("__init__", "__main__"):
            edges.setdefault(top(m), set()).update(top(i) for i in house_imports(m))

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        return any(n == goal or (n not in seen and not seen.add(n) and reaches(n, goal, seen)) for n in edges.get(start, ()))  # type: ignore[func-returns-value]

    assert [m for m in edges if reaches(m, m, set())] == []


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("pypdf", {"pdf"}),
        ("pypdfium2", {"pages"}),
        ("gradio", {"ui", "server"}),
        ("sqlite3", {"library", "record", "jobs"}),
        ("psycopg", {"postgres"}),
        ("psycopg_pool", {"postgres"}),
        ("ray", {"ray_ingest"}),
        ("bm25s", {"library"}),
        ("chromadb", {"vectors"}),
        ("langchain_chroma", {"vectors"}),
        ("llama_cpp", {"llama"}),
        ("torch", {"embed"}),
        ("sentence_transformers", {"embed"}),
        ("onnxruntime", {"embed"}),
        ("docx", {"export", "modelcard", "statements", "readers"}),
        ("reportlab", {"export"}),
        ("typer", {"cli"}),
        ("sklearn", {"evidence"}),
        ("fairlearn", {"evidence"}),
        ("pyarrow", {"evidence"}),
        ("pydicom", {"evidence"}),
        ("matplotlib", {"evidence", "export"}),
    ],
)
def test_each_library_lives_in_one_place(library: str, allowed: set[str]) -> None:
    users = {top(m) for m, tree in modules().items() if any(i == library or i.startswith(library + ".") for i in imported(tree))}
    assert users <= allowed


def test_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, assistant.cli; print(sorted(m for m in {sorted(HEAVY)!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_verify_makes_a_citation() -> None:
    makers = {
        m
        for m, tree in modules().items()
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and getattr(n.func, "id", getattr(n.func, "attr", "")) == "Citation"
    }
    assert makers == {"verify"}


def test_only_the_workbench_writes_the_record_and_reads_settings() -> None:
    writers = {
        top(m)
        for m, tree in modules().items()
        for n in ast.walk(tree)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and isinstance(n.func.value, ast.Name)
        and n.func.value.id == "record"
        and n.func.attr == "append"
    }
    assert writers <= {"workbench"}
    readers = {top(m) for m, tree in modules().items() if any(i.startswith("pydantic_settings") for i in imported(tree))}
    assert readers <= {"settings"}


def broad(handler: ast.ExceptHandler) -> bool:
    names = [handler.type] if not isinstance(handler.type, ast.Tuple) else handler.type.elts
    return any(n is None or getattr(n, "id", "") in ("Exception", "BaseException") for n in names)


def test_no_broad_except_below_the_edges() -> None:
    found = [(m, n.lineno) for m, tree in modules().items() if floor_of(m) < 4 for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and broad(n)]
    assert found == []


def test_one_broad_except_in_the_command_line_and_few_elsewhere() -> None:
    found = [top(m) for m, tree in modules().items() if floor_of(m) == 4 for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and broad(n)]
    assert found.count("cli") == 1
    assert set(found) <= {"cli", "ui", "server"}


def test_no_print() -> None:
    assert [(m, n.lineno) for m, tree in modules().items() for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"] == []


def test_no_mutable_globals_below_the_edges() -> None:
    """A module-level list, dict or set may be a table of constants (upper case); nothing may assign to a global."""
    found = []
    for m, tree in modules().items():
        if floor_of(m) < 4:
            found += [(m, n.lineno) for n in ast.walk(tree) if isinstance(n, ast.Global)]
            for n in tree.body:
                targets = n.targets if isinstance(n, ast.Assign) else [n.target] if isinstance(n, ast.AnnAssign) else []
                value = getattr(n, "value", None)
                if isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp):
                    found += [(m, n.lineno) for t in targets if isinstance(t, ast.Name) and not t.id.lstrip("_").isupper() and t.id != "__all__"]
    assert found == []


def test_nouns_have_no_clock_files_or_chance() -> None:
    banned = {"time", "datetime", "random", "pathlib", "os", "io", "secrets", "uuid"}
    assert [(m, i) for m in modules() if m != "__init__" and floor_of(m) == 0 for i in imported(modules()[m]) if top(i) in banned] == []


def test_every_public_name_says_what_the_caller_gets() -> None:
    missing = []
    for m, tree in modules().items():
        if not ast.get_docstring(tree) and top(m) not in ("export", "ui"):
            missing.append(m)
        for n in tree.body:
            if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_") and not ast.get_docstring(n):
                missing.append(f"{m}.{n.name}")
    assert missing == []


def test_no_verdict_words_in_code_or_prompts() -> None:
    """No screen, file or prompt gives a verdict; text that says so in order to forbid it stands in tests and docs."""
    faces = [
        HOUSE / "export",
        HOUSE / "ui",
        HOUSE / "cli",
        HOUSE / "workbench",
        HOUSE / "forms.py",
        HOUSE / "demo.py",
        HOUSE / "server.py",
        ROOT / "prompts",
    ]
    files = [f for face in faces for f in ([face] if face.is_file() else face.rglob("*")) if f.suffix in (".py", ".html", ".js", ".md", ".jinja")]
    bad = [
        (str(f.relative_to(ROOT)), w)
        for f in files
        for w in ("is compliant", "fully compliant", "is certified", "status: approved", '"compliant"', '"certified"')
        if w in f.read_text("utf8").lower()
    ]
    assert bad == []
