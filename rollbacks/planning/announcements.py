"""What a plan says of one target before anybody approves: what cannot be restored, in words and as data."""

from dataclasses import dataclass

from rollbacks.planning.drafts import Outcome
from rollbacks.planning.effects import same
from rollbacks.planning.model import AnnouncedLoss, Target
from snapshots.canonical.form import canonicalise
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import at, with_value
from snapshots.recoverability.verdicts import lost_anew, names_an_id


def protected(spec: ResourceType, document: Document) -> str | None:
    return None if spec.restore.guards.protected is None else spec.restore.guards.protected(document)


@dataclass
class Announcements:
    target: Target
    spec: ResourceType
    outcome: Outcome

    @property
    def label(self) -> str:
        return f"{self.spec.label} “{self.target.display_name or self.target.resource_id}”"

    def lose(
        self,
        warning: str,
        what: str,
        *,
        path: str = "",
        items: tuple[str, ...] = (),
        left_open: bool = False,
    ) -> None:
        """Announces a loss, in a sentence for people and as data for the verification."""
        self.outcome.warnings.append(warning)
        name = self.target.display_name
        self.outcome.losses.append(
            AnnouncedLoss(*self.target.key, name, path, what, items=items, left_open=left_open)
        )

    def attainable(self, live: Document, wanted: Document) -> Document:
        """What is wanted, with what the live object has wherever an existing object keeps what it has."""
        for name in self.spec.identity.spelling:
            wanted = with_value(wanted, name, live.get(name))
        for loss in self.spec.restore.losses:
            if not same(at(live, loss.path), at(wanted, loss.path)) and loss.keeps(at(live, loss.path)):
                warning = f"{self.label}: {loss.path} cannot be restored: {loss.what}."
                self.lose(warning, loss.what, path=loss.path)
                wanted = with_value(wanted, loss.path, at(live, loss.path))
        return canonicalise(wanted, self.spec)

    def is_protected(self, document: Document) -> bool:
        reason = protected(self.spec, document)
        if reason is not None:
            self.lose(f"{self.label} is left unchanged: {reason}", f"It is left unchanged: {reason}")
        return reason is not None

    def unwritable(self, names: list[str]) -> None:
        for name in names:
            losses = [loss.what for loss in self.spec.restore.losses if loss.path.split("[")[0] == name]
            why = losses[0] if losses else "Microsoft Graph does not allow writing it"
            self.lose(f"{self.label}: {name} cannot be restored: {why}.", why, path=name)

    def lost_items(self, live: Document, wanted: Document) -> set[str]:
        """By name what was taken out of the object and only its owner can enter again (secrets). The properties that
        have nothing else wrong.
        """
        only_lacking = set()
        for lost in lost_anew(self.spec, wanted):
            have = {
                name for each in lost_anew(self.spec, live) if each.path == lost.path for name in each.items
            }
            missing = tuple(name for name in lost.items if name not in have)
            if missing:
                warning = f"{self.label}: {lost.path} lacks {'; '.join(missing)}: {lost.what}."
                self.lose(warning, lost.what, path=lost.path, items=missing, left_open=True)
                if isinstance(wanted.get(lost.path), list) and have <= set(lost.items):
                    only_lacking.add(lost.path)
        return only_lacking

    def of_a_new_object(self, wanted: Document) -> None:
        restore = self.spec.restore
        if restore.create.new_id_note:
            self.outcome.warnings.append(f"{self.label} is recreated. {restore.create.new_id_note}")
        if self.spec.comparison.unread:
            settings = ", ".join(self.spec.comparison.unread)
            self.outcome.warnings.append(
                f"{self.label}: Lavawall does not read {settings}. If it had any of these, set them manually."
            )
        for loss in restore.losses:
            if names_an_id(loss) and (loss.path == "id" or loss.path.split("[")[0] in wanted):
                self.outcome.warnings.append(f"{self.label}: {loss.what}.")
        for lost in lost_anew(self.spec, wanted):
            items = f" ({'; '.join(lost.items)})" if lost.items else ""
            warning = f"{self.label}: {lost.path} is not restored: {lost.what}{items}."
            self.lose(warning, lost.what, path=lost.path, items=lost.items, left_open=True)
