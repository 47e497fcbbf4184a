"""Rules on the organisation: whom Microsoft warns, who manages devices, what the sign-in page says and offers."""

from collections.abc import Iterator

from changes.severity.declared_settings import (
    Life,
    Setting,
    lives,
    off_protects,
    on_protects,
    tells,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import dig, listed, text, words

ORGANIZATION = ("organization",)
BRANDING = ("organizationalBranding",)
FORMS, TODO, SERVICES, REPORTS = "adminForms", "adminTodo", "adminAppsAndServices", "adminReportSettings"
CONTACTS = {
    "technicalNotificationMails": "technical contacts",
    "securityComplianceNotificationMails": "security contacts",
    "securityComplianceNotificationPhones": "security contacts by phone",
}
LINKS = {
    "customAccountResetCredentialsUrl": "the password reset page",
    "customCannotAccessYourAccountUrl": "the page for people who cannot sign in",
    "customPrivacyAndCookiesUrl": "the privacy page",
    "customTermsOfUseUrl": "the terms of use",
}
STYLES = ("customCSS", "customCSSRelativeUrl")


def contacts_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    for name, label in CONTACTS.items():
        before, after = words(subject.before, name), words(subject.after, name)
        if lost := before - after:
            reason = f"Microsoft no longer warns {listed(lost)} ({label})."
            yield weakens(Severity.MEDIUM, reason)
        elif gained := after - before:
            yield neutral(Severity.LOW, f"Microsoft now also warns {listed(gained)} ({label}).")


def authority_moved(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = (
        text(side, "mobileDeviceManagementAuthority") for side in (subject.before, subject.after)
    )
    if subject.kind == "updated" and before.casefold() != after.casefold():
        reason = f"Devices are managed by {after or 'nobody'} instead of {before or 'nobody'}."
        yield neutral(Severity.HIGH, reason, "T1685")


def sign_in_page_links(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    for name, label in LINKS.items():
        before, after = text(subject.before, name), text(subject.after, name)
        if after and before.casefold() != after.casefold():
            reason = f"On the sign-in page, {label} is now {after}: everybody who needs it goes there."
            yield weakens(Severity.MEDIUM, reason)
        elif before and not after:
            yield strengthens(f"On the sign-in page, {label} is no longer at {before}.")


def sign_in_page_style(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """A style sheet can hide warnings; everything else on the page is looks."""
    if any(dig(subject.before, name) != dig(subject.after, name) for name in STYLES):
        reason = "The sign-in page has another style sheet, which can hide what people should see."
        yield neutral(Severity.MEDIUM, reason)
    elif subject.kind == "updated":
        yield neutral(Severity.INFORMATIONAL, "The sign-in page looks different.", "")


FORMS_SETTINGS = (
    Setting(
        "settings/isInOrgFormsPhishingScanEnabled",
        "the scan of forms for phishing",
        on_protects(),
        Severity.MEDIUM,
        "A form can ask everybody for their password",
    ),
    Setting(
        "settings/isExternalShareCollaborationEnabled",
        "editing of forms by outsiders",
        off_protects(),
        Severity.MEDIUM,
        "Outsiders can change forms that people here trust",
    ),
    Setting(
        "settings/isExternalShareResultEnabled",
        "sharing of answers with outsiders",
        off_protects(),
        Severity.MEDIUM,
        "Answers can leave the tenant",
    ),
    Setting("settings/isExternalSendFormEnabled", "sending forms to outsiders", off_protects(), Severity.LOW),
    Setting(
        "settings/isExternalShareTemplateEnabled",
        "sharing of templates with outsiders",
        off_protects(),
        Severity.LOW,
    ),
    Setting(
        "settings/isRecordIdentityByDefaultEnabled", "recording who answered", on_protects(), Severity.LOW
    ),
)
TODO_SETTINGS = (
    Setting("settings/isExternalJoinEnabled", "joining foreign task lists", off_protects(), Severity.LOW),
    Setting("settings/isExternalShareEnabled", "sharing tasks with outsiders", off_protects(), Severity.LOW),
)
SERVICES_SETTINGS = (
    Setting(
        "settings/isOfficeStoreEnabled",
        "add-ins from the Office store",
        off_protects(),
        Severity.MEDIUM,
        "Everybody can run add-ins that read their mail and files",
        "T1137.006",
    ),
    Setting(
        "settings/isAppAndServicesTrialEnabled",
        "trials of apps and services",
        off_protects(),
        Severity.LOW,
        "Everybody can start services that nobody approved",
    ),
)
REPORTS_SETTINGS = (
    Setting(
        "displayConcealedNames",
        "hiding names in reports",
        on_protects(),
        Severity.LOW,
        "Reports show what each person does",
    ),
)
SCUBA_FORMS = ("CIS Microsoft 365 Foundations: Microsoft 365 admin center",)

RULES = (
    Rule("organization-contacts", "Whom Microsoft warns changed", ORGANIZATION, "T1685", contacts_changed),
    Rule("organization-devices", "Who manages devices changed", ORGANIZATION, "T1685", authority_moved),
    Rule(
        "branding-links", "Where the sign-in page sends people changed", BRANDING, "T1566", sign_in_page_links
    ),
    Rule("branding-style", "How the sign-in page looks changed", BRANDING, "T1566", sign_in_page_style),
    Rule(
        "forms-settings",
        "What Forms share and check changed",
        (FORMS,),
        "T1484",
        watching(FORMS_SETTINGS),
        SCUBA_FORMS,
    ),
    Rule("todo-settings", "What task lists share changed", (TODO,), "T1484", watching(TODO_SETTINGS)),
    Rule(
        "services-settings",
        "What people may add to Microsoft 365 changed",
        (SERVICES,),
        "T1484",
        watching(SERVICES_SETTINGS),
        SCUBA_FORMS,
    ),
    Rule(
        "report-settings", "Whether reports name people changed", (REPORTS,), "", watching(REPORTS_SETTINGS)
    ),
    lives(
        "branding-life",
        "The sign-in page's own look appeared or went",
        "T1566",
        {
            BRANDING[0]: Life(
                created=tells(Severity.LOW, "People see another sign-in page"),
                deleted=tells(Severity.LOW, "A false sign-in page is harder to tell from the real one"),
            )
        },
    ),
)
