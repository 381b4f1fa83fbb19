"""Rows that hang on a connection: everybody sees those of the connections that they see, everywhere."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.auth.models import User
from django.db.models import ForeignKey, Model, QuerySet
from django.http import Http404, HttpRequest
from unfold.admin import ModelAdmin

from exchanges.models import ExchangeConnection
from exchanges.selectors import SEES_ALL, visible_connections, visible_rows


def visible_choices(request: HttpRequest, model: type[Model]) -> QuerySet[Any] | None:
    """What a field or filter may offer of this model; None where it is not for owners to keep apart."""
    if model is ExchangeConnection:
        return visible_connections(request.user)
    if model is User and not request.user.has_perm(SEES_ALL):
        return User.objects.filter(username=request.user.get_username())
    return None


class VisibleFilter(RelatedFieldListFilter):
    """Offers those connections and people that one may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        seen = visible_choices(request, field.remote_field.model)
        if seen is None:
            return super().field_choices(field, request, model_admin)
        return [(str(row.pk), str(row)) for row in seen]


class OwnedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is not typed
    """to_connection: the lookup that leads from a row to its connection."""

    to_connection = "connection"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_rows(request.user, super().get_queryset(request), self.to_connection)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        offered: QuerySet[Any] | None = super().get_field_queryset(db, db_field, request)
        seen = visible_choices(request, db_field.remote_field.model)
        return offered if seen is None else seen

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._of_what_is_seen(each) for each in super().get_list_filter(request)]

    def _of_what_is_seen(self, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        field = get_fields_from_path(self.model, given)[-1]
        return (given, VisibleFilter) if isinstance(field, ForeignKey) else given

    def _get_obj_does_not_exist_redirect(self, *args: Any) -> NoReturn:
        """Another's row is one that does not exist, and neither is told apart by where one is sent."""
        raise Http404
