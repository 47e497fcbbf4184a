"""The organisation itself, its branding, and the synchronisation of its directory."""

from tests.roundtrip.model import (
    AUTO,
    PICTURE,
    PLANTED_PICTURE,
    Act,
    Case,
    Json,
    World,
    attacked_stream,
)

ORGANIZATION = "/v1.0/organization"
SYNCHRONIZATION = "/v1.0/directory/onPremisesSynchronization"
ALWAYS_THERE = "there is exactly one"


def organization(world: World) -> Json:
    found: Json = world.read(ORGANIZATION)["value"][0]
    return found


def branding(world: World) -> Json:
    owner = organization(world)["id"]
    return {**world.read(f"{ORGANIZATION}/{owner}/branding"), "_organization": owner}


def french(world: World) -> Json:
    owner = organization(world)["id"]
    listing = f"{ORGANIZATION}/{owner}/branding/localizations"
    return {**world.named(listing, "fr", by="id"), "_organization": owner}


def synchronization(world: World) -> Json:
    found: Json = world.read(SYNCHRONIZATION)["value"][0]
    return found


BRANDING = f"{ORGANIZATION}/{{_organization}}/branding"
APPEARANCE: Json = {
    "backgroundColor": "#AA0000",
    "customAccountResetCredentialsUrl": "https://planted.example.org/reset",
    "customCannotAccessYourAccountText": AUTO,
    "customCannotAccessYourAccountUrl": "https://planted.example.org/help",
    "customForgotMyPasswordText": AUTO,
    "customPrivacyAndCookiesText": AUTO,
    "customPrivacyAndCookiesUrl": "https://planted.example.org/privacy",
    "customResetItNowText": AUTO,
    "customTermsOfUseText": AUTO,
    "customTermsOfUseUrl": "https://planted.example.org/terms",
    "headerBackgroundColor": "#00AA00",
    "loginPageLayoutConfiguration": AUTO,
    "loginPageTextVisibilitySettings": AUTO,
    "contentCustomization": {"attributeCollection": [{"key": "SignIn_Title", "value": "Planted"}]},
    "signInPageText": AUTO,
    "usernameHintText": AUTO,
}

CASES = (
    Case(
        key="organization",
        subject=organization,
        path=f"{ORGANIZATION}/{{id}}",
        updates={
            "marketingNotificationEmails": AUTO,
            "preferredLanguage": "fr",
            "privacyProfile": AUTO,
            "securityComplianceNotificationMails": AUTO,
            "securityComplianceNotificationPhones": AUTO,
            "technicalNotificationMails": AUTO,
        },
        create=ALWAYS_THERE,
        delete=ALWAYS_THERE,
    ),
    Case(
        key="organizationalBranding",
        subject=branding,
        path=BRANDING,
        updates=APPEARANCE,
        together=True,
        create="the tenant has one already; see its deletion",
        delete=[Act("DELETE", f"{BRANDING}/localizations/fr-FR"), Act("DELETE", BRANDING)],
        types=("organization", "organizationalBrandingLocalization"),
    ),
    Case(
        key="organizationalBrandingLocalization",
        subject=french,
        path=f"{BRANDING}/localizations/{{id}}",
        updates=APPEARANCE,
        together=True,
        create=[Act("POST", f"{BRANDING}/localizations", {"id": "es-ES", "signInPageText": "Planted"})],
        delete=[Act("DELETE", f"{BRANDING}/localizations/{{id}}")],
        types=("organization",),
    ),
    Case(
        key="organizationalBranding",
        variant="with images",
        subject=branding,
        path=BRANDING,
        given=[
            Act("PUT", f"{BRANDING}/localizations/0/bannerLogo", PICTURE),
            Act("PUT", f"{BRANDING}/localizations/0/customCSS", b"body { color: #10406a }"),
        ],
        delete=[
            Act("DELETE", f"{BRANDING}/localizations/fr-FR"),
            Act("DELETE", f"{BRANDING}/localizations/0/bannerLogo"),
            Act("DELETE", f"{BRANDING}/localizations/0/customCSS"),
            Act("DELETE", BRANDING),
        ],
        more={
            **attacked_stream(f"{BRANDING}/localizations/0", "bannerLogo"),
            **attacked_stream(f"{BRANDING}/localizations/0", "customCSS", b"body { display: none }"),
            "favicon planted": [Act("PUT", f"{BRANDING}/localizations/0/favicon", PLANTED_PICTURE)],
        },
        types=("organization", "organizationalBrandingLocalization"),
    ),
    Case(
        key="organizationalBrandingLocalization",
        variant="with images",
        subject=french,
        path=f"{BRANDING}/localizations/{{id}}",
        given=[Act("PUT", f"{BRANDING}/localizations/{{id}}/squareLogo", PICTURE)],
        delete=[Act("DELETE", f"{BRANDING}/localizations/{{id}}")],
        more={
            **attacked_stream(f"{BRANDING}/localizations/{{id}}", "squareLogo"),
            "headerLogo planted": [
                Act("PUT", f"{BRANDING}/localizations/{{id}}/headerLogo", PLANTED_PICTURE)
            ],
        },
        types=("organization",),
    ),
    Case(
        key="onPremisesDirectorySynchronization",
        subject=synchronization,
        path=f"{SYNCHRONIZATION}/{{id}}",
        updates={
            "configuration": {
                "accidentalDeletionPrevention": {
                    "synchronizationPreventionType": "disabled",
                    "alertThreshold": 1,
                }
            },
            "features": AUTO,
        },
        create=ALWAYS_THERE,
        delete=ALWAYS_THERE,
    ),
)
