"""Microsoft's own Graph SDK, which knows nothing of the emulator, reads and writes its types."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.conditional_access_applications import ConditionalAccessApplications
from msgraph.generated.models.conditional_access_client_app import ConditionalAccessClientApp
from msgraph.generated.models.conditional_access_condition_set import ConditionalAccessConditionSet
from msgraph.generated.models.conditional_access_grant_control import ConditionalAccessGrantControl
from msgraph.generated.models.conditional_access_grant_controls import ConditionalAccessGrantControls
from msgraph.generated.models.conditional_access_policy import ConditionalAccessPolicy
from msgraph.generated.models.conditional_access_policy_state import ConditionalAccessPolicyState
from msgraph.generated.models.conditional_access_users import ConditionalAccessUsers
from msgraph.generated.models.group import Group
from msgraph.generated.models.i_pv4_cidr_range import IPv4CidrRange
from msgraph.generated.models.ip_named_location import IpNamedLocation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.sms_authentication_method_configuration import (
    SmsAuthenticationMethodConfiguration,
)

from lavawall.emulator import AppRegistration, Emulator, TenantInfo
from tests.emulator.conftest import sign_in

# The SDK's own modules announce deprecations when they are imported, which they do at first use.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Use = Callable[[GraphServiceClient], Awaitable[Any]]


def with_sdk(emulator: Emulator, tenant: TenantInfo, app: AppRegistration, use: Use) -> Any:
    """Runs `use` with a Graph SDK client that holds the app's token."""
    token = sign_in(emulator, tenant, app)["access_token"]

    async def run() -> Any:
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=emulator.ca_file),
            trust_env=False,
        ) as http:
            adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), http)
            adapter.base_url = f"{emulator.url}/v1.0"
            return await use(GraphServiceClient(request_adapter=adapter))

    return asyncio.run(run())


def new_policy() -> ConditionalAccessPolicy:
    return ConditionalAccessPolicy(
        display_name="From the SDK",
        state=ConditionalAccessPolicyState.Disabled,
        conditions=ConditionalAccessConditionSet(
            client_app_types=[ConditionalAccessClientApp.All],
            users=ConditionalAccessUsers(include_users=["All"]),
            applications=ConditionalAccessApplications(include_applications=["All"]),
        ),
        grant_controls=ConditionalAccessGrantControls(
            operator="OR", built_in_controls=[ConditionalAccessGrantControl.Mfa]
        ),
    )


def test_the_sdk_writes_and_reads_a_policy(emulator: Emulator, tenant: TenantInfo) -> None:
    async def use(graph: GraphServiceClient) -> Any:
        policies = graph.identity.conditional_access.policies
        made = await policies.post(new_policy())
        item = policies.by_conditional_access_policy_id(made.id)
        await item.patch(ConditionalAccessPolicy(state=ConditionalAccessPolicyState.Enabled))
        found = await item.get()
        await item.delete()
        return found

    found = with_sdk(emulator, tenant, tenant.writer, use)
    assert (found.display_name, found.state) == ("From the SDK", ConditionalAccessPolicyState.Enabled)
    assert found.grant_controls.built_in_controls == [ConditionalAccessGrantControl.Mfa]


def test_the_sdk_writes_a_named_location_of_its_type(emulator: Emulator, tenant: TenantInfo) -> None:
    async def use(graph: GraphServiceClient) -> Any:
        location = IpNamedLocation(
            odata_type="#microsoft.graph.ipNamedLocation",
            display_name="Branch",
            is_trusted=False,
            ip_ranges=[
                IPv4CidrRange(odata_type="#microsoft.graph.iPv4CidrRange", cidr_address="203.0.113.0/24")
            ],
        )
        return await graph.identity.conditional_access.named_locations.post(location)

    made = with_sdk(emulator, tenant, tenant.writer, use)
    assert isinstance(made, IpNamedLocation)
    assert made.ip_ranges[0].cidr_address == "203.0.113.0/24"


def test_the_sdk_reads_every_collection(emulator: Emulator, tenant: TenantInfo) -> None:
    async def use(graph: GraphServiceClient) -> Any:
        builders = (
            graph.identity.conditional_access.policies,
            graph.identity.conditional_access.named_locations,
            graph.policies.authentication_strength_policies,
            graph.role_management.directory.role_definitions,
            graph.role_management.directory.role_assignments,
            graph.users,
            graph.groups,
            graph.applications,
            graph.service_principals,
            graph.oauth2_permission_grants,
            graph.organization,
            graph.subscribed_skus,
        )
        return [await builder.get() for builder in builders]

    for page in with_sdk(emulator, tenant, tenant.reader, use):
        assert page.value
        assert all(each.id for each in page.value)


