"""What somebody may use and read here, for a welcome, a home page, and suggestions that can really be asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.access.policy import Policy
from bot.assistant.small_talk import TOOLS
from bot.assistant.words import words
from bot.language import Language
from bot.types import Principal


@dataclass(frozen=True, slots=True)
class Profile:
    """One person as the policy sees them. `tools` maps each granted tool to what it does for them, in their language.

    `refusal` says why somebody holds nothing (a guest, deactivated); `examples` are requests they could make.
    """

    who: str
    roles: tuple[str, ...]
    labels: tuple[str, ...]
    tools: dict[str, str]
    examples: tuple[str, ...]
    refusal: str = ""


def profile(policy: Policy, person: Principal, installed: Collection[str], language: Language = "en") -> Profile:
    """What this person's roles give them here, of the tools that are `installed`."""
    grant, speak = policy.grant(person), words(language)
    offered = [tool for tool in TOOLS if tool in grant.tools and tool in installed]
    return Profile(
        who=person.ref,
        roles=tuple(held.role.name for held in grant.roles),
        labels=tuple(sorted(label for label in grant.labels if ":" not in label)),
        tools={tool: speak.abilities[tool] for tool in offered},
        examples=tuple(speak.examples[tool].strip("“”「」") for tool in offered),
        refusal=grant.refusal,
    )
