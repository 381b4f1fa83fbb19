"""An order: the intent that is saved before anything is sent, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from bots.lifecycle import LIVE, OrderState
from bots.models.books import DRY_RUN_HELP, books_in_use
from bots.strategies.entries import ENTRY
from bots.strategies.exits import TAKE_PROFIT
from database.money import MoneyField
from exchanges.types import OrderType, Side, TimeInForce


def new_client_id() -> str:
    return uuid.uuid4().hex


def _choices(
    values: type[Side] | type[OrderType] | type[TimeInForce] | type[OrderState],
) -> list[tuple[str, str]]:
    return [(value.value, value.value.replace("_", " ").capitalize()) for value in values]


class OrderQuerySet(models.QuerySet["Order"]):
    def live(self) -> OrderQuerySet:
        """Those that may rest at the venue, or may fill there: open exposure."""
        return self.filter(state__in=LIVE)

    def unsettled(self) -> OrderQuerySet:
        """Live ones, and ended ones whose trades are not all here yet."""
        return self.filter(settled_at=None)

    def current(self) -> OrderQuerySet:
        """Those of the books in use."""
        return self.filter(books_in_use("connection"))


class Order(models.Model):
    """`client_id` names it at the venue, `venue_id` is the venue's own name for it."""

    client_id = models.CharField(max_length=32, unique=True, default=new_client_id, editable=False)
    venue_id = models.CharField(max_length=80, blank=True)
    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    bot = models.ForeignKey("bots.Bot", on_delete=models.PROTECT, related_name="orders", db_index=False)
    round_trip = models.ForeignKey(
        "bots.RoundTrip", null=True, blank=True, on_delete=models.PROTECT, related_name="orders"
    )
    is_dry_run = models.BooleanField(default=False, help_text=DRY_RUN_HELP)
    fence = models.PositiveBigIntegerField(help_text="The fencing number of the lease that intended it.")

    symbol = models.CharField(max_length=80)
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=6, choices=_choices(OrderType), default=OrderType.LIMIT)
    time_in_force = models.CharField(max_length=3, choices=_choices(TimeInForce), default=TimeInForce.GTC)
    post_only = models.BooleanField(default=False)
    price = MoneyField(null=True, blank=True)
    amount = MoneyField()
    level = models.CharField(max_length=20, blank=True, help_text="Its place in the ladder: bid 1, ask 2, …")

    state = models.CharField(max_length=12, choices=_choices(OrderState), default=OrderState.INTENDED)
    filled = MoneyField(default="0")
    traded = MoneyField(default="0", help_text="The sum of its trades that are here.")
    average = MoneyField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it was refused, or what is not known of it.")

    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    unknown_since = models.DateTimeField(null=True, blank=True)
    not_found_count = models.PositiveIntegerField(
        default=0, help_text="How often in a row the venue said that it has no such order."
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When it had ended and its trades added up to what was filled."
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        # As with trades: a bot's and a connection's own serve as their foreign keys' index too.
        indexes = [
            models.Index(fields=["bot", "-created_at"]),
            models.Index(fields=["connection", "-created_at"]),
            models.Index(fields=["-created_at", "-id"]),
            models.Index(fields=["connection"], name="order_unsettled", condition=Q(settled_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["venue_id", "connection", "symbol", "is_dry_run"],
                condition=~Q(venue_id=""),
                name="order_once_per_venue_id",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_amount_positive"),
            models.CheckConstraint(condition=Q(filled__gte=0), name="order_filled_not_negative"),
        ]

    def __str__(self) -> str:
        price = "market" if self.price is None else f"{self.price.normalize():f}"
        return f"{self.side} {self.amount.normalize():f} {self.symbol} @ {price}"

    @property
    def closes(self) -> bool:
        """It is the exit of a round trip."""
        return self.round_trip_id is not None and self.level != ENTRY

    @property
    def is_urgent(self) -> bool:
        """It is priced to fill at once: an entry, or the exit of a position that is being closed."""
        return self.round_trip_id is not None and self.level != TAKE_PROFIT
