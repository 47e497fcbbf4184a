"""Template filters for Microsoft's codes."""

from django import template

from snapshots.catalog import registry, words

register = template.Library()


@register.filter
def country(code: str) -> str:
    return words.country(code)


@register.filter
def label_of_type(key: str) -> str:
    return registry.get(key).label
