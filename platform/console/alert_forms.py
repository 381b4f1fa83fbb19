"""The forms of channels and rules. An address goes in and never comes out."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from alerts import services
from alerts.models import AlertChannel, AlertRule
from alerts.services import Address
from bots.models import Bot
from bots.selectors import visible_bots
from exchanges.admin.acting import ServiceForm
from exchanges.admin.connection_form import SecretField
from exchanges.models import ExchangeConnection
from exchanges.selectors import visible_connections

EXAMPLES = (
    "As Apprise writes it: tgram://token/chat, slack://…, discord://…, mailtos://user:password@host, "
    "jsons://host/path for a webhook. Encrypted when saved, and never shown again."
)
KINDS_HELP = (
    "Kinds of events, as the list of events has them, with commas between them: connection_failed, "
    "breaker_open, kill_switch, … Empty: all."
)


class ChannelForm(ServiceForm):
    """examined: what was found out about the address before any transaction began; None: none was typed."""

    examined: Address | ValidationError | None = None
    url = SecretField("Address")

    class Meta:
        model = AlertChannel
        exclude = ("url", "service")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "url" in self.fields:
            stored = "" if self.instance._state.adding else f"{self.instance.service} is set. Empty: keep it."
            self.fields["url"].help_text = f"{EXAMPLES} {stored}".strip()

    def clean_url(self) -> Address | None:
        if isinstance(self.examined, ValidationError):
            raise self.examined
        return self.examined

    def save_through_service(self, actor: User | None) -> AlertChannel:
        cleaned = self.cleaned_data
        given = {name: cleaned[name] for name in services.CHANNEL_FIELDS if name in cleaned}
        address = cleaned.get("url")
        if self.instance._state.adding:
            return services.create_channel(actor=actor, address=address, **given)
        return services.update_channel(channel=self.instance, actor=actor, address=address, **given)


class KindsField(forms.CharField):
    """A list of words, written with commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [word for word in re.split(r"[\s,]+", str(value or "")) if word]


class ChoiceOfSeen(forms.ModelChoiceField):
    """One row, or all. Which are offered, the form says: none until then."""

    def __init__(self, model: type[Model]) -> None:
        rows: QuerySet[Any] = model._default_manager.none()
        super().__init__(rows, required=False, empty_label="All", widget=UnfoldAdminSelectWidget())


class RuleForm(ServiceForm):
    """person: who fills it in, and is offered what they see."""

    person: User | AnonymousUser = AnonymousUser()
    kinds = KindsField(required=False, help_text=KINDS_HELP, widget=UnfoldAdminTextInputWidget())
    connection = ChoiceOfSeen(ExchangeConnection)
    bot = ChoiceOfSeen(Bot)

    class Meta:
        model = AlertRule
        exclude = ("connection_id", "bot_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows: dict[str, Any] = {
            "connection": visible_connections(self.person).filter(archived_at=None),
            "bot": visible_bots(self.person).filter(archived_at=None),
        }
        for name, seen in rows.items():
            if name in self.fields:
                self.fields[name].queryset = seen  # type: ignore[attr-defined]
                self.initial.setdefault(name, getattr(self.instance, f"{name}_id"))

    def save_through_service(self, actor: User | None) -> AlertRule:
        cleaned = self.cleaned_data
        given = {name: cleaned[name] for name in services.RULE_FIELDS if name in cleaned}
        for name in ("connection", "bot"):
            if name in cleaned:
                given[f"{name}_id"] = cleaned[name].pk if cleaned[name] else None
        if self.instance._state.adding:
            return services.create_rule(actor=actor, **given)
        return services.update_rule(rule=self.instance, actor=actor, **given)
