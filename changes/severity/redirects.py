"""How far a redirect URI of an application can be trusted, compared with the hosts that it already uses. Used
by the rules on applications. Nothing is resolved or fetched.
"""

from enum import Enum
from ipaddress import ip_address
from urllib.parse import urlsplit

from changes.severity.readers import text, texts
from snapshots.catalog.spec import Document

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
SHARED = frozenset({"co", "com", "net", "org", "gov", "ac", "edu"})
"""Second-level labels under which anyone can register names (`co.uk`)."""
HOSTING = frozenset(
    {
        "azurewebsites.net",
        "azurestaticapps.net",
        "cloudapp.net",
        "cloudapp.azure.com",
        "windows.net",
        "github.io",
        "herokuapp.com",
        "netlify.app",
        "ngrok.io",
        "ngrok-free.app",
        "pages.dev",
        "trafficmanager.net",
        "vercel.app",
        "web.app",
        "workers.dev",
    }
)
"""Domains whose subdomains anyone can claim."""


class Trust(Enum):
    KNOWN = "a host that it already uses"
    LOCAL = "the user's own machine"
    SCHEME = "an app on the device, by a custom scheme"
    FOREIGN = "a host that it did not use before"
    UNSAFE = "an address with a wildcard or without encryption"


def trust_of(uri: str, known_hosts: frozenset[str]) -> Trust:
    try:
        parts = urlsplit(uri.strip())
        host = (parts.hostname or "").casefold()
    except ValueError:
        return Trust.UNSAFE
    if "*" in uri:
        return Trust.UNSAFE
    if host in LOOPBACK:
        return Trust.LOCAL
    if parts.scheme.casefold() == "http" or (not parts.scheme and not host):
        return Trust.UNSAFE
    if parts.scheme.casefold() != "https":
        return Trust.SCHEME
    return Trust.KNOWN if registrable(host) in known_hosts else Trust.FOREIGN


def hosts_of(document: Document | None) -> frozenset[str]:
    """The domains that an application used: its addresses, identifiers and home page."""
    uris = [
        *texts(document, "web", "redirectUris"),
        *texts(document, "spa", "redirectUris"),
        *texts(document, "replyUrls"),
        *texts(document, "identifierUris"),
        *texts(document, "servicePrincipalNames"),
        text(document, "web", "homePageUrl"),
        text(document, "homepage"),
        f"https://{text(document, 'publisherDomain')}",
    ]
    return frozenset(domain for uri in uris if (domain := _domain(uri)))


def _domain(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        host = (parts.hostname or "").casefold()
    except ValueError:
        return ""
    if parts.scheme.casefold() != "https" or "." not in host or host in LOOPBACK or "*" in host:
        return ""
    return registrable(host)


def registrable(host: str) -> str:
    """The registered part of a host name, as far as it can be derived from the text."""
    try:
        return str(ip_address(host))
    except ValueError:
        labels = host.split(".")
    if any(host == domain or host.endswith(f".{domain}") for domain in HOSTING):
        return host
    size = 3 if len(labels) > 2 and labels[-2] in SHARED and len(labels[-1]) == 2 else 2
    return ".".join(labels[-size:])
