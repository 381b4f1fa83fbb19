"""The kill switch: while one is on, nothing new is intended for what it covers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from bots.models.bot import Bot
from exchanges.models import ExchangeConnection


class Scope(models.TextChoices):
    DESK = "desk", "The whole desk"
    OWNER = "owner", "One owner's connections"
    CONNECTION = "connection", "One connection"
    BOT = "bot", "One bot"


class KillSwitchQuerySet(models.QuerySet["KillSwitch"]):
    def engaged(self) -> KillSwitchQuerySet:
        return self.filter(released_at=None)

    def covering(self, bot: Bot, connection: ExchangeConnection) -> KillSwitch | None:
        """One that forbids this bot to place anything; a single query, and mostly an empty answer."""
        return next((switch for switch in self.engaged() if switch.covers(bot, connection)), None)


class KillSwitch(models.Model):
    """One pull of the switch, and its release. `outcome`: what became of each order, in words."""

    scope = models.CharField(max_length=10, choices=Scope)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    bot = models.ForeignKey("bots.Bot", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(help_text="Why it was pulled.")
    engaged_at = models.DateTimeField(auto_now_add=True)
    engaged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.JSONField(default=list, blank=True)
    cancelling_since = models.DateTimeField(
        null=True, blank=True, help_text="When the orders that it covers began to be cancelled, last."
    )
    cancelled_at = models.DateTimeField(
        null=True, blank=True, help_text="When the outcome was known; empty while they are being cancelled."
    )

    objects = KillSwitchQuerySet.as_manager()

    class Meta:
        ordering = ["-engaged_at", "-pk"]
        verbose_name_plural = "kill switches"
        permissions = [
            ("pull_killswitch", "Can pull the kill switch"),
            ("release_killswitch", "Can release the kill switch"),
        ]
        constraints = [
            models.CheckConstraint(
                name="kill_switch_names_what_it_covers",
                condition=(
                    Q(scope=Scope.DESK, owner=None, connection=None, bot=None)
                    | Q(scope=Scope.OWNER, owner__isnull=False, connection=None, bot=None)
                    | Q(scope=Scope.CONNECTION, owner=None, connection__isnull=False, bot=None)
                    | Q(scope=Scope.BOT, owner=None, connection=None, bot__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        target = self.owner or self.connection or self.bot
        return f"{self.get_scope_display()}{f': {target}' if target else ''}"

    def covers(self, bot: Bot, connection: ExchangeConnection) -> bool:
        """connection: the bot's, with its owner as it is now."""
        return (
            self.scope == Scope.DESK
            or (self.scope == Scope.OWNER and self.owner_id == connection.owner_id)
            or (self.scope == Scope.CONNECTION and self.connection_id == connection.pk)
            or (self.scope == Scope.BOT and self.bot_id == bot.pk)
        )
