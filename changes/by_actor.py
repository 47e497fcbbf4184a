"""What "by this actor" means, on the timeline, in the API and in a plan: the likeliest attribution names the actor.

A name that some actor has is that actor; any other text is a part of a name, an address, or an id.
"""

from django.db.models import OuterRef, Q, QuerySet, Subquery

from changes.models import Attribution, Change


def by_actor(changes: QuerySet[Change], text: str) -> QuerySet[Change]:
    """Changes that are likeliest this actor's."""
    likeliest = Attribution.objects.filter(change=OuterRef("pk")).order_by(*Attribution.LIKELIEST_FIRST)
    known = changes.annotate(
        likely_actor=Subquery(likeliest.values("event__actor_name")[:1]),
        likely_id=Subquery(likeliest.values("event__actor_id")[:1]),
        likely_ip=Subquery(likeliest.values("event__ip")[:1]),
    )
    named = known.filter(Q(likely_actor__iexact=text) | Q(likely_id__iexact=text) | Q(likely_ip=text))
    return named if named.exists() else known.filter(likely_actor__icontains=text)
