"""Writes that Azure answers before they are done: how they ended. Reads only."""

from collections.abc import Iterable

from tenants.microsoft.client import AZURE, GraphClient
from tenants.microsoft.errors import MicrosoftError
from tenants.microsoft.failures import tidy
from tenants.microsoft.request import Response

OPERATION = "azure-asyncoperation"
FAILED = frozenset({"failed", "canceled", "cancelled"})
SUCCEEDED = "succeeded"


def failure(client: GraphClient, response: Response, looks: Iterable[None]) -> str:
    """Why the operation that a write began has failed; nothing where it did not, or none was begun.

    Each look is a moment to ask. One that does not tell, or is still in progress then, is judged by reading the object.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    if OPERATION not in headers:
        return ""
    for _ in looks:
        try:
            result = client.get_at(headers[OPERATION], service=AZURE)
        except MicrosoftError:
            return ""
        status = str(result.get("status") or "").lower()
        if status == SUCCEEDED:
            return ""
        if status in FAILED:
            error = result.get("error")
            said = error if isinstance(error, dict) else {}
            why = ": ".join(filter(None, (tidy(said.get("code"), 80), tidy(said.get("message"), 300))))
            return f"Azure accepted the request, but the operation failed ({why or status})."
    return ""
