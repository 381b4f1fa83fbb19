"""BitMart's error codes with their HTTP statuses ("Standard Error Codes")."""

from __future__ import annotations


class BitmartError(Exception):
    def __init__(self, code: int, text: str, *, status: int) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status


def unknown_key() -> BitmartError:
    return BitmartError(30002, "Header X-BM-KEY is not found", status=401)


def wrong_signature() -> BitmartError:
    """The same for a wrong secret and a wrong memo."""
    return BitmartError(30005, "Header X-BM-SIGN is wrong", status=401)


def late() -> BitmartError:
    return BitmartError(30007, "Header X-BM-TIMESTAMP range. Within a minute", status=401)


def forbidden_address() -> BitmartError:
    text = (
        "IP is forbidden. We recommend enabling IP whitelist for API trading. After that reauth your account"
    )
    return BitmartError(30010, text, status=403)


def forbidden_call() -> BitmartError:
    return BitmartError(30012, "Header X-BM-KEY is forbidden to request it", status=403)


def too_many_requests() -> BitmartError:
    return BitmartError(30013, "Request too many requests", status=429)


def bad_request(what: str) -> BitmartError:
    return BitmartError(50000, f"Bad Request [{what}]", status=400)


def unknown_symbol() -> BitmartError:
    return BitmartError(50001, "Symbol not found", status=400)


def unknown_order() -> BitmartError:
    return BitmartError(50005, "Order Id not found", status=400)


def not_served() -> BitmartError:
    return BitmartError(30000, "Not found", status=404)


def trading_ended() -> BitmartError:
    return BitmartError(50040, "Symbol Not Available", status=400)
