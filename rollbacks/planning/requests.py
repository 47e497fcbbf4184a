"""The requests that one resource needs, each with its effect: methods and paths as its spec has them.

Used by the strategies; never orders, never sends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rollbacks.planning import bodies
from rollbacks.planning.batches import together
from rollbacks.planning.effects import part_of, same
from rollbacks.planning.model import Effect, EffectKind, PlannedRequest
from snapshots.canonical.form import canonical_bytes
from snapshots.canonical.spelling import original, secrets_in
from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import Action, Document, ElementRemoval, Part, ResourceType, Stream
from snapshots.catalog.stream_values import content_of
from snapshots.collection.addresses import address, expand_path
from tenants.microsoft.request import Request

Body = Any


class RequestWriter:
    """Writes the requests for one resource: `object_id` is its id, or the token for the id that it will get."""

    def __init__(
        self,
        spec: ResourceType,
        object_id: str,
        document: Document,
        graph_url: str,
        raw: Document | None = None,
    ) -> None:
        self._spec = spec
        self._id = object_id
        self._document = document
        self._graph_url = graph_url
        self._raw = raw

    def update(
        self, live: Document, wanted: Document, *, ensure: bool = False
    ) -> tuple[list[PlannedRequest], list[str]]:
        """What brings the live document to the wanted one, and the properties that no request can bring.

        `ensure`: the live document is only what is expected; so everything wanted is written in full.
        """
        names = tuple(sorted(live.keys() | wanted.keys())) if ensure else bodies.differing(live, wanted)
        settable = tuple(name for name in names if self._is_settable(name))
        requests = self._settings(live, wanted, settable)
        unwritable: list[str] = []
        for name in names:
            if name not in settable:
                more, reaches = self._alone(name, live, wanted, ensure=ensure)
                requests += more
                unwritable += [] if reaches else [name]
        return requests, unwritable

    def _is_settable(self, name: str) -> bool:
        """Whether the property is written together with others, in the body of the update."""
        restore = self._spec.restore
        on_its_own = {action.property for action in restore.update.actions}
        on_its_own |= {removal.property for removal in restore.update.removals}
        return name not in on_its_own and self._spec.writes(name) and restore.update.path is not None

    def _settings(self, live: Document, wanted: Document, names: tuple[str, ...]) -> list[PlannedRequest]:
        """One update for all; before it another one, where something must be switched off or in place first."""
        first = bodies.in_place_first(self._spec, live, wanted)
        prepared = tuple(name for name in bodies.differing(live, first) if name in names)
        requests = [self._set(live, first, prepared)] if prepared else []
        return [*requests, self._set(first, wanted, names)] if names else requests

    def _alone(
        self, name: str, live: Document, wanted: Document, *, ensure: bool
    ) -> tuple[list[PlannedRequest], bool]:
        """The requests for a property that has its own way of being written, and whether they reach what is wanted."""
        restore, part = self._spec.restore, part_of(self._spec, name)
        action = next((each for each in restore.update.actions if each.property == name), None)
        if action is not None:
            return list(self._action(action, wanted.get(name), live.get(name))), True
        have, want = live.get(name, []), wanted.get(name, [])
        stream = next((each for each in self._spec.streams if each.name == name), None)
        if stream is not None:
            requests = list(self._stream(stream, wanted.get(name)))
            return requests, bool(requests) or same(live.get(name), wanted.get(name))
        removal = next((each for each in restore.update.removals if each.property == name), None)
        if removal is not None:
            return list(self._removed(removal, have, want)), not _lacks(have, want)
        if part is not None:
            retires = bool(part.retired_with) and bool(_keyed(part, have) - _keyed(part, want))
            return self._part(part, live, wanted, ensure=ensure), not retires
        return [], same(live.get(name), wanted.get(name))

    def create(self, wanted: Document) -> PlannedRequest:
        restore = self._spec.restore
        body = bodies.create_body(self._spec, wanted)
        effect = Effect(EffectKind.CREATE)
        return self._request(
            restore.create.method, restore.create.path or "", body, effect, "create it again"
        )

    def settle(self, wanted: Document) -> list[PlannedRequest]:
        """After a create: the actions and sub-collections that the create itself could not carry."""
        restore = self._spec.restore
        acted = {action.property for action in restore.update.actions}
        later = {path.partition(".")[0] for path in bodies.written_later(self._spec, wanted)}
        requests = [self._set({}, wanted, tuple(sorted(later)))] if later else []
        requests += [
            request
            for action in restore.update.actions
            if action.property in wanted and not self._spec.creates_with(action.property)
            for request in self._action(action, wanted[action.property], None)
        ]
        for stream in self._spec.streams:
            if stream.name in wanted:
                requests += self._stream(stream, wanted[stream.name])
        for part in self._spec.parts:
            if part.name not in acted and not self._spec.creates_with(part.name):
                requests += self.elements(part, [], wanted.get(part.name, []), ensure=True)
        return requests

    def undelete(self) -> PlannedRequest:
        undelete = self._spec.restore.undelete
        if undelete is None:
            raise ValueError(f"{self._spec.key} has no container of deleted objects.")
        body = None if undelete.body is None else undelete.body(self._document)
        effect = Effect(EffectKind.UNDELETE)
        return self._request(
            undelete.method, undelete.restore_path, body, effect, "take it out of the deleted items"
        )

    def delete(self, live: Document) -> list[PlannedRequest]:
        first = {
            name: value
            for name, value in self._spec.restore.delete.prepared_with.items()
            if not same(live.get(name), value) and not (name not in live and not value)
        }
        requests = []
        if first:
            requests.append(self._set(live, {**live, **first}, tuple(sorted(first))))
        restore = self._spec.restore
        for part in self._spec.parts:
            if part.name in restore.delete.emptied_first:
                requests += self.elements(part, live.get(part.name, []), [])
        for stream in self._spec.streams:
            if stream.removed_first and stream.name in live:
                requests += self._stream(stream, None)
        body = None if restore.delete.shape is None else restore.delete.shape(live)
        effect = Effect(EffectKind.DELETE)
        requests.append(
            self._request(restore.delete.method, restore.delete.path or "", body, effect, "delete it")
        )
        return requests

    def retire(self, live: Document) -> PlannedRequest:
        """What takes the place of a delete where the service has none."""
        restore = self._spec.restore
        return self._set(
            live, {**live, **restore.delete.retired_with}, tuple(sorted(restore.delete.retired_with))
        )

    def _part(self, part: Part, live: Document, wanted: Document, *, ensure: bool) -> list[PlannedRequest]:
        """None where the wanted object does not have the part: what is in it goes by itself."""
        if not part.exists_for(wanted):
            return []
        return self.elements(part, live.get(part.name, []), wanted.get(part.name, []), ensure=ensure)

    def elements(
        self, part: Part, live: Sequence[Document], wanted: Sequence[Document], *, ensure: bool = False
    ) -> list[PlannedRequest]:
        """Additions before removals: Microsoft refuses to take the last owner away."""
        if part.key is None:
            return []
        have = {element[part.named_by]: element for element in live}
        want = {element[part.named_by]: element for element in wanted}
        requests: list[PlannedRequest] = []
        for key, element in want.items():
            if key not in have or (ensure and part.reference is not None):
                requests += self._added(part, element)
            elif not same(have[key], element):
                requests += self._changed(part, have[key], element)
        for key, element in have.items():
            if key not in want and not _retired(part, element):
                requests += self._taken(part, element)
        return list(together(requests))

    def _set(self, live: Document, wanted: Document, names: tuple[str, ...]) -> PlannedRequest:
        restore = self._spec.restore
        body = bodies.update_body(self._spec, live, wanted, names)
        if self._raw is not None:
            body = restore.update.repeated(body, self._raw)
        effect = Effect(EffectKind.SET, values={name: wanted.get(name) for name in names})
        return self._request(
            restore.update.method, restore.update.path or "", body, effect, "write what differs"
        )

    def _action(self, action: Action, value: Any, live: Any) -> Iterator[PlannedRequest]:
        body = action.body(value, live)
        if body is not None:
            effect = Effect(EffectKind.SET, values={action.property: value})
            yield self._request("POST", action.path, body, effect, f"set {action.property}")

    def _stream(self, stream: Stream, value: str | None) -> Iterator[PlannedRequest]:
        """Nothing where the bytes that are wanted were not kept."""
        effect = Effect(EffectKind.SET, values={stream.name: value})
        if value is None:
            yield self._request("DELETE", stream.path, None, effect, f"remove {stream.name}")
            return
        content = content_of(value)
        if content is not None:
            planned = self._request("PUT", stream.path, None, effect, f"put {stream.name}")
            yield replace(planned, request=planned.request.carrying(*content))

    def _removed(
        self, removal: ElementRemoval, live: Sequence[Document], wanted: Sequence[Document]
    ) -> Iterator[PlannedRequest]:
        for element in _lacks(wanted, live):
            effect = Effect(EffectKind.REMOVE, of=removal.property, elements=(element,))
            yield self._request(
                "POST", removal.path, removal.body(element), effect, f"remove from {removal.property}"
            )

    def _added(self, part: Part, element: Document) -> Iterator[PlannedRequest]:
        effect = Effect(EffectKind.ADD, of=part.name, elements=(element,))
        if part.add_ref is not None:
            named = part.holds or "/v1.0/directoryObjects/{element}"
            body = {"@odata.id": self._graph_url + self._element_path(named, part, element)}
            path = self._element_path(part.add_ref, part, element)
            yield self._request("POST", path, body, effect, f"add to {part.name}")
        elif part.create_path is not None:
            key = set() if part.caller_chooses_keys else {part.named_by}
            body = {name: value for name, value in element.items() if name not in key}
            yield self._request("POST", part.create_path, body, effect, f"add to {part.name}")

    def _changed(self, part: Part, live: Document, element: Document) -> Iterator[PlannedRequest]:
        if part.replaces_elements:
            yield from self._taken(part, live)
            yield from self._added(part, element)
            return
        if part.element_path is None:
            return
        effect = Effect(EffectKind.CHANGE, of=part.name, elements=(element,))
        wanted = {
            name: value for name, value in bodies.cleared(live, element).items() if name != part.named_by
        }
        body = {
            name: value
            for name, value in wanted.items()
            if name == ODATA_TYPE or not same(value, live.get(name))
        }
        path = self._element_path(part.element_path, part, live)
        yield self._request("PATCH", path, body, effect, f"change one of {part.name}")

    def _taken(self, part: Part, element: Document) -> Iterator[PlannedRequest]:
        if part.retired_with:
            yield from self._changed(part, element, {**element, **part.retired_with})
            return
        template = part.remove_ref or part.element_path
        if template is None:
            return
        effect = Effect(EffectKind.REMOVE, of=part.name, elements=(element,))
        path = self._element_path(template, part, element)
        yield self._request("DELETE", path, None, effect, f"remove from {part.name}")

    def _element_path(self, template: str, part: Part, element: Document) -> str:
        holder = part.holders.get(str(element.get(ODATA_TYPE)), "")
        values = {"element": element[part.named_by], "holder": holder}
        return expand_path(template, {**address(self._spec, self._id, self._document), **values})

    def _request(self, method: str, template: str, body: Body, effect: Effect, why: str) -> PlannedRequest:
        later = self._spec.read.inject if self._spec.restore.create.auto_created_with else ()
        path = expand_path(template, address(self._spec, self._id, self._document), later)
        body = absolute(body, self._graph_url)
        request = Request(
            method,
            path,
            original(body),
            params=self._spec.restore.params,
            service=self._spec.read.service,
            why=why,
        )
        return PlannedRequest(request, effect, secrets_in(body))


def absolute(body: Body, graph_url: str) -> Body:
    """The body with its bindings, which specs write as paths, as the addresses that Graph wants."""
    if isinstance(body, list):
        return [absolute(each, graph_url) for each in body]
    if not isinstance(body, dict):
        return body
    return {
        name: f"{graph_url}{value}"
        if name.endswith("@odata.bind") and isinstance(value, str) and value.startswith("/")
        else absolute(value, graph_url)
        for name, value in body.items()
    }


def _lacks(elements: Sequence[Document], others: Sequence[Document]) -> list[Document]:
    """Those of `others` that `elements` has not, by key id or content."""
    present = {_mark(element) for element in elements}
    return [element for element in others if _mark(element) not in present]


def _retired(part: Part, element: Document) -> bool:
    return bool(part.retired_with) and part.retired_with.items() <= element.items()


def _keyed(part: Part, elements: Sequence[Document]) -> set[str]:
    return {element[part.named_by] for element in elements}


def _mark(element: Mapping[str, Any]) -> bytes:
    return canonical_bytes(element.get("keyId", element))
