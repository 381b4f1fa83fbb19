"""One account at one venue."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from vault.fields import EncryptedField


class Mode(models.TextChoices):
    PAPER = "paper", "Paper"
    LIVE = "live", "Live"


class ConnectionQuerySet(models.QuerySet["ExchangeConnection"]):
    def active(self) -> ConnectionQuerySet:
        """Those that workers may lease."""
        return self.filter(enabled=True, archived_at=None)


class ExchangeConnection(models.Model):
    """Encrypted credentials at one venue, the way out to it, and who may act for it now."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, help_text="What people call it, for example “Binance main”.")
    venue = models.SlugField(
        max_length=40, help_text="The exchange: binance, okx, …, any id of ccxt, or demo (no network)."
    )
    mode = models.CharField(
        max_length=5,
        choices=Mode,
        default=Mode.PAPER,
        help_text="Paper trades against the real market's prices with play money.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="connections", verbose_name="owner"
    )

    api_key = EncryptedField(verbose_name="API key")
    api_secret = EncryptedField(verbose_name="API secret")
    passphrase = EncryptedField(help_text="Where the venue asks for one (OKX's passphrase, BitMart's memo).")

    proxy_url = models.CharField(
        "proxy",
        max_length=200,
        blank=True,
        help_text="http://host:port, https://host:port or socks5://host:port, without user name and "
        "password. Empty: the desk's own proxy (QUOTAGUARDSTATIC_URL) where there is one, else a direct "
        "connection. “direct”: through no proxy.",
    )
    proxy_username = models.CharField(max_length=200, blank=True)
    proxy_password = EncryptedField()
    proxy_ca = models.TextField(
        "proxy CA bundle",
        blank=True,
        help_text="For https:// proxies whose certificate is signed by an authority of their own: a file's "
        "path, or the PEM text. Then no other authority is trusted for the proxy.",
    )
    proxy_ipv4_only = models.BooleanField(
        "reach the proxy over IPv4 only",
        default=False,
        help_text="Where the proxy serves only IPv4 addresses that it knows. Venues that are reached "
        "directly are always reached over IPv4, as their allow-lists want.",
    )

    paper_balances = models.JSONField(
        default=dict,
        blank=True,
        help_text='What a paper account starts with: {"USDT": "10000"}. Read once, at its first use.',
    )

    quote_currency = models.CharField(
        max_length=40,
        blank=True,
        validators=[RegexValidator(r"^[A-Z0-9]+\Z", "Write it as the exchange does: USDT, USD, EUR.")],
        help_text="What the account's worth is counted in. Empty: as is usual there, USDT or USD.",
    )

    enabled = models.BooleanField(default=True, help_text="Disabled: no worker acts for it.")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    # The lease: which worker process may act for this connection, until when (the database's clock), and
    # a number that grows with each new holder.
    lease_owner = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    lease_fence = models.PositiveBigIntegerField(default=0, editable=False)

    paused_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The venue asked for no requests until then."
    )
    credentials_tested_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When a worker found that these credentials may trade; empty since they were changed.",
    )

    # What a worker saw last.
    last_answer_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, blank=True, editable=False)
    balances_at = models.DateTimeField(null=True, blank=True, editable=False)
    balances_due_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="From then on a worker looks at the balances though no bot is at work. Empty: never.",
    )
    last_snapshot = models.OneToOneField(
        "exchanges.BalanceSnapshot",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "exchange connection"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "owner",
                name="connection_name_unique_per_owner",
                violation_error_message="You have a connection of this name already.",
            ),
        ]
        permissions = [
            ("test_exchangeconnection", "Can test exchange connections"),
            ("view_all_connections", "Can see every owner's connections, and what hangs on them"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_dry_run(self) -> bool:
        """Live by its row, and run as paper: DRY_RUN is set in this process's environment."""
        return self.mode == Mode.LIVE and settings.DRY_RUN

    @property
    def is_paper(self) -> bool:
        """Whether it trades with play money, by its row or because of DRY_RUN."""
        return self.mode == Mode.PAPER or self.is_dry_run
