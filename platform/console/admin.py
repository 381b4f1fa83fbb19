"""People and groups in the desk's theme, with what is done to them on record; the task queue's own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_q.admin import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from audit.admin import ReadOnlyAdmin
from audit.services import record

admin.site.unregister([User, Group])
# A schedule runs any function there is, and a task that is sent again leaves no audit row. The queue has a
# page only where the database is the broker.
admin.site.unregister([page for page in (Schedule, Success, Failure, OrmQ) if admin.site.is_registered(page)])


class RecordedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is not typed
    """What Django logs of its rows goes into the audit as well: which fields, not their values."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, "created", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        changed = [name for part in message for name in part.get("changed", {}).get("fields", [])]
        if changed:
            self._record(request, "updated", obj, fields=changed)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            self._record(request, "deleted", row)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, verb: str, row: Model, **after: Any) -> None:
        actor = request.user if isinstance(request.user, User) else None
        record(actor=actor, action=f"{row._meta.model_name}.{verb}", target=row, after=after)


@admin.register(User)
class DeskUserAdmin(UserAdmin, RecordedAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class DeskGroupAdmin(GroupAdmin, RecordedAdmin):  # type: ignore[misc]  # unfold is not typed
    pass


@admin.register(Failure)
class FailedTaskAdmin(ReadOnlyAdmin):
    list_display = ["name", "func", "started", "stopped"]
    fields = ["id", "name", "func", "started", "stopped", "attempt_count", "result"]
