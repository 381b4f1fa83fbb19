"""The books of the paper venue: what a real one would keep about an account."""

from __future__ import annotations

from django.db import models

from database.money import MoneyField
from exchanges.types import Liquidity, OrderType, Side, VenueOrderStatus


def _choices(words: type[Side | OrderType | Liquidity | VenueOrderStatus]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


class PaperAccount(models.Model):
    """The paper money of one connection; whoever changes anything of it locks this row first."""

    connection = models.OneToOneField(
        "exchanges.ExchangeConnection",
        on_delete=models.PROTECT,
        related_name="paper_account",
        primary_key=True,
    )
    opened_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"paper account of {self.connection}"


class PaperBalance(models.Model):
    """What the account owns, the holds of its open orders included."""

    account = models.ForeignKey(PaperAccount, on_delete=models.PROTECT, related_name="balances")
    currency = models.CharField(max_length=40)
    total = MoneyField()

    class Meta:
        ordering = ["account", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["account", "currency"], name="paper_balance_once_per_currency"),
            models.CheckConstraint(condition=models.Q(total__gte=0), name="paper_balance_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} of {self.account}"


class PaperOrder(models.Model):
    account = models.ForeignKey(PaperAccount, on_delete=models.PROTECT, related_name="orders")
    client_id = models.CharField(max_length=64)
    symbol = models.CharField(max_length=80)
    base = models.CharField(max_length=40)
    quote = models.CharField(max_length=40)
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=6, choices=_choices(OrderType))
    price = MoneyField(null=True, blank=True)
    amount = MoneyField()
    maker_fee = MoneyField(help_text="Fraction of the cost, as it was when the order came.")
    filled = MoneyField(default=0)
    cost = MoneyField(default=0)
    status = models.CharField(max_length=9, choices=_choices(VenueOrderStatus))
    queue_ahead = MoneyField(
        default=0, help_text="What others had at this price when the order came, less what was traded there."
    )
    arrived_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "client_id"], name="paper_client_id_once_per_account")
        ]
        indexes = [
            models.Index(
                fields=["account", "symbol"],
                condition=models.Q(status=VenueOrderStatus.OPEN.value),
                name="paper_open_orders",
            )
        ]

    def __str__(self) -> str:
        return f"paper order {self.pk}"


class PaperTrade(models.Model):
    order = models.ForeignKey(PaperOrder, on_delete=models.PROTECT, related_name="trades")
    account = models.ForeignKey(PaperAccount, on_delete=models.PROTECT, related_name="trades")
    symbol = models.CharField(max_length=80)
    price = MoneyField()
    amount = MoneyField()
    cost = MoneyField()
    fee_currency = models.CharField(max_length=40)
    fee_amount = MoneyField()
    liquidity = models.CharField(max_length=5, choices=_choices(Liquidity))
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["account", "symbol", "at"], name="paper_trades_by_time")]

    def __str__(self) -> str:
        return f"paper trade {self.pk}"


class PaperTaken(models.Model):
    """What the account has taken of a public level that the real market still shows."""

    account = models.ForeignKey(PaperAccount, on_delete=models.PROTECT, related_name="taken")
    symbol = models.CharField(max_length=80)
    side = models.CharField(max_length=4, choices=_choices(Side), help_text="Of the level.")
    price = MoneyField()
    amount = MoneyField()
    level_amount = MoneyField(help_text="What the level showed then; another number means a new level.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "symbol", "side", "price"], name="paper_taken_once_per_level"
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} at {self.price}"


class PaperTape(models.Model):
    """How far the public trades of a symbol have been used for the account's fills."""

    account = models.ForeignKey(PaperAccount, on_delete=models.PROTECT, related_name="tapes")
    symbol = models.CharField(max_length=80)
    until = models.DateTimeField()
    ids_at_until = models.JSONField(help_text="Trades of that same instant that were used already.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "symbol"], name="paper_tape_once_per_symbol")
        ]

    def __str__(self) -> str:
        return f"tape of {self.symbol} for {self.account}"
