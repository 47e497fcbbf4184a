"""Base classes for the APIs of all apps: the actor, the base view, typed choices, and problem documents.
Permissions are decided by tenants.access.permissions, through the selectors and services of each app.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import IO, Any, TypeVar, cast

import django_filters
from django import forms
from django.db.models import Model, Q, QuerySet
from django_filters.fields import IsoDateTimeField
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.models import ApiToken, Tenant, User
from tenants.web.input_limits import NUL, integer

PROBLEM_MEDIA_TYPE = "application/problem+json"
ROW_ID = "[0-9]{1,19}"
Row = TypeVar("Row", bound=Model)
Method = TypeVar("Method", bound=Callable[..., Any])
EMPTY = "This parameter is empty. Give it a value, or leave it out."
WRITING_METHODS = ("POST", "PUT", "PATCH", "DELETE")


def actor_of(request: Request) -> Actor:
    """The actor of this request: the token sent with it, otherwise the signed-in user."""
    if isinstance(request.auth, ApiToken):
        return Actor.bearer(request.auth)
    if not isinstance(request.user, User):
        raise permissions.Refused("Sign in, or send an API token.")
    return Actor.person(request.user, "api")


class ProblemSerializer(serializers.Serializer[Any]):
    """An error, as RFC 9457 describes it."""

    type = serializers.CharField(help_text="A stable identifier of the kind of problem.")
    title = serializers.CharField(help_text="A short description of the kind of problem.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What went wrong and what to do.")
    instance = serializers.CharField(help_text="The requested path.")
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="Field → errors; for validation problems only."
    )
    reference = serializers.CharField(
        required=False, help_text="For internal errors only: identifies the entry in the server's log."
    )


class ApiSchema(AutoSchema):
    """Adds the problem documents that any operation may return."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            problem = self.resolve_serializer(ProblemSerializer, "response").ref
            for status, meaning in self._problems():
                operation["responses"].setdefault(
                    status, {"description": meaning, "content": {PROBLEM_MEDIA_TYPE: {"schema": problem}}}
                )
        return operation

    def _problems(self) -> Iterable[tuple[str, str]]:
        yield "400", "The request is not valid."
        yield "401", "No valid API token was sent and no user is signed in."
        yield "403", "You do not have permission to do this."
        yield "404", "The object does not exist, or you do not have access to it."
        if self.method in WRITING_METHODS:
            yield "409", "The state of the object does not allow this."
        yield "429", "Too many requests. Wait for the time in the Retry-After header."
        yield "500", "Internal error. The reference identifies the entry in the server's log."
        if self.method in WRITING_METHODS:
            yield "502", "Microsoft's service refused the request or failed."


def shown_as(form: Any) -> Callable[[Method], Method]:
    """Declares what a SerializerMethodField's method returns, for the OpenAPI document."""
    return cast("Callable[[Method], Method]", extend_schema_field(form))


class Choice(serializers.ChoiceField):
    """A choice field whose set of values has its own name in the OpenAPI document."""

    def __init__(self, name: str, choices: Any, **kwargs: Any) -> None:
        self.name = name
        super().__init__(choices, **kwargs)


class ChoiceExtension(OpenApiSerializerFieldExtension):
    target_class = Choice

    def get_name(self, *_args: Any) -> str:
        return str(self.target.name)

    def map_serializer_field(self, *_args: Any) -> dict[str, Any]:
        return {"type": "string", "enum": [value for value in self.target.choices if value != ""]}


class ShallowJSONParser(JSONParser):
    """A JSON parser that reports too deeply nested documents."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None


class ApiViewSet(GenericViewSet[Row]):
    """Base class of all API views. Rows come from a selector that takes the actor; actions go to a service."""

    schema = ApiSchema()
    parser_classes = (ShallowJSONParser,)
    ordering: str = "-id"
    lookup_value_regex = ROW_ID

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        texts = [*request.query_params.lists(), *((name, [part]) for name, part in kwargs.items())]
        if refused := [name for name, values in texts if any(NUL in str(value) for value in values)]:
            raise serializers.ValidationError({name: ["NUL characters are not allowed."] for name in refused})
        if empty := [
            name for name, values in request.query_params.lists() if not all(map(str.strip, values))
        ]:
            raise serializers.ValidationError({name: [EMPTY] for name in empty})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        finalized = super().finalize_response(request, response, *args, **kwargs)
        finalized["Cache-Control"] = "no-store"
        return finalized


class TenantFilter(django_filters.CharFilter):
    """`?tenant=` by ID or name. It filters rows that are already visible, so it reveals nothing about other
    tenants.
    """

    def filter(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return queryset.filter(tenant__in=Tenant.objects.filter(named(value))) if value else queryset


class MomentField(IsoDateTimeField):
    """A time in UTC. Rejects times that overflow the calendar after conversion, where databases fail."""

    def to_python(self, value: Any) -> datetime | None:
        moment: datetime | None = super().to_python(value)
        try:
            return moment.astimezone(UTC) if moment else None
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class CommaSeparated(forms.SelectMultiple):
    """Accepts `?name=a,b` as well as `?name=a&name=b`."""

    def value_from_datadict(self, data: Any, _files: Any, name: str) -> list[str]:
        return [part.strip() for text in data.getlist(name) for part in text.split(",") if part.strip()]


class ListFilter(django_filters.MultipleChoiceFilter):
    """One or more of the choices."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=CommaSeparated, **kwargs)


TENANT_PARAMETER = OpenApiParameter(
    "tenant", OpenApiTypes.STR, required=True, description="Tenant, by ID or name."
)
TENANT_HELP = "Tenant, by ID or name."


def named(text: str) -> Q:
    pk = integer(text)
    return Q(name=text) if pk is None else Q(name=text) | Q(pk=pk)


def tenant_asked_for(request: Request, actor: Actor, action: Action = Action.VIEW) -> Tenant:
    """The tenant from `?tenant=`, which is required. Raises ValidationError, NotVisible or Refused."""
    text = request.query_params.get("tenant", "")
    if not text:
        raise serializers.ValidationError({"tenant": ["The tenant parameter is required: an ID or a name."]})
    return permissions.tenant_named(actor, text, action)
