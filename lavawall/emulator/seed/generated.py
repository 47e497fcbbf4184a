"""As many further users, groups and applications as wanted, the same ones in every run."""

from lavawall.emulator.seed.builder import TenantBuilder

MEMBERS_PER_GROUP = 12


def fill(builder: TenantBuilder, *, users: int, groups: int, apps: int) -> None:
    people = [
        builder.user(f"Generated Person {number:05d}", department=f"Department {number % 17:02d}").id
        for number in range(1, users + 1)
    ]
    for number in range(1, groups + 1):
        start = (number * 7) % max(1, len(people))
        builder.group(
            f"Generated Group {number:05d}",
            members=people[start : start + MEMBERS_PER_GROUP],
            owners=people[start : start + 1],
            description=f"Generated group number {number}",
        )
    for number in range(1, apps + 1):
        builder.application(
            f"Generated App {number:05d}",
            owners=people[number % len(people) :][:1] if people else [],
            web={"redirectUris": [f"https://app-{number:05d}.example.com/signin"]},
        )
