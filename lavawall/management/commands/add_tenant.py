"""Connects a tenant: tests its connections, stores them encrypted, and reports what they may and may not do."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from lavawall.cli import ProductCommand, from_environment, operator
from snapshots.catalog import registry
from snapshots.collection import subscriptions
from tenants.connections import onboarding
from tenants.connections.onboarding import Ability, Credential, NewConnection
from tenants.microsoft.connection import CLOUDS, CertificateCredential, Endpoints, SecretCredential
from tenants.models import Connection

URLS = ("login_url", "graph_url", "arm_url", "management_url")


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--customer", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--directory-id", required=True, type=_guid, metavar="GUID")
        parser.add_argument("--client-id", required=True, type=_guid, metavar="GUID")
        credential = parser.add_mutually_exclusive_group(required=True)
        credential.add_argument(
            "--secret-env", metavar="VAR", help="Environment variable that contains the secret."
        )
        credential.add_argument(
            "--certificate-file", metavar="PEM", help="PEM file with private key and certificate."
        )
        parser.add_argument("--writer-client-id", type=_guid, metavar="GUID")
        writer = parser.add_mutually_exclusive_group()
        writer.add_argument("--writer-secret-env", metavar="VAR")
        writer.add_argument("--writer-certificate-file", metavar="PEM")
        parser.add_argument(
            "--shared", action="store_true", help="The reader is the MSP's multi-tenant app registration."
        )
        parser.add_argument(
            "--writer-shared",
            action="store_true",
            help="The writer is the MSP's multi-tenant app registration.",
        )
        parser.add_argument("--cloud", choices=sorted(CLOUDS), default="commercial")
        for url in URLS:
            parser.add_argument(f"--{url.replace('_', '-')}", metavar="URL")
        parser.add_argument("--subscription", action="append", default=[], type=_guid, metavar="GUID")

    def handle(self, **options: Any) -> None:
        if bool(options["writer_client_id"]) != bool(
            options["writer_secret_env"] or options["writer_certificate_file"]
        ):
            raise CommandError(
                "A writer needs --writer-client-id and either --writer-secret-env or "
                "--writer-certificate-file.",
                returncode=2,
            )
        reader = self._probed(options, "", shared=options["shared"])
        writer = (
            self._probed(options, "writer_", shared=options["writer_shared"])
            if options["writer_client_id"]
            else None
        )
        tenant = onboarding.onboard(
            operator(),
            customer_name=options["customer"],
            name=options["name"],
            directory_id=options["directory_id"],
            reader=reader,
            writer=writer,
            subscriptions=tuple(str(each) for each in options["subscription"]),
        )
        reading = _ability("read", reader)
        writing = _ability("write", writer) if writer else None
        warnings = list(_warnings(reader, writer))
        with closing(onboarding.open_client(tenant, "reader")) as client:
            unreadable = subscriptions.unreadable(client, tenant.subscriptions)
        self.emit(
            {
                "tenant": tenant.pk,
                "name": tenant.name,
                "customer": tenant.customer.name,
                "reader": _as_json(reading),
                "writer": _as_json(writing) if writing else None,
                "subscriptions": {each: dict(reasons) for each, reasons in unreadable.items()},
                "warnings": warnings,
            },
            [
                f"{tenant.name} is connected as tenant {tenant.pk}.",
                *_lines("Reader", "read", reading),
                *(
                    _lines("Writer", "restore", writing)
                    if writing
                    else ["No writer: rollbacks cannot be executed."]
                ),
                *_subscription_lines(unreadable),
                *(f"Warning: {warning}" for warning in warnings),
            ],
            as_json=options["json"],
        )

    def _probed(self, options: dict[str, Any], prefix: str, *, shared: bool) -> NewConnection:
        endpoints = _endpoints(options)
        new = NewConnection(
            client_id=options[f"{prefix}client_id"],
            credential=_credential(options[f"{prefix}secret_env"], options[f"{prefix}certificate_file"]),
            cloud=Connection.Cloud.CUSTOM if endpoints else options["cloud"],
            endpoints=endpoints,
            shared=shared,
        )
        return replace(new, granted=onboarding.probe(options["directory_id"], new))


def _guid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a GUID") from error


def _credential(secret_env: str | None, certificate_file: str | None) -> Credential:
    if secret_env:
        return SecretCredential(from_environment(secret_env))
    try:
        return CertificateCredential(Path(str(certificate_file)).read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{certificate_file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{certificate_file} is not PEM text. Export the certificate as PEM.") from error


def _endpoints(options: dict[str, Any]) -> Endpoints | None:
    """The named cloud's endpoints, overridden by those given; None if none were given."""
    given = {url: options[url] for url in URLS if options[url]}
    if not given:
        return None
    if {"login_url", "graph_url"} <= given.keys():
        given.setdefault("arm_url", given["graph_url"])
        given.setdefault("management_url", given["graph_url"])
    cloud = CLOUDS[options["cloud"]]
    return Endpoints(**{url: given.get(url, getattr(cloud, url)) for url in URLS})


def _warnings(reader: NewConnection, writer: NewConnection | None) -> Iterator[str]:
    if writer is not None and writer.client_id == reader.client_id:
        yield (
            "reader and writer use the same app registration, so a leaked reader credential can also "
            "write. Register a second application for the writer."
        )
    if any(".ReadWrite." in name for name in reader.granted or ()):
        yield (
            "the reader's app registration also has write permissions. Remove permissions that "
            "reading does not need."
        )


def _ability(purpose: Literal["read", "write"], new: NewConnection) -> Ability:
    granted = new.granted or ()
    return Ability(granted, registry.lacking_permissions(purpose, granted))


def _as_json(ability: Ability) -> dict[str, Any]:
    return {
        "granted": list(ability.granted),
        "missing": {name: list(uses) for name, uses in ability.missing.items()},
    }


def _subscription_lines(unreadable: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What the reader can read in each subscription, with one line for all types that fail for the same
    reason.
    """
    for subscription, reasons in unreadable.items():
        if not reasons:
            yield f"Reader may read subscription {subscription}."
            continue
        labels = ", ".join(registry.get(key).plural for key in reasons)
        yield f"Reader may not read {labels} in subscription {subscription}: {next(iter(reasons.values()))}"


def _lines(who: str, verb: str, ability: Ability) -> Iterator[str]:
    lacking = {key for uses in ability.missing.values() for key in uses}
    able = [spec.plural for spec in registry.all_types() if spec.key not in lacking and not spec.on_azure]
    yield f"{who} may {verb}: {', '.join(able) or 'nothing'}."
    for name, uses in ability.missing.items():
        labels = ", ".join(registry.get(key).plural for key in uses)
        yield f"{who} lacks {name}: it may not {verb} {labels}."
