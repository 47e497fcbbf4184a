"""Rules on the organisation: notification contacts, device management, and the sign-in page."""

from collections.abc import Iterator

from changes.severity.declared_settings import (
    Life,
    Setting,
    always,
    lives,
    off_protects,
    on_protects,
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
            reason = f"Microsoft no longer notifies {listed(lost)} ({label})."
            yield weakens(Severity.MEDIUM, reason)
        elif gained := after - before:
            yield neutral(Severity.LOW, f"Microsoft now also notifies {listed(gained)} ({label}).")


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
            reason = f"On the sign-in page, {label} is now {after}. Users are sent there."
            yield weakens(Severity.MEDIUM, reason)
        elif before and not after:
            yield strengthens(f"On the sign-in page, {label} is no longer at {before}.")


def sign_in_page_style(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """A style sheet can hide warnings; everything else only affects appearance."""
    if any(dig(subject.before, name) != dig(subject.after, name) for name in STYLES):
        reason = "The sign-in page has a new style sheet, which can hide warnings."
        yield neutral(Severity.MEDIUM, reason)
    elif subject.kind == "updated":
        yield neutral(Severity.INFORMATIONAL, "The appearance of the sign-in page changed.", "")


FORMS_SETTINGS = (
    Setting(
        "settings/isInOrgFormsPhishingScanEnabled",
        "phishing protection of forms",
        on_protects(),
        Severity.MEDIUM,
        "A form can ask users for their password",
    ),
    Setting(
        "settings/isExternalShareCollaborationEnabled",
        "editing of forms by external users",
        off_protects(),
        Severity.MEDIUM,
        "External users can change forms that users here trust",
    ),
    Setting(
        "settings/isExternalShareResultEnabled",
        "sharing of responses with external users",
        off_protects(),
        Severity.MEDIUM,
        "Responses can leave the tenant",
    ),
    Setting(
        "settings/isExternalSendFormEnabled", "sending forms to external users", off_protects(), Severity.LOW
    ),
    Setting(
        "settings/isExternalShareTemplateEnabled",
        "sharing of templates with external users",
        off_protects(),
        Severity.LOW,
    ),
    Setting(
        "settings/isRecordIdentityByDefaultEnabled",
        "recording the names of respondents",
        on_protects(),
        Severity.LOW,
    ),
)
TODO_SETTINGS = (
    Setting("settings/isExternalJoinEnabled", "joining external task lists", off_protects(), Severity.LOW),
    Setting(
        "settings/isExternalShareEnabled", "sharing tasks with external users", off_protects(), Severity.LOW
    ),
)
SERVICES_SETTINGS = (
    Setting(
        "settings/isOfficeStoreEnabled",
        "add-ins from the Office store",
        off_protects(),
        Severity.MEDIUM,
        "All users can run add-ins that read their mail and files",
        "T1137.006",
    ),
    Setting(
        "settings/isAppAndServicesTrialEnabled",
        "trials of apps and services",
        off_protects(),
        Severity.LOW,
        "All users can start services that nobody approved",
    ),
)
REPORTS_SETTINGS = (
    Setting(
        "displayConcealedNames",
        "hiding names in reports",
        on_protects(),
        Severity.LOW,
        "Reports show the activity of individual users",
    ),
)
SCUBA_FORMS = ("CIS Microsoft 365 Foundations: Microsoft 365 admin center",)

RULES = (
    Rule("organization-contacts", "Notification contacts changed", ORGANIZATION, "T1685", contacts_changed),
    Rule("organization-devices", "Device management changed", ORGANIZATION, "T1685", authority_moved),
    Rule("branding-links", "Links on the sign-in page changed", BRANDING, "T1566", sign_in_page_links),
    Rule(
        "branding-style", "The appearance of the sign-in page changed", BRANDING, "T1566", sign_in_page_style
    ),
    Rule(
        "forms-settings",
        "Microsoft Forms settings changed",
        (FORMS,),
        "T1484",
        watching(FORMS_SETTINGS),
        SCUBA_FORMS,
    ),
    Rule("todo-settings", "Microsoft To Do sharing changed", (TODO,), "T1484", watching(TODO_SETTINGS)),
    Rule(
        "services-settings",
        "Add-ins or trials in Microsoft 365 changed",
        (SERVICES,),
        "T1484",
        watching(SERVICES_SETTINGS),
        SCUBA_FORMS,
    ),
    Rule("report-settings", "Names in usage reports changed", (REPORTS,), "", watching(REPORTS_SETTINGS)),
    lives(
        "branding-life",
        "Branding of the sign-in page was created or deleted",
        "T1566",
        {
            BRANDING[0]: Life(
                created=always(Severity.LOW, "Users see a different sign-in page"),
                deleted=always(
                    Severity.LOW, "A fake sign-in page is harder to distinguish from the real one"
                ),
            )
        },
    ),
)
