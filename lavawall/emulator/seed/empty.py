"""The smallest usable landscape: one new directory with an administrator, a reader and a writer app."""

from lavawall.emulator.cloud import Cloud
from lavawall.emulator.permissions import GLOBAL_ADMINISTRATOR
from lavawall.emulator.seed import baseline
from lavawall.emulator.seed.builder import Landscape, TenantBuilder, TenantInfo, register_app, stable_guid
from lavawall.emulator.seed.grants import READER_PERMISSIONS, WRITER_PERMISSIONS
from lavawall.emulator.seed.intune_base import lay_intune


def build(cloud: Cloud) -> Landscape:
    directory = cloud.add_directory(stable_guid("directory", "Empty"), "Empty", "empty.onmicrosoft.com")
    builder = TenantBuilder(cloud, directory)
    baseline.lay(builder, "CA")
    admin = builder.user("First Admin")
    builder.role(GLOBAL_ADMINISTRATOR, admin.id)
    lay_intune(TenantBuilder(cloud, directory))
    home = directory.directory_id
    reader = register_app(
        cloud,
        "Lavawall Reader",
        home=home,
        permissions=READER_PERMISSIONS,
        consented_in=[home],
        certificate="valid",
    )
    writer = register_app(
        cloud,
        "Lavawall Writer",
        home=home,
        permissions=WRITER_PERMISSIONS,
        consented_in=[home],
        certificate="valid",
    )
    info = TenantInfo("Empty", "Empty", home, directory.domain, reader, writer, (admin,))
    return Landscape({info.name: info})
