"""Template filters for Microsoft's codes."""

from django import template

from snapshots.catalog import words

register = template.Library()


@register.filter
def country(code: str) -> str:
    return words.country(code)
