"""Finds IDs inside texts such as membership rules: which parts of the text refer to other objects."""

import re

from snapshots.catalog.spec import Reference

_QUOTED = r"""(?:"[^"]*"|'[^']*')"""
_MEMBER_OF = re.compile(rf"group\.objectId\s+-\w+\s+(?:\[[^\]]*\]|{_QUOTED})", re.IGNORECASE)
_DIRECT_REPORTS = re.compile(rf"direct\s+reports\s+for\s+{_QUOTED}", re.IGNORECASE)
_PRINCIPALS = re.compile(r"PrincipalId\]\s*\w+(?::\w+)?\s*\{[^}]*\}", re.IGNORECASE)
_WHOLE = re.compile(r".+", re.DOTALL)


def membership_rule(path: str) -> tuple[Reference, ...]:
    """A rule of dynamic membership: groups whose members it takes, and the manager whose reports it takes."""
    return (
        Reference(path, to="group", within=_MEMBER_OF, if_gone="told"),
        Reference(path, to="user", within=_DIRECT_REPORTS, if_gone="told"),
    )


def role_condition(path: str) -> Reference:
    """A condition of an Azure role assignment: to whom the role may be given."""
    return Reference(path, to="directoryObject", within=_PRINCIPALS, if_gone="told")


def anywhere(path: str, *, to: str, by: str = "id") -> Reference:
    """Every GUID of the text, such as an app id in a redirect address."""
    return Reference(path, to=to, by=by, within=_WHOLE, if_gone="kept")
