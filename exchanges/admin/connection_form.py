"""The form of a connection. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from exchanges import services
from exchanges.admin.acting import ServiceForm
from exchanges.admin.credentials import CREDENTIALS
from exchanges.models import ExchangeConnection
from exchanges.services import SECRETS, SecretName
from exchanges.validation import PAPER_BALANCES_FORM
from exchanges.venues.credentials import tidied
from exchanges.venues.registry import venue_or_none
from vault.keyring import VaultError
from vault.secret import Secret


class SecretField(forms.CharField):
    """A password input that is never filled. What is typed is kept to the last space."""

    def __init__(self, label: str) -> None:
        widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        super().__init__(label=label, required=False, widget=widget, strip=False)


class ClearField(forms.BooleanField):
    def __init__(self, label: str) -> None:
        super().__init__(label=f"Remove the stored {label}", required=False, widget=UnfoldBooleanWidget())


class ProxyAddressField(forms.CharField):
    """A form that is refused shows again what was typed, but no login in front of the host."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        login, at, host = str(data or "").rpartition("@")
        if not at:
            return data
        scheme, separator, _ = login.partition("://")
        return f"{scheme}{separator}{host}" if separator else host


class ConnectionForm(ServiceForm):
    """Asks for what the chosen venue asks for. notes: what was done to the credentials as they were typed."""

    api_key = SecretField("API key")
    api_secret = SecretField("API secret")
    passphrase = SecretField("Passphrase")
    proxy_password = SecretField("Proxy password")
    clear_api_key = ClearField("API key")
    clear_api_secret = ClearField("API secret")
    clear_passphrase = ClearField("passphrase")
    clear_proxy_password = ClearField("proxy password")

    class Meta:
        model = ExchangeConnection
        exclude = SECRETS  # they reach the row through the service only
        field_classes = {"proxy_url": ProxyAddressField}
        error_messages = {"paper_balances": {"invalid": PAPER_BALANCES_FORM}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notes: list[str] = []
        if "venue" in self.fields:
            self.fields["venue"].widget.attrs["list"] = "known-venues"
        hints = self._words_of_the_venue()
        for name in SECRETS:
            if name in self.fields:
                stored = "" if self.instance._state.adding else stored_hint(getattr(self.instance, name))
                self.fields[name].help_text = f"{hints.get(name, '')} {stored}".strip()

    def _words_of_the_venue(self) -> dict[str, str]:
        """Its labels for the credentials; returns its hints by field."""
        chosen = self.data.get("venue") or self.initial.get("venue") or self.instance.venue
        its_venue = venue_or_none(str(chosen))
        asked = its_venue.credential_fields if its_venue else ()
        for each in asked:
            self.fields[each.name].label = each.label
        return {each.name: each.hint for each in asked}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name in CREDENTIALS:
            typed = self.cleaned_data.get(name) or ""
            self.cleaned_data[name] = tidied(typed, name=name)
            if self.cleaned_data[name] != typed:
                self.notes.append(_note(str(self.fields[name].label), typed))
        return cleaned

    def clean_paper_balances(self) -> dict[str, str]:
        return self.cleaned_data["paper_balances"] or {}

    def save_through_service(self, actor: User | None) -> ExchangeConnection:
        fields = {name: value for name, value in self.cleaned_data.items() if name in services.FIELDS}
        secrets: dict[SecretName, Secret] = {
            name: Secret(self.cleaned_data.get(name) or "") for name in SECRETS
        }
        if self.instance._state.adding:
            return services.create_connection(actor=actor, secrets=secrets, **fields)
        clear = [name for name in SECRETS if self.cleaned_data.get(f"clear_{name}")]
        return services.update_connection(
            connection=self.instance, actor=actor, secrets=secrets, clear=clear, **fields
        )


def stored_hint(secret: Secret) -> str:
    """What may be said of a stored secret; one sentence when its key is lost."""
    if not secret:
        return "Not set."
    try:
        return f"Set, ends in {secret.hint}. Leave empty to keep it."
    except VaultError as error:
        return str(error)


def _note(label: str, typed: str) -> str:
    if "-----BEGIN " in typed:
        return f"The {label} was pasted without its line ends; they are put back."
    return f"Spaces, line ends or quotes around the {label} were taken away."
