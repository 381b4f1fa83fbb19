"""The form of a connection. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from exchanges import services
from exchanges.admin.acting import ServiceForm
from exchanges.models import ExchangeConnection
from exchanges.services import SECRETS, SecretName
from exchanges.validation import PAPER_BALANCES_FORM
from vault.keyring import VaultError
from vault.secret import Secret

PEM_LINE = 64


class SecretField(forms.CharField):
    """A password input that is never filled."""

    def __init__(self, label: str) -> None:
        widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        super().__init__(label=label, required=False, widget=widget)


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
        if "venue" in self.fields:
            self.fields["venue"].widget.attrs["list"] = "known-venues"
        for name in SECRETS:
            if name in self.fields:
                self.fields[name].help_text = stored_hint(getattr(self.instance, name))

    def clean_api_secret(self) -> str:
        return restored_pem(self.cleaned_data["api_secret"])

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


def restored_pem(text: str) -> str:
    """A PEM text whose line breaks the browser's input has swallowed, with its lines again."""
    head, begin, rest = text.partition("-----BEGIN ")
    kind, dashes, rest = rest.partition("-----")
    body, end, _ = rest.partition(f"-----END {kind}-----")
    if head or not (begin and dashes and end) or "\n" in text or "\\n" in text:
        return text
    body = "".join(body.split())
    lines = [body[start : start + PEM_LINE] for start in range(0, len(body), PEM_LINE)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])
