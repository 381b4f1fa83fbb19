"""`make venues`: writes the generated parts of docs/venues.md from the facts, the spec and its stands.

A tick stands where the case is among the tests; that they pass is what a run of the tests shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from exchanges.errors import VenueError
from exchanges.venues.dialects import dialect_of
from exchanges.venues.facts import Venue
from exchanges.venues.registry import known_venues, venue
from tests.spec.cases import CASES
from tests.spec.causes.told import NEVER, told_at
from tests.spec.stands import STANDS, Stand

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "venues.md"
YES = "✓"


def written(page: str) -> str:
    """The page with its generated parts as they have to be; raises ValueError where one has no place."""
    for name, part in (("facts", facts()), ("spec", spec()), ("causes", causes())):
        begin, end = f"<!-- {name}: written by make venues -->", f"<!-- end of {name} -->"
        place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not place.search(page):
            raise ValueError(f"docs/venues.md has no place for the {name}")
        page = place.sub(lambda _, text=f"{begin}\n{part}\n{end}": text, page)  # type: ignore[misc]
    return page


# --- Facts


def facts() -> str:
    return "\n\n".join(_facts(known) for known in known_venues() if not known.is_synthetic)


def _facts(known: Venue) -> str:
    rows = [
        ("Id", f"`{known.id}`"),
        (
            "Credentials",
            "; ".join(f"{field.label} ({_inline(field.hint)})" for field in known.credential_fields),
        ),
        ("Where to make a key", f"<{known.key_page}>" if known.key_page else ""),
        ("Permissions to give it", ", ".join(known.permissions)),
        ("Client ids", known.client_ids),
        ("Order types", ", ".join(known.order_types)),
        ("Post-only", _post_only(known)),
        ("Books", _books(known)),
        ("Fees of the lowest tier", _fees(known)),
        ("One key, several connections", "no: they disturb each other" if known.one_client_per_key else ""),
        ("Good to know", " ".join(known.remarks)),
        ("Trading", known.no_orders_because),
        ("Live", _live(known)),
    ]
    lines = [f"- **{name}**: {value}" for name, value in rows if value]
    return "\n".join([f"### {known.title}", "", *lines])


def _post_only(known: Venue) -> str:
    if known.no_orders_because:
        return ""
    return "yes" if known.supports_post_only else "no: a bot that asks for it is refused"


def _books(known: Venue) -> str:
    terms = dialect_of(known.id).book_streaming
    return f"told by WebSocket, up to {terms.most_symbols} at a time" if terms else "asked for"


def _live(known: Venue) -> str:
    if known.no_orders_because:
        return "reading only"
    return "yes" if known.is_proven else "paper only"


def _fees(known: Venue) -> str:
    if known.maker_fee is None or known.taker_fee is None:
        return ""
    return f"maker {_percent(known.maker_fee)}, taker {_percent(known.taker_fee)}"


def _percent(fraction: Decimal) -> str:
    return f"{(fraction * 100).normalize():f} %"


def _inline(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


# --- The spec


def spec() -> str:
    notes = _Notes()
    rows = [
        [found.number, found.sentence, *(notes.mark(stand.lacking(found)) for stand in STANDS)]
        for found in CASES
    ]
    return "\n\n".join((_table(["", "The desk …", *_titles()], rows), notes.text()))


class _Notes:
    """Numbers the reasons for which a case cannot be put to a venue."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, reason: str) -> str:
        if not reason:
            return YES
        return f"({self._numbers.setdefault(reason, len(self._numbers) + 1)})"

    def text(self) -> str:
        lines = [f"{number}. Not there: {reason}." for reason, number in self._numbers.items()]
        return "\n".join(lines)


# --- The causes


def causes() -> str:
    titles = sorted({cause.title for stand in STANDS for cause in told_at(stand)}, key=_first_place)
    rows = [[title, *(_becomes(stand, title) for stand in STANDS)] for title in titles]
    return _table(["Cause", *_titles()], rows)


def _first_place(title: str) -> tuple[int, int]:
    """As in the first venue that knows the cause."""
    for number, stand in enumerate(STANDS):
        known = [cause.title for cause in told_at(stand)]
        if title in known:
            return number, known.index(title)
    raise ValueError(title)


def _becomes(stand: Stand, title: str) -> str:
    found = next((told for told in told_at(stand) if told.title == title), None)
    if found is None:
        return NEVER.get(stand.venue, {}).get(title, "")
    rule = f" ({stand.rule(found.rule)})" if found.rule is not None else ""
    return f"{_short(found.error)}{rule}"


def _short(error: type[VenueError]) -> str:
    return error.__name__.removesuffix("Error")


# --- Markdown


def _titles() -> Iterable[str]:
    return (venue(stand.venue).title for stand in STANDS)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
