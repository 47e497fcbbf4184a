"""Queries on rollbacks: which ones an actor may see, and the format used by commands, pages and API."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from changes.models import Change
from rollbacks.approvals import signatures
from rollbacks.execution import verification
from rollbacks.models import Execution, Plan, Rollback, StepRecord
from rollbacks.planning.model import PlannedStep
from rollbacks.plans import storage
from snapshots.catalog.stream_values import in_words
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.microsoft.request import Request

__all__ = ["Covered", "as_json", "covered", "differing", "visible_rollbacks", "wrote_anything"]

differing = verification.differing


def visible_rollbacks(actor: Actor, action: Action = Action.VIEW) -> QuerySet[Rollback]:
    return Rollback.objects.filter(tenant__in=permissions.visible_tenants(actor, action)).select_related(
        "tenant__customer", "requester", "plan"
    )


@dataclass(frozen=True)
class Covered:
    """How many changes the steps of a plan undo: of those that were selected, and others."""

    selected: int
    of_selected: int
    others: int

    def __str__(self) -> str:
        """`12 of 13 selected changes and 1 other change`."""
        total = self.of_selected + self.others
        if not self.selected:
            return f"{total} change{_s(total)}"
        share = (
            f"{self.of_selected} of {self.selected}"
            if self.of_selected != self.selected
            else f"{self.selected}"
        )
        others = f" and {self.others} other change{_s(self.others)}" if self.others else ""
        return f"{share} selected change{_s(self.selected)}{others}"


def wrote_anything(rollback: Rollback) -> bool:
    """Whether there is something to undo."""
    return StepRecord.objects.filter(execution__plan__rollback=rollback, sent_at__isnull=False).exists()


def covered(rollback: Rollback) -> Covered:
    selected = set(rollback.parameters.get("changes", ()))
    undone = set(Change.objects.filter(steps__plan=rollback.plan_id).values_list("pk", flat=True))
    return Covered(len(selected), len(selected & undone), len(undone - selected))


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def as_json(rollback: Rollback) -> dict[str, Any]:
    """The contract's form, with steps and requests unsealed."""
    plan = rollback.plan
    return {
        "rollback": rollback.pk,
        "tenant": rollback.tenant.name,
        "state": rollback.state,
        "requester": rollback.requester.get_username(),
        "reason": rollback.reason,
        **_plan(plan),
        "execution": _execution(Execution.objects.filter(plan=plan).first()) if plan else None,
    }


def _plan(plan: Plan | None) -> dict[str, Any]:
    if plan is None:
        return {
            "digest": "",
            "complete": False,
            "applicable": False,
            "warnings": [],
            "losses": [],
            "steps": [],
            "dry_run": {},
        }
    tally = signatures.tally(plan)
    return {
        "digest": plan.digest,
        "revision": plan.revision,
        "expires_at": plan.expires_at.isoformat(),
        "required_approvals": tally.needed,
        "approvals": [
            {
                "by": signature.approval.approver.get_username(),
                "verdict": signature.approval.verdict,
                "comment": signature.approval.comment,
                "at": signature.approval.at.isoformat(),
                "counts": signature.counts,
                "reason": signature.reason,
            }
            for signature in tally.signatures
        ],
        "complete": plan.complete,
        "applicable": plan.applicable,
        "warnings": plan.warnings,
        "losses": [verification.as_json(loss) for loss in storage.losses_of(plan)],
        "steps": [_step(step) for step in storage.steps_of(plan)],
        "dry_run": plan.dry_run,
    }


def _step(step: PlannedStep) -> dict[str, Any]:
    return {
        "order": step.order,
        "kind": step.kind.value,
        "resource_type": step.resource_type,
        "resource_id": step.resource_id,
        "display_name": step.display_name,
        "explanation": step.explanation,
        "requests": [
            {
                "method": planned.request.method,
                "path": planned.request.path,
                "body": _body(planned.request),
                "why": planned.request.why,
                "elements": [element["id"] for element in planned.effect.elements]
                if planned.request.parts
                else [],
            }
            for planned in step.requests
        ],
        "fields": [dict(field) for field in step.fields],
        "changes": list(step.changes),
    }


def _body(request: Request) -> Any:
    """Bytes are described by type, size and digest."""
    content = request.content
    return request.body if content is None else in_words(content, request.headers["Content-Type"])


def _execution(execution: Execution | None) -> dict[str, Any] | None:
    if execution is None:
        return None
    return {
        "started_by": execution.started_by.get_username(),
        "started_at": execution.started_at.isoformat(),
        "finished_at": execution.finished_at.isoformat() if execution.finished_at else None,
        "outcome": execution.outcome,
        "message": execution.message,
        "verification": execution.verification,
        "remapped": verification.remapped(execution),
        "resumptions": [
            {
                "by": resumption.resumed_by.get_username(),
                "at": resumption.at.isoformat(),
                "after": {
                    "outcome": resumption.outcome,
                    "message": resumption.message,
                    "ended_at": resumption.ended_at.isoformat(),
                },
            }
            for resumption in execution.resumptions.select_related("resumed_by")
        ],
        "records": [
            {
                "order": record.step.order,
                "request": record.request_index,
                "state": record.state,
                "message": record.message,
            }
            for record in execution.records.select_related("step")
        ],
    }
