"""A faithful Microsoft cloud on localhost for demo, drills and tests: login, Microsoft Graph, audit and sign-in logs.

It shares no code with the product: what the product believes about Microsoft's services is tested against what is
written here from the published schema and documentation.
"""

from lavawall.emulator.faults import Fault
from lavawall.emulator.seed.builder import AppRegistration, TenantInfo, UserLogin
from lavawall.emulator.server import Emulator

__all__ = ["AppRegistration", "Emulator", "Fault", "TenantInfo", "UserLogin"]
