"""A value that is masked wherever it is shown."""

from __future__ import annotations

import hmac
from typing import NoReturn

from vault.keyring import SecretUnreadableError, keyring
from vault.redaction import MASK, remember

HINT_LENGTH = 4
SHORTEST_HINTED = 12  # four characters of a shorter secret would give too much away


class Secret:
    """A secret, sealed as the database has it or plain as a person typed it.

    It opens when it is revealed, not when it is read: a lost key breaks the connection that needs it and
    leaves every list of connections readable. `reveal()` is called inside a venue only.
    """

    __slots__ = ("_plain", "_sealed")

    def __init__(self, plain: str = "") -> None:
        self._plain: str | None = plain
        self._sealed: str | None = None
        remember(plain)

    @classmethod
    def empty(cls) -> Secret:
        return cls("")

    @classmethod
    def from_sealed(cls, sealed: str) -> Secret:
        secret = cls.empty()
        if sealed:
            secret._plain, secret._sealed = None, sealed  # noqa: SLF001 - its own class
        return secret

    def reveal(self) -> str:
        """The clear text. Raises SecretUnreadableError when its key is wrong or lost."""
        if self._plain is not None:
            return self._plain
        plain = keyring().unseal(self._sealed or "")
        remember(plain)
        return plain

    def sealed(self) -> str:
        """As the database has it; an empty secret is stored as nothing.

        An older key's seal is renewed, so that a save of a row read before a rotation does not undo it.
        """
        if not self:
            return ""
        if self._sealed is None or not keyring().is_current(self._sealed):
            self._sealed = self._newly_sealed()
        return self._sealed

    def _newly_sealed(self) -> str:
        try:
            return keyring().seal(self.reveal())
        except SecretUnreadableError:
            return self._sealed or ""  # a lost key: what is stored stays as it is

    @property
    def hint(self) -> str:
        """Enough for its owner to tell two keys apart: "…1a2b"."""
        plain = self.reveal()
        return f"…{plain[-HINT_LENGTH:]}" if len(plain) >= SHORTEST_HINTED else "…"

    def __bool__(self) -> bool:
        return bool(self._plain or self._sealed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK if self else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is never pickled: tasks take ids, not secrets.")
