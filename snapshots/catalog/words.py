"""Display names of Microsoft's codes: countries and authentication methods. Pure."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_COUNTRIES = Path(__file__).parent / "data" / "countries.json"
"""ISO 3166-1 codes with short English names, after the public-domain table of the time zone database."""

METHODS: Mapping[str, str] = {
    "deviceBasedPush": "Passwordless phone sign-in",
    "email": "Email one-time code",
    "externalAuthenticationMethod": "External authentication method",
    "federatedMultiFactor": "Federated multi-factor",
    "federatedSingleFactor": "Federated single factor",
    "fido2": "Passkey (FIDO2)",
    "hardwareOath": "Hardware OATH token",
    "microsoftAuthenticator": "Microsoft Authenticator",
    "microsoftAuthenticatorPush": "Microsoft Authenticator push",
    "password": "Password",
    "qrCodePin": "QR code with PIN",
    "sms": "SMS",
    "softwareOath": "Software OATH token",
    "temporaryAccessPass": "Temporary Access Pass",
    "temporaryAccessPassMultiUse": "Temporary Access Pass (multiple use)",
    "temporaryAccessPassOneTime": "Temporary Access Pass (one time)",
    "verifiableCredentials": "Verified ID",
    "voice": "Voice call",
    "windowsHelloForBusiness": "Windows Hello for Business",
    "x509Certificate": "Certificate",
    "x509CertificateMultiFactor": "Certificate (multi-factor)",
    "x509CertificateSingleFactor": "Certificate (single factor)",
}
_METHODS = {code.casefold(): name for code, name in METHODS.items()}


def country(code: str) -> str:
    """`RO` → `Romania (RO)`; the code itself where no country has it."""
    name = country_name(code)
    return code if name == code else f"{name} ({code.upper()})"


def country_name(code: str) -> str:
    """`RO` → `Romania`."""
    return _countries().get(code.upper(), code)


def method(code: str) -> str:
    """`Sms` → `SMS`; the code itself where it is not known."""
    return _METHODS.get(code.casefold(), code)


def combination(text: str) -> str:
    """Of an authentication strength: `password,sms` → `Password + SMS`."""
    return " + ".join(method(part.strip()) for part in text.split(","))


@cache
def _countries() -> Mapping[str, str]:
    found: dict[str, str] = json.loads(_COUNTRIES.read_text(encoding="utf-8"))
    return found
