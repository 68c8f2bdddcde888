"""Qdrant is spoken to in one room, and only in ways that carry the access filter or that sync needs."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOM = ROOT / "connectors" / "qdrant"
BY_ID_OR_UNFILTERED = {
    "context", "discover", "facet", "feedbacknaive", "formula", "fusion", "get_points", "get_vectors", "lookup",
    "mmr", "orderby", "query_points_groups", "query_batch", "query_batch_points", "recommend", "recommendbestscore",
    "recommendsumscores", "sample", "scroll", "search", "search_batch", "search_groups", "search_matrix_offsets",
    "search_matrix_pairs", "snapshot_manifest",
}  # fmt: skip


def calls(path: Path) -> set[str]:
    """The names of the functions and methods that a module calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in functions}


def imports(path: Path) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_nothing_is_asked_by_id_or_without_a_filter() -> None:
    for name in ("edge.py", "server.py"):
        made = {call.lower() for call in calls(ROOM / name)}
        assert not made & BY_ID_OR_UNFILTERED, name
        assert made & {"query", "query_points"}, name


def test_points_are_looked_up_by_id_only_to_write_them() -> None:
    for path in ROOM.glob("*.py"):
        for function in (n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.FunctionDef)):
            called = {
                n.func.attr for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
            }
            assert "retrieve" not in called or function.name == "present", (path, function.name)
            assert "present" not in called or function.name == "_put", (path, function.name)


def test_qdrant_is_imported_in_one_room_only() -> None:
    paths = [path for room in ("bot", "tools", "connectors") for path in (ROOT / room).rglob("*.py")]
    others = [path for path in paths if ROOM not in path.parents]
    assert len(others) > 20
    assert [path for path in others if imports(path) & {"qdrant_client", "qdrant_edge"}] == []
    assert imports(ROOM / "gateway.py") & {"qdrant_client", "qdrant_edge"} == set()
