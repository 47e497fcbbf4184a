"""One HTTP exchange with one origin over TLS: no redirects, no cookies, always a timeout. Used by the token
source and the client. Never retries; reports whether a request may have arrived.
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
"""Limit for one decompressed response. A full page of the largest objects has a few megabytes."""
CHUNK_BYTES = 1 << 16

# The order matters: in urllib3 the first is a subclass of the second, and the second of the third.
_NEVER_SENT: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "The name {host} cannot be resolved"),
    (NewConnectionError, "{host} refused the connection"),
    (ConnectTimeoutError, "{host} did not accept a connection in time"),
)


class AnswerLost(Exception):
    """The request may have arrived, but its response did not."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> JSON:
        """The parsed body, or None if there is none. Raises ValueError if it is not JSON."""
        return orjson.loads(self.content) if self.content.strip() else None


def open_session() -> requests.Session:
    session = requests.Session()
    # Without this, requests would replace our token with credentials from ~/.netrc.
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
    """Sends once. Raises Unreachable or CertificateUntrusted if the request was certainly not sent, otherwise
    AnswerLost.
    """
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
    """The decompressed body, up to the size limit. Raises AnswerTooLarge."""
    body = bytearray()
    for piece in answer.iter_content(CHUNK_BYTES):
        body += piece
        if len(body) > MOST_BYTES:
            raise AnswerTooLarge(
                f"A response from {urlsplit(answer.url).netloc} is larger than {MOST_BYTES >> 20} MB; "
                "the rest was not read"
            )
    return bytes(body)


def _proxies(url: str) -> dict[str, str] | None:
    """No proxy for loopback addresses; otherwise the proxy from the environment."""
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
            return Unreachable(f"A TLS connection to {host} could not be established")
        return AnswerLost(host)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable(f"The proxy for {host} cannot be used")
    for kind, what in _NEVER_SENT:
        if isinstance(reason, kind):
            return Unreachable(what.format(host=host))
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return BadRequest(f"The address or a header of a request to {host} is malformed")
    return AnswerLost(host)


def _no_authorities() -> CertificateUntrusted:
    return CertificateUntrusted(
        "The file with the trusted certificate authorities cannot be read",
        "Set REQUESTS_CA_BUNDLE to a readable PEM file, or unset it.",
    )
