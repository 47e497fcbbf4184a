"""The demo's stage over an emulator in this process, for tests that play its scenes."""

from lavawall.demo.show import Show
from lavawall.demo.story import Stage
from lavawall.emulator import AppRegistration, Emulator, TenantInfo


def staged(emulator: Emulator, show: Show) -> Stage:
    tenants = {name: _tenant(info) for name, info in emulator.tenants.items()}
    return Stage(show, {"url": emulator.url, "ca_file": emulator.ca_file, "tenants": tenants})


def _tenant(info: TenantInfo) -> dict[str, object]:
    return {
        "directory_id": info.directory_id,
        "subscriptions": list(info.subscriptions),
        "reader": _app(info.reader),
        "writer": _app(info.writer),
        "admins": [
            {"user_principal_name": login.user_principal_name, "password": login.password}
            for login in info.admins
        ],
    }


def _app(registration: AppRegistration) -> dict[str, str]:
    return {
        "client_id": registration.client_id,
        "secret": registration.secret,
        "certificate_pem": registration.certificate_pem,
    }
