from __future__ import annotations

from bots.engine.foreign import ForeignOrders


def test_the_oldest_foreign_order_is_forgotten_first() -> None:
    foreign = ForeignOrders(remembered=2)
    for venue_id in ("1", "2", "3"):
        foreign.add(("BTC/USDT", venue_id))
    assert list(foreign) == [("BTC/USDT", "2"), ("BTC/USDT", "3")]


def test_many_foreign_orders_at_once_do_not_pass_the_bound() -> None:
    foreign = ForeignOrders(remembered=10)
    foreign |= {("BTC/USDT", str(number)) for number in range(1000)}
    assert len(foreign) == 10


def test_a_foreign_order_that_is_seen_again_takes_no_second_place() -> None:
    foreign = ForeignOrders(remembered=2)
    for venue_id in ("1", "2", "2"):
        foreign.add(("BTC/USDT", venue_id))
    assert ("BTC/USDT", "1") in foreign
