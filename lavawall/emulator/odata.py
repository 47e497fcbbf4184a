"""OData query options of a read: $select, $expand, $filter, $orderby, $top, $count and paging."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lavawall.emulator import registry, schema
from lavawall.emulator.errors import bad_request, unsupported_query
from lavawall.emulator.filters import FilterParser, Predicate, value_at
from lavawall.emulator.model import NO_PAGING, EntityType
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Call
from lavawall.emulator.store import Json, Record

KNOWN_OPTIONS = frozenset(
    {
        "$select",
        "$expand",
        "$filter",
        "$orderby",
        "$top",
        "$skip",
        "$count",
        "$skiptoken",
        "$search",
        "$format",
    }
)
OUTER_COMMA = re.compile(r",(?![^()]*\))")
ADVANCED = (" ne ", "not ", "endswith(")


@dataclass(frozen=True)
class Query:
    """The parsed options of one read."""

    select: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    predicate: Predicate | None = None
    order_by: str = ""
    descending: bool = False
    top: int | None = None
    skip: int = 0
    count: bool = False


def parse_query(call: Call, kind: EntityType) -> Query:
    options = call.query
    unknown = [name for name in options if name.startswith("$") and name.lower() not in KNOWN_OPTIONS]
    if unknown:
        raise bad_request(f"The query parameter '{unknown[0]}' is not supported.", "BadRequest")
    if "$search" in options:
        raise unsupported_query("The query parameter '$search' is not supported for this collection.")
    eventual = call.headers.get("ConsistencyLevel", "").lower() == "eventual"
    text = options.get("$filter", "")
    if text and kind.is_directory_object and not eventual and any(each in text.lower() for each in ADVANCED):
        raise unsupported_query(
            "Unsupported Query: this filter needs $count=true and ConsistencyLevel: eventual."
        )
    order_by, _, direction = options.get("$orderby", "").partition(" ")
    if order_by:
        _check_path(kind, order_by)
    return Query(
        select=_names(options.get("$select", ""), kind),
        expand=_expansions(options.get("$expand", ""), kind),
        predicate=FilterParser(text, lambda path: _check_filter(kind, path)).parse() if text else None,
        order_by=order_by,
        descending=direction.strip().lower() == "desc",
        top=_number(options, "$top", 1, kind.largest_page),
        skip=_number(options, "$skip", 0, 1_000_000) or 0,
        count=options.get("$count", "").lower() == "true" and (eventual or not kind.is_directory_object),
    )


def _number(options: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not text.isdecimal() or not least <= int(text) <= most:
        raise unsupported_query(f"Invalid value '{text}' for {name}: it must be between {least} and {most}.")
    return int(text)


def _all_types(kind: EntityType) -> list[schema.Type]:
    return list(schema.subtypes(kind.schema_name)) if schema.exists(kind.schema_name) else []


def _check_path(kind: EntityType, path: str) -> None:
    name = path.split("/")[0]
    types = _all_types(kind)
    if types and not any(name in each.properties or name in each.navigation for each in types):
        raise unsupported_query(
            f"Could not find a property named '{name}' on type 'microsoft.graph.{kind.name}'."
        )


def _check_filter(kind: EntityType, path: str) -> None:
    _check_path(kind, path)
    if kind.filterable is not None and path not in kind.filterable:
        raise unsupported_query(f"Unsupported Query: filtering on '{path}' is not supported.")


def _names(text: str, kind: EntityType) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        _check_path(kind, name)
    return names


def _expansions(text: str, kind: EntityType) -> tuple[str, ...]:
    parts = (part.strip() for part in OUTER_COMMA.split(text) if part.strip())
    names = tuple(part if part in kind.expand else part.split("(")[0].strip() for part in parts)
    allowed = set(kind.expand) | {link.name for link in kind.links}
    for name in names:
        if name not in allowed:
            raise bad_request(
                f"Parsing OData Select and Expand failed: '{name}' cannot be expanded.", "BadRequest"
            )
    if len(names) > 1 and not kind.expands_together:
        raise bad_request("Only one navigation property can be expanded at a time.", "BadRequest")
    return names


def _sort_key(path: str) -> Callable[[Record], tuple[bool, Any]]:
    def key(record: Record) -> tuple[bool, Any]:
        value = value_at(record.body, path)
        return (value is not None, value if value is not None else "")

    return key


def listing(
    call: Call,
    kind: EntityType,
    records: list[Record],
    *,
    context: str = "",
    polymorphic: bool = False,
    keep_order: bool = False,
) -> Json:
    """One page of a collection, with the link to the next."""
    query = parse_query(call, kind)
    owner = f"{call.session.directory.directory_id} {call.url.split('?')[0].lower()}"
    token = call.query.get("$skiptoken")
    page: Json = {"@odata.context": f"{call.root}/$metadata#{context or kind.path.strip('/')}"}
    if token is None:
        records = _selected(call, records, query, keep_order=keep_order)
        if query.count:
            page["@odata.count"] = len(records)
        records = records[query.skip :]
    else:
        records = call.pages.rest(owner, token)
    size = _page_size(call, kind, query)
    page["value"] = [
        present(
            call.session,
            kind if record.type_name == kind.name else registry.kind(record.type_name),
            record,
            select=query.select,
            expand=query.expand,
            polymorphic=polymorphic,
        )
        for record in records[:size]
    ]
    if len(records) > size:
        page["@odata.nextLink"] = _next_link(call, call.pages.store(owner, records[size:]))
    return page


def _selected(call: Call, records: list[Record], query: Query, *, keep_order: bool) -> list[Record]:
    if query.predicate is not None:
        predicate = query.predicate
        records = [record for record in records if predicate(record.body)]
    if query.order_by:
        return sorted(records, key=_sort_key(query.order_by), reverse=query.descending)
    if keep_order or not call.session.options.shuffle:
        return records
    return call.session.randomness.shuffled(records)


def _page_size(call: Call, kind: EntityType, query: Query) -> int:
    if kind.largest_page == NO_PAGING:
        return NO_PAGING
    forced = call.session.options.page_size
    usual = kind.largest_page if kind.largest_page > 999 else 100
    size = query.top or usual
    return min(size, forced) if forced else size


def _next_link(call: Call, token: str) -> str:
    stored = {
        name: value for name, value in call.query.items() if name not in {"$skiptoken", "$skip", "$count"}
    }
    stored["$skiptoken"] = token
    text = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in stored.items())
    return f"{call.url.split('?')[0]}?{text}"