def test_the_sdk_reads_the_policies_and_settings_of_a_tenant(emulator: Emulator, tenant: TenantInfo) -> None:
    async def use(graph: GraphServiceClient) -> Any:
        organization = graph.organization.by_organization_id(tenant.directory_id)
        builders = (
            graph.domains,
            graph.group_settings,
            graph.group_setting_templates,
            graph.identity.conditional_access.authentication_context_class_references,
            graph.policies.permission_grant_policies,
            graph.policies.claims_mapping_policies,
            graph.policies.token_lifetime_policies,
            graph.policies.home_realm_discovery_policies,
            graph.policies.token_issuance_policies,
            graph.policies.activity_based_timeout_policies,
            graph.policies.feature_rollout_policies,
            graph.policies.app_management_policies,
            graph.policies.cross_tenant_access_policy.partners,
            graph.directory.attribute_sets,
            graph.directory.custom_security_attribute_definitions,
            graph.directory.on_premises_synchronization,
            organization.certificate_based_auth_configuration,
            organization.branding.localizations,
            graph.admin.people.profile_card_properties,
        )
        singles = (
            graph.policies.authorization_policy,
            graph.policies.authentication_flows_policy,
            graph.policies.admin_consent_request_policy,
            graph.policies.default_app_management_policy,
            graph.policies.device_registration_policy,
            graph.policies.identity_security_defaults_enforcement_policy,
            graph.policies.cross_tenant_access_policy,
            graph.policies.cross_tenant_access_policy.default,
            organization.branding,
            graph.admin.sharepoint.settings,
            graph.admin.people.pronouns,
            graph.admin.people.item_insights,
            graph.admin.report_settings,
            graph.admin.microsoft365_apps.installation_options,
        )
        pages = [await builder.get() for builder in builders]
        return pages, [await builder.get() for builder in singles]

    pages, singles = with_sdk(emulator, tenant, tenant.reader, use)
    assert all(page.value for page in pages)
    assert all(singles)


def test_the_sdk_changes_an_authentication_method(emulator: Emulator, tenant: TenantInfo) -> None:
    async def use(graph: GraphServiceClient) -> Any:
        policy = graph.policies.authentication_methods_policy
        item = policy.authentication_method_configurations.by_authentication_method_configuration_id("Sms")
        found = await item.get()
        assert isinstance(found, SmsAuthenticationMethodConfiguration)
        found.state = type(found.state).Enabled
        await item.patch(
            SmsAuthenticationMethodConfiguration(
                odata_type="#microsoft.graph.smsAuthenticationMethodConfiguration", state=found.state
            )
        )
        return await policy.get()

    policy = with_sdk(emulator, tenant, tenant.writer, use)
    states = {each.id: each.state.value for each in policy.authentication_method_configurations}
    assert states["Sms"] == "enabled"


def test_the_sdk_creates_a_group_with_a_member(emulator: Emulator, tenant: TenantInfo) -> None:
    async def use(graph: GraphServiceClient) -> Any:
        group = Group(display_name="SDK", mail_enabled=False, mail_nickname="sdk", security_enabled=True)
        made = await graph.groups.post(group)
        members = graph.groups.by_group_id(made.id).members
        url = f"{emulator.url}/v1.0/directoryObjects/{tenant.admins[0].id}"
        await members.ref.post(ReferenceCreate(odata_id=url))
        return await members.get()

    page = with_sdk(emulator, tenant, tenant.writer, use)
    assert [(type(each).__name__, each.id) for each in page.value] == [("User", tenant.admins[0].id)]


def test_the_sdk_reads_a_refusal(emulator: Emulator, tenant: TenantInfo) -> None:
    async def use(graph: GraphServiceClient) -> Any:
        await graph.groups.post(Group(display_name="Only a name"))

    with pytest.raises(ODataError) as caught:
        with_sdk(emulator, tenant, tenant.writer, use)
    assert caught.value.response_status_code == 400
    assert caught.value.error is not None
    assert caught.value.error.code == "Request_BadRequest"
