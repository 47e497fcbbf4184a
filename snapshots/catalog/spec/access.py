"""What reads and writes of a type need, and how Microsoft's audit logs name its changes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

AuditLog = Literal["directoryAudit", "attributeAudit", "intuneAudit", "azureActivity", "unifiedAudit"]
"""In which of Microsoft's logs changes stand: of the directory, of custom security attributes, of Intune, of an Azure
subscription, of Microsoft Purview."""

LOG_OF_SERVICE: Mapping[str, AuditLog] = {"intune": "intuneAudit", "arm": "azureActivity"}


@dataclass(frozen=True)
class AuditHints:
    """How Microsoft's audit log names changes of this type."""

    log: AuditLog | None = None
    """Where changes of this type stand, if not in the log of the service that reads it."""
    activities: tuple[str, ...] = ()
    """Activity display names in lower case; Microsoft's dashes vary, here each is a hyphen."""
    services: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    """Document paths whose values, besides the object's own id, may be the audit event's target id."""
    singleton: bool = False
    """The event's target id is not the object's: match on activity and modified properties."""


@dataclass(frozen=True)
class Permissions:
    """Application permissions: the least that does (all of them), and wider ones of which any one does.

    For types in Azure subscriptions they are Azure roles.
    """

    read: tuple[str, ...]
    write: tuple[str, ...] = ()
    read_also: tuple[str, ...] = ()
    write_also: tuple[str, ...] = ()

    def may_read(self, granted: Collection[str]) -> bool:
        return _suffices(granted, self.read, self.read_also)

    def may_write(self, granted: Collection[str]) -> bool:
        return bool(self.write) and _suffices(granted, self.write, self.write_also)


def _suffices(granted: Collection[str], least: tuple[str, ...], wider: tuple[str, ...]) -> bool:
    return all(permission in granted for permission in least) or any(name in granted for name in wider)
