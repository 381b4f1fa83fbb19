"""Alpaca's error codes and texts: eight digits of which the first three are the HTTP status, nearly always.

Texts as its documentation or its users quote them.
"""

from __future__ import annotations

from typing import Any


class AlpacaError(Exception):
    """code: None for the answers that have none; more: what else the body tells."""

    def __init__(self, status: int, code: int | None, text: str, **more: Any) -> None:
        super().__init__(f"{status} {code} {text}")
        self.status = status
        self.code = code
        self.text = text
        self.more = more

    @property
    def body(self) -> dict[str, Any]:
        code = {} if self.code is None else {"code": self.code}
        return {**code, "message": self.text, **self.more}


def forbidden() -> AlpacaError:
    """For a wrong key, a wrong secret, a revoked key, and a key of the other environment."""
    return AlpacaError(403, None, "forbidden.")


def not_authorized() -> AlpacaError:
    return AlpacaError(401, 40110000, "request is not authorized")


def no_endpoint() -> AlpacaError:
    return AlpacaError(404, None, "endpoint not found.")


def malformed(text: str = "request body format is invalid") -> AlpacaError:
    return AlpacaError(422, 40010001, text)


def invalid(text: str) -> AlpacaError:
    return AlpacaError(422, 42210000, text)


def refused(text: str, **more: Any) -> AlpacaError:
    return AlpacaError(403, 40310000, text, **more)


def no_order(named: str) -> AlpacaError:
    return AlpacaError(404, 40410000, f"order not found for {named}")


def too_many() -> AlpacaError:
    return AlpacaError(429, 42910000, "rate limit exceeded")


def bad_parameter(name: str, value: str) -> AlpacaError:
    """As the market data API says it."""
    return AlpacaError(400, None, f"Invalid format for parameter {name}: error parsing '{value}'")


def bad_symbols(names: str) -> AlpacaError:
    return AlpacaError(400, None, f"Invalid symbol(s): {names} does not match ^[A-Z]+x?/[A-Z]+$")
