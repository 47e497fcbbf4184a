"""The landscapes an emulator can start with, by name, and what can be added to any of them."""

from collections.abc import Callable

from lavawall.emulator import types
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.seed import demo, empty, generated
from lavawall.emulator.seed.builder import Landscape, TenantBuilder, register_app, set_permissions

__all__ = ["SEEDS", "build", "register_app", "set_permissions"]

assert types.__name__  # noqa: S101 - importing the package registers every type

SEEDS: dict[str, Callable[[Cloud], Landscape]] = {"demo": demo.build, "empty": empty.build}


def build(name: str, cloud: Cloud, *, users: int, groups: int, apps: int) -> Landscape:
    """Fills the cloud; generated objects come on top of each tenant's own."""
    if name not in SEEDS:
        raise ValueError(f"Unknown seed '{name}': choose one of {', '.join(sorted(SEEDS))}.")
    landscape = SEEDS[name](cloud)
    for tenant in landscape.tenants.values():
        builder = TenantBuilder(cloud, cloud.directories[tenant.directory_id])
        generated.fill(builder, users=users, groups=groups, apps=apps)
    return landscape
