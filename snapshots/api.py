"""Snapshots, resources and coverage over REST. Thin: selectors say what is visible, services act."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import django_filters
from django.db.models import Count, Max, QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
