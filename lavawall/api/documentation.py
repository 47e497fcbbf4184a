"""The OpenAPI document, the Swagger UI page, and the response for unknown URLs."""

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
    """Swagger UI from our static files, with a separate script as required by the content security policy."""

    permission_classes = [IsAuthenticated]


@extend_schema(exclude=True)
class UnknownAddressView(APIView):
    """Returns a problem document for unknown URLs."""

    def unknown(self, _request: Request) -> NoReturn:
        raise NotFound

    get = post = put = patch = delete = unknown
