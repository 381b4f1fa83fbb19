from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

# No database mark: pytest-django fails any test here that touches one.
ROW: dict[str, Any] = {
    "book": {"best_bid": "99.5", "best_ask": "100.5"},
    "mid": "100",
    "bid_spread": "0.01",
    "ask_spread": "0.01",
    "order_amount": "1",
    "order_levels": 1,
    "order_level_spread": "0",
    "order_level_amount": "0",
    "base_balance": "500",
    "quote_balance": "5000",
    "maker_fee": "0",
}


def preview(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "input.json"
    file.write_text(text, encoding="utf-8")
    printed = io.StringIO()
    call_command("preview_quotes", str(file), stdout=printed)
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer


def preview_of(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    return preview(tmp_path, json.dumps({**ROW, **changes}))


def complaint(tmp_path: Path, text: str) -> str:
    with pytest.raises(CommandError) as caught:
        preview(tmp_path, text)
    return str(caught.value)


def test_the_quotes_and_the_reason_are_printed_as_json(tmp_path: Path) -> None:
    assert preview_of(tmp_path) == {
        "buys": [["99", "1"]],
        "sells": [["101", "1"]],
        "reason": "Quotes 1 bid and 1 ask around 100.",
    }


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(json.dumps(ROW).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    printed = io.StringIO()
    call_command("preview_quotes", "-", stdout=printed)
    assert json.loads(printed.getvalue())["buys"] == [["99", "1"]]


def test_json_numbers_stay_exact(tmp_path: Path) -> None:
    answer = preview(tmp_path, json.dumps({**ROW, "order_amount": 0.7}).replace("0.7", "0.70000"))
    assert answer["buys"] == [["99", "0.7"]]


def test_large_and_small_numbers_have_no_exponent(tmp_path: Path) -> None:
    answer = preview_of(
        tmp_path, book=None, mid="0.002", order_amount="1000000", base_balance=1e7, quote_balance="1E+9"
    )
    assert answer["buys"] == [["0.00198", "1000000"]]


@pytest.mark.parametrize(
    ("changes", "buys", "sells"),
    [
        ({"reference_price": "50"}, [["49.5", "1"]], []),
        ({"reference_price": "50", "book": None}, [["49.5", "1"]], [["50.5", "1"]]),
        ({"reference_price": "50", "post_only": False}, [["49.5", "1"]], [["50.5", "1"]]),
        ({"mid": None}, [["99", "1"]], [["101", "1"]]),
        ({"price_ceiling": "100"}, [], [["101", "1"]]),
        ({"price_floor": 100}, [["99", "1"]], []),
        ({"price_ceiling": -1, "price_floor": "-1"}, [["99", "1"]], [["101", "1"]]),
        ({"minimum_spread": "0.03"}, [["97", "1"]], [["103", "1"]]),
        (
            {"inventory_skew": {"target_base_pct": "0.9", "range_multiplier": "5"}},
            [["99", "0.5"]],
            [["101", "1.5"]],
        ),
        (
            {"order_override": [["buy", "0.5", "0.7"], ["buy", "1.3", "1.1"], ["sell", "1.1", "2"]]},
            [["99.5", "0.7"], ["98.7", "1.1"]],
            [["101.1", "2"]],
        ),
        (
            {"book": {"best_bid": "97.5", "best_ask": "102.5"}, "order_optimization_enabled": True},
            [["97.5001", "1"]],
            [["102.499", "1"]],
        ),
        (
            {
                "book": {"bids": [["98.5", "2"], [98, 9]], "asks": [["101.5", "2"], ["102", "9"]]},
                "order_optimization_enabled": True,
                "order_optimization_depth": "3",
                "ask_order_optimization_depth": "1",
            },
            [["98.0001", "1"]],
            [["101.499", "1"]],
        ),
        ({"quote_balance": "50", "maker_fee": "0.01"}, [["99", "0.50005"]], [["101", "1"]]),
    ],
)
def test_a_key_has_its_effect(
    tmp_path: Path, changes: dict[str, Any], buys: list[Any], sells: list[Any]
) -> None:
    answer = preview_of(tmp_path, **changes)
    assert (answer["buys"], answer["sells"]) == (buys, sells)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bid_spread": "-0.01"}, "“bid_spread” must be 0 or more, not -0.01."),
        ({"ask_spread": "1"}, "“ask_spread” must be less than 1, not 1: 0.01 is one per cent."),
        (
            {"bid_spread": "0", "ask_spread": 0},
            "With both spreads 0 the bid would stand at the ask's price.",
        ),
        ({"order_amount": "0"}, "“order_amount” must be more than 0, not 0."),
        ({"order_amount": "many"}, "“order_amount” must be a number, not “many”."),
        ({"order_amount": "NaN"}, "“order_amount” must be a number, not “NaN”."),
        ({"order_amount": True}, "“order_amount” must be a number, not true or false."),
        ({"order_amount": "1e30"}, "“order_amount” is out of range: “1e30”."),
        ({"order_amount": None}, "“order_amount” is missing."),
        ({"order_levels": 0}, "“order_levels” must be a whole number from 1 to 50, not 0."),
        ({"order_levels": "1.5"}, "“order_levels” must be a whole number from 1 to 50, not 1.5."),
        ({"base_balance": "-1"}, "“base_balance” must be 0 or more, not -1."),
        ({"mid": "0"}, "“mid” must be more than 0, not 0."),
        ({"post_only": "yes"}, "“post_only” must be true or false, not “yes”."),
        (
            {"bid_spreed": "0.01"},
            "The key “bid_spreed” is not known; the nearest known key is “bid_spread”.",
        ),
        (
            {"book": {"best_bid": "101", "best_ask": "100"}},
            "The book is crossed: its bid 101 is not below its ask 100.",
        ),
        ({"book": [1]}, "“book” must be an object or null, not a list."),
        (
            {"book": {"bids": [["1"]]}},
            'The entry 1 of “book.bids” must be like ["99.5", "10"]: price, amount.',
        ),
        (
            {"book": None, "mid": None},
            "There is no price to quote around: give “reference_price”, “mid”, or a book.",
        ),
        (
            {"price_ceiling": "90", "price_floor": "95"},
            "The price ceiling of 90 must be above the price floor of 95.",
        ),
        ({"inventory_skew": {}}, "“inventory_skew.target_base_pct” is missing."),
        (
            {"order_override": [["buy", "100", "1"]]},
            "The distance in entry 1 of “order_override” must be from 0 to less than 100 per cent, not 100.",
        ),
        ({"input": {}}, "This looks like a whole row of scenarios: give only its “input”."),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    assert complaint(tmp_path, json.dumps({**ROW, **changes})) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "{",
            "This is not valid JSON: Expecting property name enclosed in double quotes in line 1, column 2.",
        ),
        ("[]", "Expected one JSON object, but this is a list."),
        ('{"mid": NaN}', "NaN is not a number that can be used here."),
        ('{"mid": 1e99999999999999999999}', "A number in this JSON is out of range."),
        ("[" * 100_000, "This JSON is nested too deeply."),
    ],
)
def test_what_is_not_an_object_of_numbers_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    assert complaint(tmp_path, text) == sentence


def test_all_missing_keys_are_named(tmp_path: Path) -> None:
    assert complaint(tmp_path, '{"mid": 1, "bid_spread": 0.1, "ask_spread": 0.1, "order_amount": 1}') == (
        "“base_balance”, “quote_balance” are missing."
    )


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.json cannot be read: No such file or directory\.$"):
        call_command("preview_quotes", str(tmp_path / "nowhere.json"))
