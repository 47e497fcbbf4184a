"""What an intruder plants in Intune: assignments, and objects of every kind that the published schema knows."""

from collections.abc import Callable, Mapping
from typing import Any

from lavawall.emulator import schema
from tests.roundtrip.model import Act, Json, World
from tests.roundtrip.variation import varied

DEVICES, APPS = "/beta/deviceManagement", "/beta/deviceAppManagement"
TYPE = "#microsoft.graph."
EVERY_DEVICE: Json = {"assignments": [{"target": {"@odata.type": f"{TYPE}allDevicesAssignmentTarget"}}]}
NOBODY: Json = {"assignments": []}


def found(path: str, name: str, by: str = "displayName", **others: Any) -> Callable[[World], Json]:
    """The object of a listing whose name begins so; `others` are further texts of the subject."""
    return lambda world: {
        **world.named(path, name, by),
        **{f"_{key}": find(world) for key, find in others.items()},
    }


def group(world: World, name: str) -> str:
    return str(world.named("/v1.0/groups", name)["id"])


def in_group(name: str, key: str = "assignments", **more: Any) -> Callable[[World, Json], Json]:
    """A body of `assign` for one group."""

    def body(world: World, _subject: Json) -> Json:
        target = {"@odata.type": f"{TYPE}groupAssignmentTarget", "groupId": group(world, name)}
        return {key: [{"target": target, **more}]}

    return body


def assigned(path: str, key: str = "assignments", **more: Any) -> dict[str, list[Act]]:
    """Attacks on the assignments of a type: taken away, and given to somebody else behind a filter."""

    def filtered(world: World, subject: Json) -> Json:
        body = in_group("Fleet Team", key, **more)(world, subject)
        body[key][0]["target"] |= {
            "deviceAndAppManagementAssignmentFilterId": world.named(
                f"{DEVICES}/assignmentFilters", "Corporate"
            )["id"],
            "deviceAndAppManagementAssignmentFilterType": "exclude",
        }
        return body

    return {
        "assignments taken away": [Act("POST", f"{path}/{{id}}/assign", {key: []})],
        "assignments": [Act("POST", f"{path}/{{id}}/assign", filtered)],
    }


def kinds(family: str) -> list[str]:
    """Every concrete type of a family, by name."""
    return sorted(each.name for each in schema.subtypes(family) if not each.abstract)


class Herd:
    """One object of each of several kinds of a family, attacked together.

    `extra` are the properties that a new object of any kind needs, `kept` those that are attacked elsewhere or that
    no caller writes. What a kind may not lack and yet lacks, because nobody gave it at the start, is left alone.
    """

    def __init__(
        self, family: str, path: str, chosen: list[str], extra: Json, stored: frozenset[str]
    ) -> None:
        self.family = family
        self.path = path
        self.kinds = chosen
        self.extra = extra
        self.stored = stored

    def made(self, prefix: str) -> list[Act]:
        return [
            Act(
                "POST",
                self.path,
                {"@odata.type": TYPE + kind, "displayName": f"{prefix} {kind}", **self.extra},
            )
            for kind in self.kinds
        ]

    def subject(self, world: World) -> Json:
        """Ids by kind, of the objects that were there first."""
        listed = world.read(self.path)["value"]
        ours = {
            str(each["displayName"]).partition(" ")[2].split()[0]: each
            for each in listed
            if self._is_ours(each)
        }
        return {kind: ours[kind]["id"] for kind in self.kinds} | {
            f"{kind}.now": ours[kind] for kind in self.kinds
        }

    @staticmethod
    def _is_ours(each: Mapping[str, Any]) -> bool:
        return str(each["displayName"]).startswith("Given ")

    def changed(self) -> list[Act]:
        return [Act("PATCH", f"{self.path}/{{{kind}}}", self._other_values(kind)) for kind in self.kinds]

    def _other_values(self, kind: str) -> Callable[[World, Json], Json]:
        def body(_world: World, subject: Json) -> Json:
            now = subject[f"{kind}.now"]
            names = [
                name
                for name, declared in schema.type_named(kind).properties.items()
                if not (declared.read_only or declared.immutable or declared.type == "Edm.Stream")
                and name not in self.stored
                and (declared.nullable or now.get(name) is not None)
            ]
            return {"@odata.type": TYPE + kind} | {name: varied(now, name, kind) for name in names}

        return body

    def removed(self) -> list[Act]:
        return [Act("DELETE", f"{self.path}/{{{kind}}}") for kind in self.kinds]
