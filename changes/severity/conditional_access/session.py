"""How strict a Conditional Access policy's session controls are, as comparable numbers.

Used by `policies`: for each control, higher is stricter and 0 is absent.
"""

from collections.abc import Mapping

from changes.severity.readers import is_true, number, word
from snapshots.catalog.spec import Document

HOURS = {"hours": 1.0, "days": 24.0}
NO_LIMIT_HOURS = 24.0 * 365 * 10
"""Longer than any possible sign-in frequency."""
CLOUD_APP_SECURITY = {"monitoronly": 1.0, "mcasconfigured": 2.0, "blockdownloads": 3.0}
EVALUATION = {"disabled": -1.0, "strictenforcement": 1.0, "strictlocation": 2.0}

LABELS: Mapping[str, str] = {
    "signInFrequency": "sign-in frequency",
    "persistentBrowser": "persistent browser sessions",
    "cloudAppSecurity": "Defender for Cloud Apps session control",
    "applicationEnforcedRestrictions": "restrictions enforced by the application",
    "secureSignInSession": "token protection",
    "disableResilienceDefaults": "blocking of sessions during outages",
    "continuousAccessEvaluation": "continuous access evaluation",
}


def session_ranks(document: Document | None) -> dict[str, float]:
    root = ("sessionControls",)
    browser = word(document, *root, "persistentBrowser", "mode") if _on(document, "persistentBrowser") else ""
    cloud = (
        word(document, *root, "cloudAppSecurity", "cloudAppSecurityType")
        if _on(document, "cloudAppSecurity")
        else ""
    )
    ranks = {
        "signInFrequency": _frequency(document),
        "persistentBrowser": {"never": 1.0, "always": -1.0}.get(browser, 0.0),
        "cloudAppSecurity": CLOUD_APP_SECURITY.get(cloud, 0.0),
        "applicationEnforcedRestrictions": float(
            is_true(document, *root, "applicationEnforcedRestrictions", "isEnabled")
        ),
        "secureSignInSession": float(is_true(document, *root, "secureSignInSession", "isEnabled")),
        "disableResilienceDefaults": float(is_true(document, *root, "disableResilienceDefaults")),
        "continuousAccessEvaluation": EVALUATION.get(
            word(document, *root, "continuousAccessEvaluation", "mode"), 0.0
        ),
    }
    return {name: rank for name, rank in ranks.items() if rank}


def _on(document: Document | None, name: str) -> bool:
    return is_true(document, "sessionControls", name, "isEnabled")


def _frequency(document: Document | None) -> float:
    """The shorter the session, the higher; sign-in every time is the highest."""
    path = ("sessionControls", "signInFrequency")
    if not _on(document, "signInFrequency"):
        return 0.0
    if word(document, *path, "frequencyInterval") == "everytime":
        return NO_LIMIT_HOURS
    value = number(document, *path, "value")
    unit = HOURS.get(word(document, *path, "type"))
    if value is None or unit is None or value <= 0:
        return 1.0
    return max(1.0, NO_LIMIT_HOURS - value * unit)
