"""The analyst's findings as answers: a sentence in sum, a table, files where asked for or where a table is cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

from bot.assistant.analystwords import AnalystWords
from bot.assistant.items import Item
from bot.assistant.moods import MILD, mood
from bot.assistant.tables import as_csv, markdown, mood_chart, shown
from bot.types import Answer, Attachment

ROWS = 30
"""Rows of a table that are shown in the text."""
CHARTED = 8
"""Messages from which a picture says more than the table."""
_WANTS_FILE = re.compile(
    r"\b(?:csv|spreadsheet|excel|xlsx|download|as a file)\b|ＣＳＶ|CSV|表計算|エクセル|ファイルで|ダウンロード", re.I
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What every answer needs. `model` judged if it is named; `characters` says that the comparison was by characters."""

    say: AnalystWords
    request: str
    items: tuple[Item, ...]
    cut: bool
    model: str = ""
    characters: bool = False

    def signed(self, model: str) -> Outcome:
        """The same, judged by a model."""
        return replace(self, model=model)

    def rough(self, characters: bool) -> Outcome:
        """The same, compared by characters."""
        return replace(self, characters=characters)


def mood_answer(outcome: Outcome, values: Sequence[float]) -> Answer:
    """One mood, or a table of all with their mean and a chart."""
    say, called = outcome.say, [outcome.say.moods[mood(value)] for value in values]
    how = say.by_model if outcome.model else say.how_moods
    if len(values) == 1:
        line = say.one_mood.format(mood=called[0].capitalize(), score=f"{values[0]:+.2f}")
        return _answer(outcome, [line], how, (), [], "sentiment")
    counts = {name: sum(mood(value) == name for value in values) for name in say.moods}
    whole = mean(values)
    line = say.many_moods.format(all=len(values), mood=say.moods[mood(whole)], score=f"{whole:+.2f}", **counts)
    rows = [[*_who(outcome, number), called[number], f"{value:+.2f}"] for number, value in enumerate(values)]
    answer = _answer(outcome, [line], how, ("mood", "score"), rows, "sentiment")
    if len(values) < CHARTED:
        return answer
    return replace(answer, files=(Attachment("sentiment.png", mood_chart(values, MILD)), *answer.files))


def label_answer(outcome: Outcome, labels: Sequence[str], chosen: Sequence[tuple[str, bool]]) -> Answer:
    """Each message with its label, whether that is unsure, and how many each label has."""
    say, counts = outcome.say, Counter(label for label, _ in chosen)
    told = ", ".join(f"{shown(label)} {counts[label]}" for label in labels)
    told += f", {say.no_label} {counts['']}" if counts[""] else ""
    line = say.under.of(len(chosen), labels=say.labels.of(len(labels)), counts=told)
    rows = [
        [*_who(outcome, number), (label or say.no_label) + (" ?" if unsure else "")]
        for number, (label, unsure) in enumerate(chosen)
    ]
    how = say.by_model if outcome.model else say.how_labels
    if any(unsure for _, unsure in chosen):
        how = f"{say.unsure} {how}"
    return _answer(outcome, [line], how, ("label",), rows, "labels")


def theme_answer(outcome: Outcome, names: Sequence[str], members: Sequence[Sequence[int]], examples: int) -> Answer:
    """The themes with their size and most typical messages, largest first; in the file, each message with its theme."""
    say = outcome.say
    called = [name or say.unnamed.format(number=number) for number, name in enumerate(names, 1)]
    line = say.found.of(len(outcome.items), themes=say.themes.of(len(called)))
    brief = [
        [name, str(len(one)), " / ".join(" ".join(outcome.items[place].text.split())[:60] for place in one[:examples])]
        for name, one in zip(called, members, strict=True)
    ]
    header = [say.columns[name] for name in ("theme", "count", "example")]
    theme = {place: name for name, one in zip(called, members, strict=True) for place in one}
    rows = [[*_who(outcome, number), theme[number]] for number in range(len(outcome.items))]
    table = markdown(header, brief[:ROWS])
    return _answer(outcome, [line, table], say.how_groups, ("theme",), rows, "themes", listed=False)


def _answer(
    outcome: Outcome,
    lines: Sequence[str],
    how: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    name: str,
    listed: bool = True,
) -> Answer:
    say, parts = outcome.say, list(lines)
    header = _header(outcome, columns)
    if rows and listed:
        parts.append(markdown(header, rows[:ROWS]))
    cut = listed and len(rows) > ROWS
    if cut:
        parts.append(say.more_rows.format(shown=ROWS, all=len(rows)))
    files: tuple[Attachment, ...] = ()
    if rows and (cut or _WANTS_FILE.search(outcome.request)):
        files = (Attachment(f"{name}.csv", as_csv(header, rows)),)
        parts.append(say.attached.format(file=files[0].name))
    notes = [how, say.by_characters if outcome.characters else "", say.cut.format(limit=2000) if outcome.cut else ""]
    parts.append(" ".join(filter(None, notes)))
    return Answer("\n\n".join(parts), model=outcome.model, files=files)


def _header(outcome: Outcome, columns: Sequence[str]) -> list[str]:
    names = outcome.say.columns
    who = [names["author"]] if any(item.author for item in outcome.items) else []
    return ["#", *who, names["message"], *(names[column] for column in columns)]


def _who(outcome: Outcome, number: int) -> list[str]:
    item = outcome.items[number]
    who = [item.author] if any(one.author for one in outcome.items) else []
    return [str(number + 1), *who, item.text]
