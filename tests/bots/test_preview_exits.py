"""`manage.py preview_exits FILE`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

# No database mark: pytest-django fails any test here that touches one.
ROW: dict[str, Any] = {
    "side": "BUY",
    "entry": "100",
    "filled": "0.9",
    "barriers": {"stop_loss": "0.05"},
    "path": [[0, "100"], [5, "96"], [10, "50"]],
}


def preview(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "input.json"
    file.write_text(text, encoding="utf-8")
    printed = io.StringIO()
    call_command("preview_exits", str(file), stdout=printed)
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer


def preview_of(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    return preview(tmp_path, json.dumps({**ROW, **changes}))


def test_a_part_filled_entry_is_closed_for_the_part_that_filled(tmp_path: Path) -> None:
    answer = preview_of(tmp_path)
    assert (answer["reason"], answer["price"], answer["amount"]) == ("stop_loss", "50", "0.9")
    assert answer["stops"] == ["95", "95", "95"]


def test_the_trailing_stop_is_told_after_each_step(tmp_path: Path) -> None:
    path = [[0, 1], [1, "1.02"], [2, "1.10"], [3, "1.20"], [4, "1.10"], [5, "1.08"], [6, 2]]
    answer = preview_of(tmp_path, entry=1, barriers={"trailing_stop": {"delta": "0.1"}}, path=path)
    assert answer["stops"] == [None, "0.918", "0.99", "1.08", "1.08", "1.08"]
    assert (answer["reason"], answer["price"], answer["seconds"]) == ("trailing_stop", "1.08", "5")


def test_a_resting_take_profit_fills_at_its_own_price(tmp_path: Path) -> None:
    barriers = {"take_profit": "0.1", "take_profit_order": "LIMIT"}
    answer = preview_of(tmp_path, barriers=barriers, path=[[0, 100], [1, 112]])
    assert (answer["reason"], answer["price"]) == ("take_profit", "110")
    answer = preview_of(tmp_path, side="short", barriers={**barriers}, path=[[0, 100]])
    assert (answer["reason"], answer["take_profit_price"]) == (None, "90")


def test_fees_of_both_ways_count(tmp_path: Path) -> None:
    answer = preview_of(tmp_path, entry=2, fee="0.0025", barriers={"time_limit": 60}, path=[[60, "2.1"]])
    assert answer["reason"] == "time_limit"
    assert answer["profit_pct"].startswith("0.04476309")


def test_what_nothing_closes_has_no_price(tmp_path: Path) -> None:
    answer = preview_of(tmp_path, barriers={}, path=[[0, 1], [1, 1000]])
    assert (answer["reason"], answer["price"], answer["amount"]) == (None, None, None)
    assert answer["stops"] == [None, None]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"fee": "0.0025", "barriers": {"stop_loss": "0.05", "take_profit": "0.004"}},
            "take profit of 0.4 %",
        ),
        ({"fee": "0.0025", "barriers": {"stop_loss": "0.004"}}, "closes each position at once"),
        ({"barriers": {"stop_loss": "0.05", "trailing_stop": {"delta": "0.1"}}}, "has no activation"),
        ({"barriers": {"stop_loss": "0.05", "trailing_stop": "0.1"}}, "has no activation"),
        (
            {"barriers": {"trailing_stop": {"delta": "0.1", "activation": "0.2"}, "take_profit": "0.1"}},
            "the trailing stop never closes anything",
        ),
        ({"barriers": {"take_profit": "0.1"}}, "A position that loses is never closed"),
        ({"barriers": {}}, "A position that loses is never closed"),
    ],
)
def test_what_is_odd_about_the_barriers_is_told_and_played(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    answer = preview_of(tmp_path, **changes)
    assert [sentence for sentence in answer["warnings"] if words in sentence]
    assert len(answer["stops"]) > 0


def test_sound_barriers_are_not_warned_of(tmp_path: Path) -> None:
    trailing = {"delta": "0.01", "activation": "0.02"}
    barriers = {"stop_loss": "0.05", "trailing_stop": trailing, "take_profit": "0.1"}
    assert preview_of(tmp_path, fee="0.001", barriers=barriers)["warnings"] == []


@pytest.mark.parametrize(
    ("side", "path", "stops", "reason"),
    [
        # armed strictly above the activation; it only ratchets; reached at its price
        ("long", ["102", "102.01", "104", "103", "102.96"], [None, "100.9899", "102.96", "102.96", "102.96"],
         "trailing_stop"),
        ("short", ["98", "97.99", "96", "97", "96.96"], [None, "98.9699", "96.96", "96.96"],
         "trailing_stop"),
    ],
)  # fmt: skip
def test_a_trailing_stop_arms_above_its_activation_and_only_ratchets(
    tmp_path: Path, side: str, path: list[str], stops: list[str | None], reason: str
) -> None:
    barriers = {"trailing_stop": {"delta": "0.01", "activation": "0.02"}}
    steps = [[number, price] for number, price in enumerate(path)]
    answer = preview_of(tmp_path, side=side, barriers=barriers, path=steps)
    assert (answer["stops"], answer["reason"]) == (stops, reason)


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        ([], "stop_loss"),
        (["stop_loss"], "trailing_stop"),
        (["stop_loss", "trailing_stop"], "time_limit"),
    ],
)
def test_of_barriers_reached_at_one_step_the_first_in_their_order_closes(
    tmp_path: Path, left_out: list[str], reason: str
) -> None:
    barriers: dict[str, Any] = {
        "stop_loss": "0.05", "trailing_stop": {"delta": "0.01", "activation": "0"}, "take_profit": "0.1",
        "time_limit": 5,
    }  # fmt: skip
    kept = {name: barrier for name, barrier in barriers.items() if name not in left_out}
    answer = preview_of(tmp_path, barriers=kept, path=[[0, "101"], [5, "95"]])
    assert answer["reason"] == reason


def test_a_take_profit_comes_before_the_time_limit(tmp_path: Path) -> None:
    answer = preview_of(tmp_path, barriers={"take_profit": "0.1", "time_limit": 5}, path=[[5, "110"]])
    assert answer["reason"] == "take_profit"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"side": "up"}, "“side” must be one of buy, long, sell, short"),
        ({"entry": 0}, "“entry” must be more than 0"),
        ({"barriers": {"stoploss": 1}}, "nearest known key is “stop_loss”"),
        ({"barriers": {"stop_loss": "1.5"}}, "“barriers.stop_loss” must be less than 1"),
        ({"barriers": {"stop_loss": "-0.05"}}, "not -0.05: the stop would stand above the entry"),
        ({"side": "sell", "barriers": {"stop_loss": "-0.05"}}, "would stand below the entry"),
        ({"side": "sell", "barriers": {"take_profit": 1}}, "A short position cannot earn 100 % or more"),
        ({"barriers": {"tp_order": "limit", "take_profit_order": "market"}}, "contradict each other"),
        ({"path": [[0, 1, 2]]}, "seconds and price, not a list of 3"),
        ({"path": [[0, "NaN"]]}, "The price in entry 1 of “path” must be a number"),
        ({"path": [[0, "1e30"]]}, "is out of range"),
        ({"barriers": {"trailing_stop": {"activation": 1}}}, "“barriers.trailing_stop.delta” is missing"),
        ({"path": []}, "“path” must be a list"),
        ({"path": [[0, 1], [1]]}, "entry 2 of “path” must be like"),
        ({"path": [[5, 1], [1, 1]]}, "Entry 2 of “path” is earlier"),
        ({"path": [[0, -1]]}, "the price must be more than 0"),
        ({"fee": "much"}, "“fee” must be a number"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        preview_of(tmp_path, **changes)
    assert words in str(caught.value)


def test_the_example_of_the_documentation_closes_where_it_says(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "strategies" / "scalper.md"
    example = page.read_text(encoding="utf-8").partition("```json")[2].partition("```")[0]
    answer = preview(tmp_path, example)
    assert (answer["reason"], answer["price"]) == ("trailing_stop", "101.09")
    assert answer["stops"] == ["99.198198198198", "100.5945", "101.092", "101.092"]
