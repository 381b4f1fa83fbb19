"""API tokens: made once, shown once, revoked; never changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from exchanges.admin.acting import Act, ButtonsAdmin, ServiceForm
from exchanges.admin.cells import age_column, badge
from rest.models import ApiToken
from rest.tokens import create_token, revoke_token

MANAGES = "rest.manage_apitokens"


def revoke(token: ApiToken, actor: User) -> str:
    revoke_token(token=token, actor=actor)
    return f"“{token}” is revoked: nobody gets in with it any more."


def state_badge(token: ApiToken) -> SafeString:
    if token.revoked_at is not None:
        return badge("revoked", "bad")
    return badge("expired", "busy") if token.is_expired else badge("in use", "good")


class TokenForm(ServiceForm):
    """maker: who makes it; the owner too, where the form does not ask for one."""

    class Meta:
        model = ApiToken
        fields = ("name", "user", "scope", "expiry")

    maker: User
    clear = ""

    def save_through_service(self, actor: User | None) -> ApiToken:
        asked: dict[str, Any] = {name: self.cleaned_data.get(name) for name in ("name", "scope", "expiry")}
        owner = self.cleaned_data.get("user") or self.maker
        token, self.clear = create_token(actor=self.maker, owner=owner, **asked)
        return token


@admin.register(ApiToken)
class ApiTokenAdmin(ButtonsAdmin):
    """Whoever may add one makes it for themselves; who manages them, for whoever may do no more than they."""

    form = TokenForm
    list_display = ["name", "state", "scope", "user", "token_key", "expiry", "used", "made"]
    list_filter = ["scope", "expiry"]
    search_fields = ["name", "user__username"]
    list_select_related = ["user"]
    change_form_outer_before_template = "api/token_top.html"
    used = age_column("last_used_at", "last used")
    made = age_column("created", "made")
    acts = (
        Act(
            name="revoke", label="Revoke", permission=MANAGES, run=revoke, is_dangerous=True,
            offered=lambda token: token.revoked_at is None,
            confirm="Revoke this token? Whatever uses it is refused from then on.",
        ),
    )  # fmt: skip

    @admin.display(description="state")
    def state(self, token: ApiToken) -> SafeString:
        return state_badge(token)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        rows: QuerySet[ApiToken] = super().get_queryset(request)
        return rows if request.user.has_perm(MANAGES) else rows.filter(user=request.user.pk)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is not None:
            return ["name", "user", "scope", "token_key", "created", "expiry", "last_used_at", "revoked_at"]
        owner = ["user"] if request.user.has_perm(MANAGES) else []
        return ["name", *owner, "scope", "expiry"]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> type[forms.ModelForm]:
        form: type[forms.ModelForm] = super().get_form(request, obj, **kwargs)
        return type(form.__name__, (form,), {"maker": request.user})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made = form.save_through_service(request.user)
        obj.pk, obj.user, obj.token_key, obj.clear = made.pk, made.user, made.token_key, form.clear

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The one page that shows the token; no message, which a cookie would carry."""
        context = self.admin_site.each_context(request) | {
            "title": "API token", "token": obj, "clear": obj.clear, "opts": self.opts,
        }  # fmt: skip
        page = TemplateResponse(request, "api/token_made.html", context)
        page.headers["Cache-Control"] = "no-store"
        return page

    def above_form(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        above = super().above_form(request, row)
        return above if row is None else above | {"state": state_badge(row)}
