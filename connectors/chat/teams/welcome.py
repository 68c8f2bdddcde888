"""The first words in a conversation: what this person may use here, with requests to try."""

from __future__ import annotations

from collections.abc import Callable, Collection

from bot.access.policy import Policy
from bot.assistant.about import profile
from bot.assistant.teams_words import teams_words
from bot.assistant.words import words
from bot.language import Language
from bot.types import Principal
from connectors.chat.teams.door import TeamsDoor
from connectors.chat.teams.translation import Heard


class Welcome:
    """Greets. `tools` are those that are installed."""

    def __init__(self, door: TeamsDoor, policy: Callable[[], Policy], tools: Collection[str]):
        self._door = door
        self._policy = policy
        self._tools = tools

    async def __call__(self, one: Heard, person: Principal | None) -> None:
        """Say hello to a person, with what they may use, or to a room."""
        language: Language = "ja" if str(one.activity.get("locale") or "").lower().startswith("ja") else "en"
        say, speak = teams_words(language), words(language)
        if one.room.kind != "direct":
            await self._door.greet(one.reference, say.welcome_room, ())
            return
        about = profile(self._policy(), person, self._tools, language) if person else None
        if about is None or not about.tools:
            await self._door.greet(one.reference, f"{say.welcome}\n\n{speak.no_access}", ())
            return
        lines = [say.welcome, "", speak.help_intro, *(f"- {ability}" for ability in about.tools.values())]
        if about.labels and "search_documents" in about.tools:
            lines += ["", speak.help_documents.format(labels=speak.list_separator.join(about.labels))]
        await self._door.greet(one.reference, "\n".join(lines), about.examples)
