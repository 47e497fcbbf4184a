"""Microsoft's own SDK reads and writes Intune's types of the emulator."""

import asyncio
import ssl
from typing import Any

import httpx
import pytest
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.device_management.device_configurations.item.assign.assign_post_request_body import (
    AssignPostRequestBody,
)
from msgraph.generated.models.device_configuration_assignment import DeviceConfigurationAssignment
from msgraph.generated.models.group_assignment_target import GroupAssignmentTarget
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.windows10_general_configuration import Windows10GeneralConfiguration

from tests.emulator.conftest import sign_in
from tests.emulator.intune.conftest import NOBODY, Intune

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def assigned_to(group_id: str) -> AssignPostRequestBody:
    target = GroupAssignmentTarget(odata_type="#microsoft.graph.groupAssignmentTarget", group_id=group_id)
    return AssignPostRequestBody(assignments=[DeviceConfigurationAssignment(target=target)])


def test_the_sdk_writes_assigns_and_reads_a_configuration(intune: Intune) -> None:
    token = sign_in(intune.emulator, intune.tenant, intune.tenant.writer)["access_token"]

    async def use() -> tuple[Any, Any]:
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=intune.emulator.ca_file),
            trust_env=False,
        ) as http:
            adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), http)
            adapter.base_url = f"{intune.emulator.url}/v1.0"
            configurations = GraphServiceClient(
                request_adapter=adapter
            ).device_management.device_configurations
            made = await configurations.post(
                Windows10GeneralConfiguration(display_name="From the SDK", password_required=True)
            )
            item = configurations.by_device_configuration_id(made.id)
            await item.patch(Windows10GeneralConfiguration(password_required=False))
            await item.assign.post(assigned_to(intune.group()))
            with pytest.raises(ODataError) as refused:
                await item.assign.post(assigned_to(NOBODY))
            assert refused.value.response_status_code == 400
            return await item.get(), await item.assignments.get()

    found, assignments = asyncio.run(use())
    assert isinstance(found, Windows10GeneralConfiguration)
    assert (found.display_name, found.password_required, found.version) == ("From the SDK", False, 2)
    assert [each.target.group_id for each in assignments.value] == [intune.group()]
