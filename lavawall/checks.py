"""System checks: `manage.py check` fails if the catalogue is inconsistent."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from snapshots.catalog import problems


@register()
def catalogue_is_consistent(**_kwargs: Any) -> list[CheckMessage]:
    return [Error(problem, id="lavawall.E001") for problem in problems()]
