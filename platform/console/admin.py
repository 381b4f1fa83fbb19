"""People and groups in the desk's theme, with what is done to them on record; the task queue's own pages."""

from __future__ import annotations

from typing import Any

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_q.admin import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from audit.admin import ReadOnlyAdmin
from audit.services import record
from console.alert_admin import ChannelAdmin, MessageAdmin, RuleAdmin
from exchanges.admin.cells import NOTHING, age_column
from people import services

__all__ = ["ChannelAdmin", "MessageAdmin", "RuleAdmin"]

admin.site.unregister([User, Group])
# A schedule runs any function there is, and a task that is sent again leaves no audit row. The queue has a
# page only where the database is the broker.
admin.site.unregister([page for page in (Schedule, Success, Failure, OrmQ) if admin.site.is_registered(page)])

# Nobody's second factor is shown or made here; e-mail addresses are not used.
admin.site.unregister([page for page in (EmailAddress, Authenticator) if admin.site.is_registered(page)])


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
        record(actor=_person(request), action=f"{row._meta.model_name}.{verb}", target=row, after=after)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _rights_of(user: User) -> dict[str, list[str]]:
    """Roles and single permissions, by name."""
    permissions = user.user_permissions.values_list("content_type__app_label", "codename")
    return {
        "roles": sorted(user.groups.values_list("name", flat=True)),
        "permissions": sorted(".".join(permission) for permission in permissions),
    }


@admin.register(User)
class DeskUserAdmin(UserAdmin, RecordedAdmin):
    """Superusers are made and changed by superusers: an admin's role is no ladder."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ["remove_second_factors"]
    list_display = ["username", "email", "roles", "second_factors", "is_superuser", "is_active", "signed_in"]

    signed_in = age_column("last_login", "last sign-in")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related("groups", "authenticator_set")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or NOTHING

    @admin.display(description="second factors")
    def second_factors(self, user: User) -> str:
        """Which kinds; nothing of what is in them."""
        factors: Any = user.authenticator_set  # type: ignore[attr-defined]  # allauth is not typed
        return ", ".join(sorted({str(factor.get_type_display()) for factor in factors.all()})) or NOTHING

    @admin.action(description="Remove second factors", permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            if not self.has_change_permission(request, user):
                messages.error(request, f"{user} is a superuser, whom only superusers change.")
                continue
            removed = services.remove_second_factors(user=user, actor=_person(request))
            messages.success(request, f"{user}: {', '.join(removed) or 'no second factor'} removed.")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_equal(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_equal(request, obj) and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = _rights_of(form.instance)
        super().save_related(request, form, formsets, change)
        after = _rights_of(form.instance)
        if after != before:
            record(
                actor=_person(request), action="user.rights_changed", target=form.instance,
                before={name: before[name] for name in before if before[name] != after[name]},
                after={name: after[name] for name in after if before[name] != after[name]},
            )  # fmt: skip

    def _is_equal(self, request: HttpRequest, user: User | None) -> bool:
        return user is None or request.user.is_superuser or not user.is_superuser


@admin.register(Group)
class DeskGroupAdmin(GroupAdmin, RecordedAdmin):  # type: ignore[misc]  # unfold is not typed
    pass


@admin.register(Failure)
class FailedTaskAdmin(ReadOnlyAdmin):
    list_display = ["name", "func", "started", "stopped"]
    fields = ["id", "name", "func", "started", "stopped", "attempt_count", "result"]
