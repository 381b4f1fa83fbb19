"""The kill switch over the API: pulled with one permission, released with another."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from bots.kill_apart import cancel_covered_apart
from bots.kill_targets import outcomes_seen_by, visible_switches
from bots.models import KillSwitch, Scope
from bots.selectors import visible_bots
from bots.switches import Target, engage_kill_switch, release_kill_switch
from exchanges.selectors import SEES_ALL, visible_connections
from rest.fields import RowSerializer
from rest.views import DeskViewSet

OWNS_ALL = "Only who sees every connection may do that for the whole desk or for another owner."


class OutcomeSerializer(serializers.Serializer[Any]):
    """What became of one order. is_certain: the venue said so."""

    order = serializers.CharField()
    text = serializers.CharField()
    connection = serializers.CharField()
    sentence = serializers.CharField()
    is_certain = serializers.BooleanField()


class KillSwitchSerializer(RowSerializer):
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True, read_only=True)
    engaged_by = serializers.CharField(
        source="engaged_by.username", default=None, allow_null=True, read_only=True
    )
    released_by = serializers.CharField(
        source="released_by.username", default=None, allow_null=True, read_only=True
    )
    outcome = serializers.SerializerMethodField(help_text="What became of the orders that you may see.")

    class Meta:
        model = KillSwitch
        fields = (
            "id", "scope", "owner", "connection", "bot", "reason", "engaged_at", "engaged_by", "released_at",
            "released_by", "cancelled_at", "outcome",
        )  # fmt: skip

    @extend_schema_field(OutcomeSerializer(many=True))
    def get_outcome(self, switch: KillSwitch) -> Any:
        return OutcomeSerializer(self._outcome_seen(switch), many=True).data

    @cached_property
    def _outcome_seen(self) -> Callable[[KillSwitch], list[dict[str, Any]]]:
        return outcomes_seen_by(self.context["request"].user)


class PullSerializer(serializers.Serializer[Any]):
    """scope: what it covers. Name the owner, the connection or the bot where it is one of these."""

    scope = serializers.ChoiceField(choices=Scope.choices)
    owner = serializers.CharField(max_length=150, required=False, help_text="A user's name.")
    connection = serializers.UUIDField(required=False)
    bot = serializers.UUIDField(required=False)
    reason = serializers.CharField(max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        scope = attrs["scope"]
        named = {name for name in ("owner", "connection", "bot") if name in attrs}
        wanted = set() if scope == Scope.DESK else {str(scope)}
        if named != wanted:
            sentence = f"For the scope “{scope}” name {' and '.join(wanted) or 'nothing else'}."
            raise serializers.ValidationError({"scope": [sentence]})
        return attrs


class KillSwitchFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    on = filters.BooleanFilter(field_name="released_at", lookup_expr="isnull")

    class Meta:
        model = KillSwitch
        fields = ("scope",)


class KillSwitchViewSet(ListModelMixin, RetrieveModelMixin, DeskViewSet):
    """Those that cover anything of the asker's."""

    queryset = KillSwitch.objects.order_by("-engaged_at", "-pk")
    serializer_class = KillSwitchSerializer
    filterset_class = KillSwitchFilter
    permissions: ClassVar = {"create": "bots.pull_killswitch", "release": "bots.release_killswitch"}

    def get_queryset(self) -> QuerySet[KillSwitch]:
        return visible_switches(self.user).select_related("owner", "engaged_by", "released_by")

    @extend_schema(request=PullSerializer, responses={201: KillSwitchSerializer})
    def create(self, request: Request) -> Response:
        """Nothing new is placed from now on, and our orders are being cancelled: ask again for what became of
        each."""
        asked = PullSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        target = self._target(asked.validated_data)
        reason = asked.validated_data["reason"]
        switch = engage_kill_switch(actor=self.user, target=target, reason=reason)
        cancel_covered_apart(switch)
        return Response(self.get_serializer(switch).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """What it covered goes on as it was."""
        switch = self.get_object()
        self._require_all_unless(switch.scope in (Scope.CONNECTION, Scope.BOT) or switch.owner == self.user)
        release_kill_switch(actor=self.user, switch=switch)
        switch.refresh_from_db()
        return Response(self.get_serializer(switch).data)

    def _target(self, asked: dict[str, Any]) -> Target:
        """Another owner's connection or bot is as unknown as one that is not there."""
        scope = asked["scope"]
        if scope == Scope.CONNECTION:
            return Target(connection=_named(visible_connections(self.user), scope, asked["connection"]))
        if scope == Scope.BOT:
            return Target(bot=_named(visible_bots(self.user), scope, asked["bot"]))
        self._require_all_unless(asked.get("owner") == self.user.username)
        if scope == Scope.DESK:
            return Target()
        return Target(owner=_named(User.objects.all(), scope, asked["owner"], "username"))

    def _require_all_unless(self, theirs: bool) -> None:
        if not theirs and not self.user.has_perm(SEES_ALL):
            raise PermissionDenied(OWNS_ALL)


def _named(rows: QuerySet[Any], scope: str, key: Any, column: str = "pk") -> Any:
    row = rows.filter(**{column: key}).first()
    if row is None:
        raise serializers.ValidationError({scope: [f"There is no {scope} {key}."]})
    return row
