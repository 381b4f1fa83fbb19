"""A true answer that is bent."""

from __future__ import annotations

import json
import random

import pytest

from tests.lab.nonsense import BENDS, bend

TRUE = {"balances": [{"asset": "BTC", "free": "1.5"}], "canTrade": True, "uid": 7, "status": "NEW"}
BODY = json.dumps(TRUE).encode()


def test_the_same_seed_bends_the_same_places() -> None:
    assert bend(BODY, random.Random(3), 3) == bend(BODY, random.Random(3), 3)


def test_over_many_seeds_every_kind_of_bend_happens_and_is_named() -> None:
    notes = {bend(BODY, random.Random(seed))[1].rpartition(": ")[2] for seed in range(300)}
    assert notes == set(BENDS)


def test_a_bent_answer_is_still_json() -> None:
    for seed in range(300):
        json.loads(bend(BODY, random.Random(seed), 4)[0])


def test_the_note_says_which_field_was_bent() -> None:
    for seed in range(100):
        body, note = bend(BODY, random.Random(seed))
        if note == "balances.0.free: null":
            assert json.loads(body)["balances"][0]["free"] is None
            return
    pytest.fail("no seed took the amount away")


def test_what_is_no_json_stays_as_it_is() -> None:
    assert bend(b"<html>", random.Random(1)) == (b"<html>", "")
