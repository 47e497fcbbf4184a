"""The landscapes an emulator can start with, by name, and what can be added to any of them."""

from collections.abc import Callable
from datetime import datetime

from lavawall.emulator import types
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.seed import demo, empty, generated
from lavawall.emulator.seed.builder import Landscape, TenantBuilder, register_app, set_permissions
from lavawall.emulator.seed.prepared import Prepared, prepared
from lavawall.emulator.store import Options

__all__ = ["SEEDS", "build", "register_app", "set_permissions"]

assert types.__name__  # noqa: S101 - importing the package registers every type

SEEDS: dict[str, Callable[[Cloud], Landscape]] = {"demo": demo.build, "empty": empty.build}


def build(
    name: str,
    options: Options,
    clock: Callable[[], datetime],
    rng_seed: int,
    *,
    users: int = 0,
    groups: int = 0,
    apps: int = 0,
) -> tuple[Cloud, Landscape]:
    """A cloud with a landscape in it; generated objects come on top of each tenant's own."""
    if name not in SEEDS:
        raise ValueError(f"Unknown seed '{name}': choose one of {', '.join(sorted(SEEDS))}.")
    if not (users or groups or apps):
        return _copied(name, options, clock, rng_seed)
    cloud, landscape = _laid(name, options, clock, rng_seed)
    for tenant in landscape.tenants.values():
        builder = TenantBuilder(cloud, cloud.directories[tenant.directory_id])
        generated.fill(builder, users=users, groups=groups, apps=apps)
    return cloud, landscape


def _laid(
    name: str, options: Options, clock: Callable[[], datetime], rng_seed: int
) -> tuple[Cloud, Landscape]:
    cloud = Cloud(options, clock, rng_seed)
    return cloud, SEEDS[name](cloud)


_PREPARED: dict[tuple[str, Options, int], Prepared] = {}


def _copied(
    name: str, options: Options, clock: Callable[[], datetime], rng_seed: int
) -> tuple[Cloud, Landscape]:
    """A copy of the landscape as it was first laid, unless the clock stands before that moment."""
    key = (name, options, rng_seed)
    found = _PREPARED.get(key)
    if found is None or found.laid_at > clock():
        found = _PREPARED[key] = prepared(_laid(name, options, clock, rng_seed))
    return found.copy(clock)
