"""The home page, the help, and what one could ask: made from what somebody's roles give them, never from more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.assistant.about import Profile
from bot.language import language
from connectors.chat.slack.blocks import Block, escape
from connectors.chat.slack.phrases import Phrases, phrases

PROMPTS = 4
"""Suggested prompts that Slack shows."""
_SHORT = 150
_SECTION = 2_900


def page(found: Profile, asked: Sequence[str]) -> dict[str, Any]:
    """The App Home view."""
    say = _say(asked)
    blocks: list[Block] = [*_part(say.home_use, _use(found, say)), *_part(say.home_read, _read(found, say))]
    recent = [f"• {escape(_short(one))}" for one in asked if one]
    blocks += _part(say.home_recent, "\n".join(recent) or say.home_none)
    blocks += _part(say.home_how, say.home_how_text)
    return {"type": "home", "blocks": blocks}


def help_text(found: Profile, asked: Sequence[str]) -> str:
    """What ``/rolecall help`` says."""
    say = _say(asked)
    return f"{say.home_how_text}\n\n*{say.home_use}*\n{_use(found, say)}"


def whoami(found: Profile, asked: Sequence[str]) -> str:
    """What ``/rolecall whoami`` says."""
    say = _say(asked)
    who = f"{say.you_are}: `{found.who}`\n{say.roles}: {', '.join(f'`{role}`' for role in found.roles) or '-'}"
    return f"{who}\n*{say.home_read}*: {_read(found, say)}\n*{say.home_use}*\n{_use(found, say)}"


def prompts(found: Profile) -> list[dict[str, str]]:
    """Up to four requests that this person could really make."""
    offers = zip(found.tools.values(), found.examples, strict=True)
    return [{"title": ability[:1].upper() + ability[1:_SHORT], "message": example} for ability, example in offers][
        :PROMPTS
    ]


def prompts_title(asked: Sequence[str]) -> str:
    """The line above the prompts."""
    return _say(asked).prompts


def _say(asked: Sequence[str]) -> Phrases:
    return phrases(language(asked[0] if asked else ""))


def _use(found: Profile, say: Phrases) -> str:
    if found.refusal or not found.tools:
        return say.nothing_open + (f" ({escape(found.refusal)})." if found.refusal else ".")
    offers = zip(found.tools.values(), found.examples, strict=True)
    return "\n".join(f"• {escape(ability)}: _{escape(example)}_" for ability, example in offers)


def _read(found: Profile, say: Phrases) -> str:
    return ", ".join(f"`{escape(label)}`" for label in found.labels) or say.home_read_nothing


def _part(title: str, text: str) -> list[Block]:
    return [
        {"type": "header", "text": {"type": "plain_text", "text": title}},
        {"type": "section", "text": {"type": "mrkdwn", "text": text[:_SECTION]}},
    ]


def _short(text: str) -> str:
    first = " ".join(text.split())
    return first if len(first) <= _SHORT else first[: _SHORT - 2] + " …"
