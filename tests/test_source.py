"""Rules that the source itself must keep, whatever a test drives: read from its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchanges.venues.registry import known_venues

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("bots", "exchanges", "platform")
FILES = {
    str(file.relative_to(ROOT)): ast.parse(file.read_text())
    for folder in PRODUCT
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in file.parts
}
OPENS_TRANSACTION = {"atomic", "fenced", "_locked"}
# Not money: seconds and ccxt's cost units. And the one place where money is handed to ccxt.
MAY_CALL_FLOAT = {
    "exchanges/venues/ccxt_errors.py",
    "exchanges/venues/door.py",
    "exchanges/venues/ccxt_venue.py",
}


def nodes(folder: str = "") -> Iterator[tuple[str, ast.AST]]:
    for name, tree in FILES.items():
        if name.startswith(folder):
            yield from ((name, node) for node in ast.walk(tree))


def called(node: ast.AST) -> str:
    """The last word of what is called, or of what stands as a decorator: atomic of transaction.atomic()."""
    target = node.func if isinstance(node, ast.Call) else node
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def place(name: str, node: ast.AST) -> str:
    return f"{name}:{getattr(node, 'lineno', 0)}"


def test_the_product_is_read() -> None:
    assert {"bots/engine/submit.py", "exchanges/venues/door.py", "platform/vault/secret.py"} <= FILES.keys()


def test_secrets_are_revealed_where_they_leave_the_desk_only() -> None:
    revealed = [
        (name, node) for name, node in nodes() if isinstance(node, ast.Attribute) and node.attr == "reveal"
    ]
    outside = [
        place(name, node)
        for name, node in revealed
        if not name.startswith(("exchanges/venues/", "platform/vault/", "platform/alerts/courier.py"))
    ]
    assert revealed
    assert outside == []


def test_no_code_outside_the_venues_asks_which_venue_it_is() -> None:
    ids = {venue.id for venue in known_venues()}
    assert "kraken" in ids

    def names_a_venue(node: ast.AST) -> bool:
        return any(isinstance(part, ast.Constant) and part.value in ids for part in ast.walk(node))

    asked = [
        place(name, node)
        for name, node in nodes()
        if isinstance(node, ast.Compare | ast.Match)
        and not name.startswith("exchanges/venues/")
        and names_a_venue(node)
    ]
    assert asked == []


def test_nothing_is_awaited_inside_a_transaction() -> None:
    """What the network is asked is awaited, so no request can wait for one, nor one for a request."""
    transactions, awaiting = 0, []
    for name, node in nodes():
        opens = False
        if isinstance(node, ast.With | ast.AsyncWith):
            opens = any(called(item.context_expr) in OPENS_TRANSACTION for item in node.items)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            opens = any(called(decorator) in OPENS_TRANSACTION for decorator in node.decorator_list)
        if not opens:
            continue
        transactions += 1
        if any(
            isinstance(part, ast.Await) or called(part) in {"run", "run_until_complete"}
            for part in ast.walk(node)
        ):
            awaiting.append(place(name, node))
    assert transactions > 20
    assert awaiting == []


def test_numbers_become_floats_in_three_known_places_only() -> None:
    made = {
        name
        for name, node in nodes()
        if isinstance(node, ast.Call)
        and called(node) == "float"
        and not isinstance(node.args[0], ast.Constant)
    }
    assert made == MAY_CALL_FLOAT


def test_orders_are_cancelled_one_by_one() -> None:
    """On some venues a cancel of all empties the whole account, foreign orders included."""
    used = [
        place(name, node)
        for name, node in nodes()
        if isinstance(node, ast.Attribute) and node.attr.lower().replace("_", "").startswith("cancelall")
    ]
    assert used == []


EDGES = {
    "bots/engine/duty.py": "the edge of a connection's loop",
    "bots/engine/runtime.py": "what ended a duty all the same ends no other",
    "bots/tasks.py": "the edge of a task",
}


def test_no_broad_except_stands_but_at_the_edges() -> None:
    broad = {
        name
        for name, node in nodes()
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or called(node.type) in {"Exception", "BaseException"})
    }
    assert broad == set(EDGES)


@pytest.mark.parametrize("module", ["ccxt", "aiohttp", "python_socks"])
def test_the_network_is_imported_under_the_venues_only(module: str) -> None:
    importing = {
        name
        for name, node in nodes()
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == module for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == module)
    }
    assert importing
    assert {name for name in importing if not name.startswith("exchanges/venues/")} == set()
