"""Shared by the pages of all apps: the current user, how refusals are shown, and when a fragment is
sufficient. It does not decide permissions (see tenants.access.permissions).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from tenants.access.actors import Actor
from tenants.access.permissions import NotVisible, Refused
from tenants.errors import DomainError, InternalError, InvalidInput
from tenants.models import User
from tenants.web.input_limits import LONGEST_NOTE, NUL
from tenants.web.input_limits import integer as integer

P = ParamSpec("P")
Result = TypeVar("Result")

NOBODY = 0
"""An ID that no row has, used for invalid IDs."""


class PageRequest(HttpRequest):
    """A request of a signed-in user, after the middleware."""

    user: User
    htmx: HtmxDetails


Page = Callable[Concatenate[PageRequest, P], HttpResponse]
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def page(view: Page[P]) -> View[P]:
    """Requires a signed-in user and disables caching. NotVisible gives 404, Refused 403, and a NUL character
    400. Other DomainErrors use their own status. Any other exception is a bug and goes to the error page.
    """

    @never_cache
    @wraps(view)
    def shown(request: PageRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if any(NUL in text for text in _texts_of(request, kwargs)):
            raise BadRequest("The request contains a NUL character.")
        try:
            return view(request, *args, **kwargs)
        except NotVisible as error:
            raise Http404(str(error)) from error
        except Refused as error:
            raise PermissionDenied(str(error)) from error
        except InternalError:
            raise
        except DomainError as error:
            return render(request, "problem.html", {"error": error}, status=error.http_status)

    return cast("View[P]", shown)


def _to_sign_in(request: PageRequest) -> HttpResponse:
    """Redirects to the sign-in page and back afterwards. For htmx requests the whole page is redirected."""
    if request.htmx:
        here = request.htmx.current_url_abs_path or reverse("overview")
    elif request.method == "GET":
        here = request.get_full_path()
    else:
        here = came_from(request) or reverse("overview")
    response = redirect_to_login(here)
    return HttpResponseClientRedirect(response.url) if request.htmx else response


def came_from(request: HttpRequest) -> str:
    """The page that the browser came from if it is ours, otherwise empty."""
    referer = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return referer if safe else ""


def actor_of(request: HttpRequest, via: str = "page") -> Actor:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return Actor.person(request.user, via)


def attempt(
    request: HttpRequest,
    act: Callable[[], Result],
    *,
    done: str | Callable[[Result], str],
    level: int = messages.SUCCESS,
) -> Result | None:
    """Runs a service and shows the user a success or error message. Returns None if the service refused. Bugs
    are raised.
    """
    try:
        result = act()
    except (NotVisible, InternalError):
        raise
    except DomainError as error:
        messages.error(request, str(error))
        return None
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return None
    messages.add_message(request, level, done if isinstance(done, str) else done(result))
    return result


def typed(request: HttpRequest, name: str) -> str:
    """A note from a form. Raises InvalidInput if it is too long."""
    text = request.POST.get(name, "").strip()
    if len(text) > LONGEST_NOTE:
        raise InvalidInput(f"The {name} has {len(text)} characters. The limit is {LONGEST_NOTE}.")
    return text


def wants_fragment(request: PageRequest) -> bool:
    """Whether htmx requests a part of the page, rather than the browser (or its history) the whole page."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def _texts_of(request: HttpRequest, kwargs: Mapping[str, Any]) -> Iterator[str]:
    yield from (part for part in kwargs.values() if isinstance(part, str))
    for fields in (request.GET, request.POST):
        yield from (text for _, texts in fields.lists() for text in texts if isinstance(text, str))
