"""Defines "changes by this actor" for the timeline, the API and plans: changes whose best attribution names
the actor. An exact name selects that actor; any other text matches part of a name, an address, or an ID.
"""

from django.db.models import OuterRef, Q, QuerySet, Subquery

from changes.models import Attribution, Change


def by_actor(changes: QuerySet[Change], text: str) -> QuerySet[Change]:
    """Changes whose best attribution names this actor."""
    likeliest = Attribution.objects.filter(change=OuterRef("pk")).order_by(*Attribution.LIKELIEST_FIRST)
    known = changes.annotate(
        likely_actor=Subquery(likeliest.values("event__actor_name")[:1]),
        likely_id=Subquery(likeliest.values("event__actor_id")[:1]),
        likely_ip=Subquery(likeliest.values("event__ip")[:1]),
    )
    named = known.filter(Q(likely_actor__iexact=text) | Q(likely_id__iexact=text) | Q(likely_ip=text))
    return named if named.exists() else known.filter(likely_actor__icontains=text)
