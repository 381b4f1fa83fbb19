"""What can be seen of credentials before any venue is asked: how they were pasted, and what form they have.

Nothing is refused merely because its form is strange: a venue may have a new one. It is refused where its
form is that of another field or another venue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exchanges.venues.facts import CredentialField, Venue
from vault.secret import Secret

FREE_FORM = "passphrase"  # the field that holds what its owner chose
PEM_LINE = 64
_ZERO_WIDTH = "\u200b\ufeff"
_QUOTES = "\"'`"
_FOREIGN_TO_KEYS = re.compile(r"[^\x21-\x7e]")
_LINE_END = re.compile(r"[\r\n]")


def tidied(text: str, *, name: str = "") -> str:
    """Without what copying leaves around a credential: spaces, line ends, the quotes of a JSON file; a PEM
    text with its lines. name: of its field; a passphrase keeps its quotes, which may belong to it."""
    text = text.strip().strip(_ZERO_WIDTH).strip()
    if name == FREE_FORM:
        return text
    if text[:1] in _QUOTES and text[:1] == text[-1:]:
        text = text[1:-1].strip()
    return restored_pem(text) if "-----BEGIN " in text else text


def restored_pem(text: str) -> str:
    """A PEM text whose line ends were lost, or written out as backslash and n, with its lines again."""
    flat = text.replace("\\r", "").replace("\\n", "\n").replace("\r", "")
    head, begin, rest = flat.partition("-----BEGIN ")
    kind, dashes, rest = rest.partition("-----")
    body, end, _ = rest.partition(f"-----END {kind}-----")
    if head.strip() or not (begin and dashes and end) or ":" in body:
        return text
    body = "".join(body.split())
    lines = [body[start : start + PEM_LINE] for start in range(0, len(body), PEM_LINE)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def tidy(name: str, secret: Secret) -> Secret:
    return Secret(tidied(secret.reveal(), name=name))


def credential_mistakes(
    venue: Venue, entered: Mapping[str, Secret], others: tuple[Venue, ...]
) -> dict[str, str]:
    """One sentence for each field that cannot be right; none repeats what was entered.

    entered: what was typed now, by the field's name; others: the venues whose keys are known by their form.
    """
    typed = {name: secret.reveal() for name, secret in entered.items() if secret}
    found = {}
    for asked in venue.credential_fields:
        if asked.name in typed:
            mistake = _shape_mistake(asked, typed[asked.name]) or _place_mistake(asked, typed, venue, others)
            if mistake:
                found[asked.name] = mistake
    return found


def _shape_mistake(asked: CredentialField, text: str) -> str:
    if _is_pem(text):
        return ""
    foreign = _LINE_END if asked.name == FREE_FORM else _FOREIGN_TO_KEYS
    if foreign.search(text) is None:
        return ""
    return (
        f"The {asked.label} has a space, a line break or a sign inside that does not belong there: copy it "
        "again in one piece."
    )


def _place_mistake(
    asked: CredentialField, typed: Mapping[str, str], venue: Venue, others: tuple[Venue, ...]
) -> str:
    text = typed[asked.name]
    if not asked.pattern or _fits(asked, text):
        return ""
    alike = [field for field in venue.credential_fields if field.name != asked.name and _fits(field, text)]
    if any(_fits(asked, typed.get(field.name, "")) for field in alike):
        return f"{_looks_like(alike, asked)}: the two are swapped; enter each in its own field."
    owners = [other.title for other in others if other.id != venue.id and _is_key_of(other, asked.name, text)]
    if owners:
        return (
            f"This looks like a key of {' or '.join(owners)}, not of {venue.title}: choose that venue, or "
            f"enter the {asked.label} of {venue.title}."
        )
    return f"{_looks_like(alike, asked)}: enter that here." if alike else ""


def _looks_like(alike: list[CredentialField], asked: CredentialField) -> str:
    return f"This looks like the {alike[0].label}, not like the {asked.label}"


def _is_key_of(other: Venue, name: str, text: str) -> bool:
    return any(_fits(field, text) for field in other.credential_fields if field.name == name)


def _fits(field: CredentialField, text: str) -> bool:
    return bool(field.pattern) and re.fullmatch(field.pattern, text, re.DOTALL) is not None


def _is_pem(text: str) -> bool:
    return text.startswith("-----BEGIN ")


def missing_fields(venue: Venue, stored: Mapping[str, Secret]) -> dict[str, str]:
    """A sentence for each field that the venue asks for, where only some of them are filled in."""
    if not any(stored.get(asked.name) for asked in venue.credential_fields):
        return {}
    return {
        asked.name: f"{venue.title} asks for the {asked.label} too. {asked.hint}"
        for asked in venue.credential_fields
        if not stored.get(asked.name)
    }
