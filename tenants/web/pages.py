"""What every room's pages share: who is asking, what a refusal looks like, and when a fragment is enough.

Views of all rooms use it; it never decides who may do what (tenants.access.permissions does).
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
"""The id of no row: what an id that does not parse stands for."""


class PageRequest(HttpRequest):
    """A request as the middleware leaves it, for somebody who is signed in."""

    user: User
    htmx: HtmxDetails


Page = Callable[Concatenate[PageRequest, P], HttpResponse]
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def page(view: Page[P]) -> View[P]:
    """Only for the signed in, never cached; out of sight is 404, not allowed is 403, a NUL anywhere is 400.

    Any other refusal is shown with its own status; what is no DomainError is a bug, and left to the page for those.
    """

    @never_cache
    @wraps(view)
    def shown(request: PageRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if any(NUL in text for text in _texts_of(request, kwargs)):
            raise BadRequest("The request holds a NUL character.")
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
    """To the sign-in page, and back to where the person was. htmx moves the whole page: it must not swap a part."""
    if request.htmx:
        here = request.htmx.current_url_abs_path or reverse("overview")
    elif request.method == "GET":
        here = request.get_full_path()
    else:
        here = came_from(request) or reverse("overview")
    response = redirect_to_login(here)
    return HttpResponseClientRedirect(response.url) if request.htmx else response


def came_from(request: HttpRequest) -> str:
    """The page of ours that the browser says it comes from; empty where it says none."""
    referer = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return referer if safe else ""


def actor_of(request: HttpRequest) -> Actor:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return Actor.person(request.user, "page")


def attempt(
    request: HttpRequest,
    act: Callable[[], Result],
    *,
    done: str | Callable[[Result], str],
    level: int = messages.SUCCESS,
) -> Result | None:
    """Runs a service and tells the person how it went; None where it refused. Raises whatever is a bug."""
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
    """A note from a form. Raises InvalidInput where it is too long."""
    text = request.POST.get(name, "").strip()
    if len(text) > LONGEST_NOTE:
        raise InvalidInput(f"The {name} has {len(text)} characters. Keep it to {LONGEST_NOTE}.")
    return text


def wants_fragment(request: PageRequest) -> bool:
    """Whether htmx swaps a part of the page, and not the browser (or its history) the whole of it."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def _texts_of(request: HttpRequest, kwargs: Mapping[str, Any]) -> Iterator[str]:
    yield from (part for part in kwargs.values() if isinstance(part, str))
    for fields in (request.GET, request.POST):
        yield from (text for _, texts in fields.lists() for text in texts if isinstance(text, str))
