"""Inputs for property tests: JSON values that look enough like Graph's to reach the interesting branches."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

KEYS = st.sampled_from(
    [
        "@odata.context",
        "@odata.type",
        "a/b~c",
        "allowedCombinations",
        "appRoles",
        "builtInControls",
        "cidrAddress",
        "conditions",
        "createdDateTime",
        "displayName",
        "excludeUsers",
        "grantControls",
        "id",
        "includeTargets",
        "ipRanges",
        "keyId",
        "members",
        "members@odata.context",
        "owners",
        "passwordCredentials",
        "principal",
        "scope",
        "startDateTime",
        "tags",
        "users",
    ]
) | st.text(max_size=3)
TEXT = st.sampled_from(
    [
        "",
        " b a ",
        "sms, password",
        "10.0.0.9/8",
        "2001:DB8::/32",
        "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE",
        "2024-01-01T01:02:03.4+02:00",
        "#microsoft.graph.user",
        "group",
    ]
) | st.text(max_size=4)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)


def at_most(examples: int) -> settings:
    """For a property that costs much per example: no more than these, whatever the profile asks for."""
    return settings(max_examples=min(examples, settings().max_examples))


def json_values() -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    )


def json_objects() -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(KEYS, json_values(), max_size=5)
