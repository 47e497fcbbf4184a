"""One HTTP exchange with one origin over TLS: no redirects, no cookies, always a timeout.

Used by the token source and the client. Never repeats anything; says whether a request may have arrived.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import Retry

from tenants.microsoft.connection import is_loopback
from tenants.microsoft.errors import (
    AnswerTooLarge,
    BadRequest,
    CertificateUntrusted,
    MicrosoftError,
    Unreachable,
)
from tenants.microsoft.request import JSON

USER_AGENT = "Lavawall/1.0"
TIMEOUT = (10.0, 60.0)
MOST_BYTES = 64 << 20
"""Of one decompressed answer. A full page of the largest objects has a few megabytes."""
CHUNK_BYTES = 1 << 16

# In this order: urllib3 makes the first a special case of the second, and that of the third.
_NEVER_SENT: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "The name {host} cannot be resolved"),
    (NewConnectionError, "{host} refused the connection"),
    (ConnectTimeoutError, "{host} did not accept a connection in time"),
)


class AnswerLost(Exception):
    """The request may have arrived, its answer did not."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> JSON:
        """The body, None when there is none; ValueError when it is not JSON."""
        return orjson.loads(self.content) if self.content.strip() else None


def open_session() -> requests.Session:
    session = requests.Session()
    # Without an auth of its own, requests would replace our token by what it finds in ~/.netrc.
    session.auth = _leave_as_it_is
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = USER_AGENT
    only_connecting = Retry(total=None, connect=2, read=0, redirect=0, status=0, other=0)
    session.mount("https://", HTTPAdapter(max_retries=only_connecting))
    return session


def _leave_as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def same_origin(url: str, origin: str) -> bool:
    """Whether a secret meant for `origin` may be sent to `url`."""
    try:
        asked, ours = urlsplit(url), urlsplit(origin)
        return (
            asked.scheme == ours.scheme == "https"
            and asked.hostname == ours.hostname
            and (asked.port or 443) == (ours.port or 443)
            and asked.username is None
        )
    except ValueError:
        return False


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    json_body: JSON = None,
    form: Any = None,
) -> Answer:
    """Send once. Raises Unreachable or CertificateUntrusted when it surely was not sent, else AnswerLost."""
    try:
        answer = session.request(
            method,
            url,
            headers=dict(headers),
            params=params,
            json=json_body,
            data=form,
            timeout=TIMEOUT,
            allow_redirects=False,
            proxies=_proxies(url),
            stream=True,
        )
        with answer:
            content = _content(answer)
    except requests.RequestException as error:
        raise _explain(error, urlsplit(url).netloc) from None
    except OSError:
        raise _no_authorities() from None
    return Answer(answer.status_code, answer.headers, content)


def _content(answer: requests.Response) -> bytes:
    """The decompressed body; never more of it than an honest service sends. Raises AnswerTooLarge."""
    body = bytearray()
    for piece in answer.iter_content(CHUNK_BYTES):
        body += piece
        if len(body) > MOST_BYTES:
            raise AnswerTooLarge(
                f"An answer of {urlsplit(answer.url).netloc} has more than {MOST_BYTES >> 20} MB; the rest was not read"
            )
    return bytes(body)


def _proxies(url: str) -> dict[str, str] | None:
    """No proxy for this machine itself, whatever the environment says; else what the environment says."""
    host = urlsplit(url).hostname or ""
    return {"no_proxy": host} if is_loopback(host) else None


def _explain(error: requests.RequestException, host: str) -> MicrosoftError | AnswerLost:
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        if "NO_CERTIFICATE_OR_CRL_FOUND" in text:
            return _no_authorities()
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return CertificateUntrusted(f"The TLS certificate of {host} is not trusted by this machine")
        if "WRONG_VERSION_NUMBER" in text or "HANDSHAKE_FAILURE" in text:
            return Unreachable(f"No TLS connection to {host} could be agreed")
        return AnswerLost(host)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable(f"The proxy on the way to {host} cannot be used")
    for kind, what in _NEVER_SENT:
        if isinstance(reason, kind):
            return Unreachable(what.format(host=host))
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return BadRequest(f"The address or a header of a request to {host} is malformed")
    return AnswerLost(host)


def _no_authorities() -> CertificateUntrusted:
    return CertificateUntrusted(
        "The file with trusted certificate authorities cannot be read",
        "Let REQUESTS_CA_BUNDLE name a readable PEM file, or unset it.",
    )
