"""A round trip: a position of a scalper from its entry to its exit; what people read as its trade log."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

from django.db import models
from django.db.models import Q

from bots.accounting import Holding
from bots.models.books import DRY_RUN_HELP, books_in_use
from bots.strategies.barriers import Exit
from database.money import MoneyField
from exchanges.types import Side


class TripState(models.TextChoices):
    OPENING = "opening", "Opening"  # its entry is sent, and nothing of it has filled yet
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"
    MISSED = "missed", "Missed"  # its entry ended without a fill


AT_WORK = (TripState.OPENING, TripState.OPEN)


class RoundTripQuerySet(models.QuerySet["RoundTrip"]):
    def at_work(self) -> RoundTripQuerySet:
        """Those that a worker looks after."""
        return self.filter(state__in=AT_WORK)

    def traded(self) -> RoundTripQuerySet:
        """Those that anything was filled of."""
        return self.exclude(opened_at=None)

    def current(self) -> RoundTripQuerySet:
        """Those of the books in use."""
        return self.filter(books_in_use("connection"))


class RoundTrip(models.Model):
    """The sums are those of its orders' trades, written in the transaction that records a trade.

    side: of the entry. amount, cost: what is held of it now, as in `bots.accounting.Holding`; what is left of
    them when it is closed is dust.
    """

    bot = models.ForeignKey("bots.Bot", on_delete=models.PROTECT, related_name="round_trips")
    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="round_trips"
    )
    is_dry_run = models.BooleanField(default=False, help_text=DRY_RUN_HELP)
    symbol = models.CharField(max_length=80)
    side = models.CharField(max_length=4, choices=[(side.value, side.value.capitalize()) for side in Side])
    state = models.CharField(max_length=7, choices=TripState, default=TripState.OPENING)

    amount = MoneyField(default="0", help_text="Base currency that is held now; negative: to be bought back.")
    cost = MoneyField(default="0", help_text="What the amount cost at average, in quote currency.")
    realised_profit = MoneyField(
        "profit", default="0", help_text="In quote currency, after fees paid in it: of what was closed."
    )
    fees_quote = MoneyField(default="0")
    fees_base = MoneyField(default="0")
    entered = MoneyField("entry amount", default="0", help_text="Base currency that its entry has traded.")
    entry_cost = MoneyField(default="0", help_text="Of the entry's trades, in quote currency, before fees.")
    entry_fees = MoneyField(default="0", help_text="Those of the entry, in quote currency.")
    exited = MoneyField("exit amount", default="0", help_text="Base currency that its exits have traded.")
    exit_cost = MoneyField(default="0", help_text="Of the exits' trades, in quote currency, before fees.")
    profit_pct = MoneyField(
        null=True, blank=True, help_text="Of what the entry cost with its fees: 0.01 is one per cent."
    )

    opened_because = models.TextField(blank=True)
    closing = models.CharField(
        max_length=20,
        blank=True,
        choices=[(reason.value, reason.value.replace("_", " ").capitalize()) for reason in Exit],
        help_text="Why it is being closed, or was.",
    )
    closing_since = models.DateTimeField(
        null=True, blank=True, help_text="When its present price was chosen."
    )
    closing_tries = models.PositiveIntegerField(default=0, help_text="Prices so far.")
    trailing_stop = MoneyField(null=True, blank=True)
    remark = models.TextField(
        blank=True, help_text="What was odd about its end: dust, a market that is gone, …"
    )

    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True, help_text="Its first fill.")
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = RoundTripQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["bot", "-closed_at"]),
            models.Index(fields=["connection", "-created_at"]),
            models.Index(fields=["-created_at", "-id"]),
            models.Index(
                fields=["connection"],
                name="round_trip_at_work",
                condition=Q(state__in=[TripState.OPENING, TripState.OPEN]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {self.symbol} of {self.bot}"

    @property
    def holding(self) -> Holding:
        return Holding(**{column.name: Decimal(getattr(self, column.name)) for column in fields(Holding)})

    @holding.setter
    def holding(self, holding: Holding) -> None:
        for column in fields(holding):
            setattr(self, column.name, getattr(holding, column.name))

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK

    @property
    def left(self) -> Decimal:
        """Base, what an exit still has to trade; what was closed beyond the entry is none."""
        sign = 1 if self.side == Side.BUY else -1
        return max(sign * Decimal(self.amount), Decimal(0))

    @property
    def entry_average(self) -> Decimal | None:
        return Holding(amount=self.entered, cost=self.entry_cost).average

    @property
    def exit_average(self) -> Decimal | None:
        return Holding(amount=self.exited, cost=self.exit_cost).average

    @property
    def duration(self) -> timedelta | None:
        return self.closed_at - self.opened_at if self.opened_at and self.closed_at else None
