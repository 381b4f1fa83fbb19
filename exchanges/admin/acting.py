"""Buttons that act: POST only, each with its permission, each through a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from exchanges.admin.owned import OwnedAdmin


class Caution(str):
    """What came of an act that was done, and what to look at all the same."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Act:
    """run: calls a service with (row, actor) and says what came of it, with a `Caution` where something is
    to be looked at; ValidationError: it was refused.

    permission: with its app's label. is_primary, is_dangerous: how its button looks.
    offered: whether its button is shown for a row; the service has the last word.
    """

    name: str
    label: str
    permission: str
    run: Callable[[Any, User], str]
    offered: Callable[[Any], bool] = lambda row: row.archived_at is None
    is_primary: bool = False
    is_dangerous: bool = False
    confirm: str = ""


class ButtonsAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is not typed
    """A model whose rows are acted upon, and never deleted."""

    acts: tuple[Act, ...] = ()
    list_per_page = 30

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        options = self.model._meta
        view = self.admin_site.admin_view(require_POST(self.act_view))
        name = f"{options.app_label}_{options.model_name}_act"
        return [path("<uuid:object_id>/act/<slug:act_name>/", view, name=name), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: Any, act_name: str) -> HttpResponse:
        row = self.get_object(request, str(object_id))
        act = next((act for act in self.acts if act.name == act_name), None)
        if row is None or act is None:
            raise Http404
        if not request.user.has_perm(act.permission):
            raise PermissionDenied
        self.perform(request, act, [row])
        return HttpResponseRedirect(reverse(self._url_name("change"), args=[row.pk]))

    def perform(self, request: HttpRequest, act: Act, rows: Iterable[models.Model]) -> None:
        """Acts on each row by itself: what is refused for one does not keep the others from it."""
        for row in rows:
            try:
                said = act.run(row, request.user)  # type: ignore[arg-type]
                tell = messages.warning if isinstance(said, Caution) else messages.success
                tell(request, said)
            except ValidationError as refused:
                for sentence in refused.messages:
                    messages.error(request, sentence)

    def buttons(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """The acts that this person may do to this row now."""
        return [
            {"act": act, "url": reverse(self._url_name("act"), args=[row.pk, act.name])}
            for act in self.acts
            if act.offered(row) and request.user.has_perm(act.permission)
        ]

    def above_form(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row knows beside its form; None: the page of a new one."""
        return {} if row is None else {"buttons": self.buttons(request, row)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        context = (extra_context or {}) | self.above_form(request, row)
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def _url_name(self, page: str) -> str:
        options = self.model._meta
        return f"{self.admin_site.name}:{options.app_label}_{options.model_name}_{page}"


class ActingAdmin(ButtonsAdmin, OwnedAdmin):
    """Rows that hang on a connection, and are archived instead of deleted."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_archived = obj is not None and obj.archived_at is not None
        return bool(super().has_change_permission(request, obj)) and not is_archived


class ServiceForm(forms.ModelForm):
    """A form that a service saves. What the service would refuse is said at the fields, before saving."""

    def save_through_service(self, actor: User | None) -> models.Model:
        """Raises ValidationError."""
        raise NotImplementedError

    def _get_validation_exclusions(self) -> set[str]:
        """All columns: the service checks them, and says more of each than the columns could."""
        return {field.name for field in self.instance._meta.get_fields()}

    def validate_unique(self) -> None:
        """Rehearses the service, which knows more rules than the columns, and takes it back."""
        if self.errors:
            return
        with transaction.atomic():
            try:
                self.save_through_service(None)
            except ValidationError as refused:
                self._show(refused)
            transaction.set_rollback(True)

    def _show(self, refused: ValidationError) -> None:
        if not hasattr(refused, "error_dict"):
            self.add_error(None, refused)
            return
        for name, errors in refused.error_dict.items():
            for error in errors:
                self.add_error(name if name in self.fields else None, error)
