"""The API's description, beyond what its serializers say."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from rest.idempotency import HEADER, LONGEST

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=f"Up to {LONGEST} printable ASCII characters. The same request with the same key is answered "
    "again for 24 hours, and not done again.",
)
REFUSALS = {
    400: "Something in the request is wrong, or a service refuses it: a sentence for each mistake.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The scope or a permission is missing.",
    404: "It is not there, or it is another owner's.",
    405: "The address does not take this method.",
    406: "It answers in JSON.",
    429: "Too often: Retry-After says when to ask again.",
    500: "A defect of ours.",
    503: "The database does not answer.",
}
REFUSALS_OF_ACTS = {
    409: "A request with this Idempotency-Key is being done.",
    413: "The body is too large.",
    415: "It takes JSON.",
    422: "This Idempotency-Key came with another request before.",
}


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField(allow_blank=True, help_text="A sentence for a person.")
    attr = serializers.CharField(allow_null=True, help_text="The field that it is about.")


class RefusalSerializer(serializers.Serializer[Any]):
    """Every error has this shape."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # the errors are this answer's data


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    target_class = "rest.authentication.TokenDoor"
    name = "token"


class DeskSchema(AutoSchema):
    @property
    def _acts(self) -> bool:
        return self.method in {"POST", "PATCH", "PUT", "DELETE"}

    def _is_create_operation(self) -> bool:
        return bool(super()._is_create_operation() or getattr(self.view, "action", "") == "clone")

    def get_override_parameters(self) -> list[Any]:
        return [IDEMPOTENCY_KEY] if self._acts else []

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction=direction)
        for code, description in (REFUSALS | (REFUSALS_OF_ACTS if self._acts else {})).items():
            refusal = OpenApiResponse(RefusalSerializer, description)
            told = self._get_response_for_code(  # type: ignore[no-untyped-call]
                refusal, str(code), ["application/json"], direction
            )
            bodies.setdefault(str(code), told)
        return bodies
