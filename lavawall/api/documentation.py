"""The OpenAPI document, the page that shows it, and the answer for addresses that do not exist."""

from typing import NoReturn

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class SchemaView(SpectacularAPIView):
    permission_classes = [IsAuthenticated]


class DocumentationView(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files, its script apart, as the site's content security policy wants it."""

    permission_classes = [IsAuthenticated]


@extend_schema(exclude=True)
class UnknownAddressView(APIView):
    """Answers unknown addresses with a problem document, not with a page."""

    def unknown(self, _request: Request) -> NoReturn:
        raise NotFound

    get = post = put = patch = delete = unknown
