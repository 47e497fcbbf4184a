"""The demo's landscape: an MSP that looks after three tenants of two customers, in the shapes real tenants have."""

from dataclasses import dataclass

from lavawall.emulator.cloud import Cloud
from lavawall.emulator.seed import azure, baseline, intune_apps, organisation_settings
from lavawall.emulator.seed.builder import (
    AppRegistration,
    Landscape,
    TenantBuilder,
    TenantInfo,
    register_app,
    stable_guid,
)
from lavawall.emulator.seed.extras import add_extras
from lavawall.emulator.seed.furnishing import Plan, furnish
from lavawall.emulator.seed.grants import READER_PERMISSIONS, WRITER_PERMISSIONS
from lavawall.emulator.seed.intune_base import lay_intune
from lavawall.emulator.seed.intune_estate import Estate

MSP = "Northgate Managed Services"
MSP_DOMAIN = "northgatemsp.onmicrosoft.com"

PLANS = (
    Plan(
        tenant="Aurora Dental",
        customer="Aurora Dental Group",
        domain="auroradental.onmicrosoft.com",
        country="CA",
        administrator="Petra Lindqvist",
        people=(
            ("Maya Okafor", "Practice Manager", "Operations"),
            ("Liam Tremblay", "IT Coordinator", "IT"),
            ("Sofia Marchetti", "Dentist", "Clinic"),
            ("Noah Fraser", "Dentist", "Clinic"),
            ("Amara Singh", "Hygienist", "Clinic"),
            ("Jonas Weber", "Hygienist", "Clinic"),
            ("Chloe Beaulieu", "Receptionist", "Front Desk"),
            ("Ethan Kowalski", "Receptionist", "Front Desk"),
            ("Grace Nakamura", "Accountant", "Finance"),
            ("Oliver Haddad", "Billing Specialist", "Finance"),
            ("Isla McKenzie", "Marketing Lead", "Marketing"),
            ("Mateo Alvarez", "Lab Technician", "Clinic"),
            ("Hannah Schultz", "HR Partner", "HR"),
            ("Lucas Pereira", "Helpdesk Analyst", "IT"),
            ("Zoe Papadakis", "Compliance Officer", "Operations"),
        ),
        offices=(
            ("Calgary clinic", ("203.0.113.16/28",)),
            ("Edmonton clinic", ("203.0.113.64/27", "2001:db8:20::/48")),
        ),
        countries=("CA", "US"),
        apps=("Patient Portal", "Appointment Sync", "Imaging Archive"),
    ),
    Plan(
        tenant="Aurora Labs",
        customer="Aurora Dental Group",
        domain="auroralabs.onmicrosoft.com",
        country="CA",
        administrator="Viktor Halvorsen",
        people=(
            ("Priya Raman", "Lab Director", "Research"),
            ("Tom Bergeron", "Systems Administrator", "IT"),
            ("Elise Fontaine", "Ceramist", "Production"),
            ("Samuel Adeyemi", "Ceramist", "Production"),
            ("Nora Lindgren", "Quality Engineer", "Quality"),
            ("Adrian Popescu", "CAD Designer", "Production"),
            ("Julia Stein", "Purchasing", "Finance"),
            ("Marcus Bell", "Courier Lead", "Logistics"),
            ("Ines Carvalho", "Data Analyst", "Research"),
        ),
        offices=(("Lab building", ("203.0.113.96/28",)), ("Warehouse uplink", ("192.0.2.128/26",))),
        countries=("CA",),
        apps=("Order Tracker", "Scanner Bridge", "Shade Library"),
    ),
    Plan(
        tenant="Brenner Logistics",
        customer="Brenner Logistics",
        domain="brennerlogistics.onmicrosoft.com",
        country="DE",
        administrator="Katharina Brenner",
        people=(
            ("Moritz Adler", "IT Lead", "IT"),
            ("Lena Hoffmann", "Dispatcher", "Operations"),
            ("Emil Sorensen", "Dispatcher", "Operations"),
            ("Aylin Demir", "Fleet Manager", "Fleet"),
            ("Paul Richter", "Driver Lead", "Fleet"),
            ("Greta Vogel", "Controller", "Finance"),
            ("Anton Kuhn", "Payroll", "Finance"),
            ("Mila Novak", "Sales Manager", "Sales"),
            ("Felix Braun", "Key Account", "Sales"),
            ("Clara Neumann", "Customs Agent", "Operations"),
            ("David Okonkwo", "Warehouse Lead", "Warehouse"),
            ("Sara Lindholm", "Warehouse Planner", "Warehouse"),
            ("Nils Petersen", "Support Engineer", "IT"),
        ),
        offices=(
            ("Hamburg depot", ("203.0.113.160/27",)),
            ("Hannover hub", ("203.0.113.224/28", "2001:db8:40::/44")),
        ),
        countries=("DE", "AT", "PL"),
        apps=("Route Planner", "Telematics Gateway", "Freight Billing"),
    ),
)


@dataclass(frozen=True)
class AppPair:
    reader: AppRegistration
    writer: AppRegistration


def _register_pair(cloud: Cloud, home: str, consented_in: list[str]) -> AppPair:
    reader = register_app(
        cloud,
        "Lavawall Reader",
        home=home,
        permissions=READER_PERMISSIONS,
        consented_in=consented_in,
        certificate="valid",
    )
    writer = register_app(
        cloud,
        "Lavawall Writer",
        home=home,
        permissions=WRITER_PERMISSIONS,
        consented_in=consented_in,
        certificate="valid",
    )
    return AppPair(reader, writer)


def _furnish_intune(builder: TenantBuilder) -> None:
    estate = Estate(builder)
    estate.ground()
    estate.devices()
    estate.catalogue()
    estate.templates()
    intune_apps.enrolment(estate)
    intune_apps.apps(estate)
    intune_apps.scripts(estate)


def build(cloud: Cloud) -> Landscape:
    """The MSP's apps are multi-tenant and consented in Aurora's tenants; Brenner has apps of its own."""
    home = cloud.add_directory(stable_guid("directory", MSP), MSP, MSP_DOMAIN)
    builders: dict[str, TenantBuilder] = {}
    admins = {}
    for plan in PLANS:
        directory = cloud.add_directory(stable_guid("directory", plan.tenant), plan.tenant, plan.domain)
        builders[plan.tenant] = TenantBuilder(cloud, directory)
        baseline.lay(builders[plan.tenant], plan.country)
        admins[plan.tenant] = furnish(builders[plan.tenant], plan)
        add_extras(TenantBuilder(cloud, directory))
        organisation_settings.customise(TenantBuilder(cloud, directory))
    shared_by = [
        builders[plan.tenant].directory.directory_id
        for plan in PLANS
        if plan.customer == "Aurora Dental Group"
    ]
    shared = _register_pair(cloud, home.directory_id, shared_by)
    landscape = Landscape()
    for plan in PLANS:
        lay_intune(TenantBuilder(cloud, builders[plan.tenant].directory))
        _furnish_intune(TenantBuilder(cloud, builders[plan.tenant].directory))
        directory_id = builders[plan.tenant].directory.directory_id
        pair = shared if directory_id in shared_by else _register_pair(cloud, directory_id, [directory_id])
        landscape.tenants[plan.tenant] = TenantInfo(
            plan.tenant,
            plan.customer,
            directory_id,
            plan.domain,
            pair.reader,
            pair.writer,
            admins[plan.tenant],
            (azure.furnish(builders[plan.tenant], plan, pair.reader, pair.writer),),
        )
    return landscape
