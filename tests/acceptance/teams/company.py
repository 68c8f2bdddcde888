"""The small company of the tests as the playground's people see it: who they are, and a Rolecall that answers them."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.conftest import write_company

TENANT = "0d0c2f6e-5b1a-4c3d-9e8f-001122334455"
BOT = "Rolecall"
PEOPLE = ["Fiona Hart", "Oskar Lund", "Hana Mori", "Tom Reed", "Mia Weber", "Jo Park"]
ROLES = """
version: 1
tenants: {{teams: [{tenant}]}}
labels: [company, filings, maintenance]
roles:
  everyone: {{applies_to: members, read: [company], tools: [search_documents]}}
  finance: {{members: [teams-user:{tenant}/{fiona}], read: [filings], admin: true}}
sensitivity:
  - {{name: Confidential, description: For the finance team, labels: [filings]}}
"""
SETTINGS = """
version: 1
serve: {{port: {port}}}
doors: {{teams: {{tenant: {tenant}, development: true}}}}
sources:
  - name: acme
    path: documents
    url: https://docs.acme.example/files
    labels: {{"filings/**": [filings], "maintenance/**": [maintenance], "company/**": [company]}}
"""


def person(number: int) -> dict[str, str]:
    """One of the people, as the playground's configuration has them."""
    name = PEOPLE[number]
    mail = f"{name.split()[0].lower()}@acme.example"
    return {
        "id": f"user-id-{number}",
        "name": name,
        "userPrincipleName": mail,
        "aadObjectId": f"00000000-0000-4000-8000-00000000002{number}",
        "givenName": name.split()[0],
        "surname": name.split()[1],
        "email": mail,
    }


def playground() -> str:
    """The playground's configuration file."""
    return yaml.safe_dump(
        {
            "version": "0.1.1",
            "tenantId": TENANT,
            "bot": {"id": "28:rolecall", "name": BOT},
            "currentUser": person(0),
            "users": [person(number) for number in range(1, 6)],
            "personalChat": {"id": "personal-chat-id"},
            "groupChat": {"id": "group-chat-id", "name": "Group Chat"},
            "team": {
                "id": "team-id",
                "name": "My Team",
                "aadGroupId": TENANT,
                "channels": [{"id": "channel-announcements-id", "name": "Announcements"}],
            },
        },
        sort_keys=False,
    )


def company(folder: Path, port: int) -> Path:
    """The company's files; returns its rolecall.yaml."""
    config = write_company(folder)
    (folder / "roles.yaml").write_text(ROLES.format(tenant=TENANT, fiona=person(0)["aadObjectId"]))
    config.write_text(SETTINGS.format(tenant=TENANT, port=port))
    return config
