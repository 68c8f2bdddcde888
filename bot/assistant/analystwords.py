"""The analyst's own sentences in the language of the request. Places to fill are named in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.language import Language


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of things, in words: of one, and of none or several. The place of the number is named `n`."""

    one: str
    many: str

    def of(self, number: int, **more: str) -> str:
        """So many of them; `more` fills the other places."""
        return (self.one if number == 1 else self.many).format(n=number, **more)


@dataclass(frozen=True, slots=True)
class AnalystWords:
    """One language's sentences. `moods` names the three moods."""

    reading: str
    judging: str
    grouping: str
    nothing: str
    no_thread: str
    too_many: str
    too_long: str
    cut: str
    one_mood: str
    many_moods: str
    moods: Mapping[str, str]
    how_moods: str
    by_model: str
    under: Counted
    labels: Counted
    unsure: str
    no_label: str
    how_labels: str
    found: Counted
    themes: Counted
    unnamed: str
    how_groups: str
    by_characters: str
    more_rows: str
    attached: str
    columns: Mapping[str, str]


ENGLISH = AnalystWords(
    reading="Reading the messages: {done} of {all}",
    judging="Judging the messages: {done} of {all}",
    grouping="Looking for themes",
    nothing="Which messages do you mean? Put them below your request, one a line, attach a CSV, XLSX or text file, "
    "or ask in the thread that they are in.",
    no_thread="I cannot read this conversation here. Please paste the messages below your request, one a line.",
    too_many="That is {there} messages; I take at most {limit} at once. Please send them in parts.",
    too_long="That is {there} characters of text; I take at most {limit} at once. Please send it in parts.",
    cut="Of messages longer than {limit} characters I read the beginning.",
    one_mood="**{mood}** ({score}, on a scale from -1 to +1).",
    many_moods="{all} messages: {positive} positive, {neutral} neutral, {negative} negative. "
    "On the whole: **{mood}** (mean {score}, from -1 to +1).",
    moods=MappingProxyType({"positive": "positive", "neutral": "neutral", "negative": "negative"}),
    how_moods="Read from the words and their nearness to plainly good or bad sentences: about five in six were right "
    "on our own test messages, yours may differ, and irony is not noticed.",
    by_model="Judged by the model.",
    under=Counted("{n} message under {labels}: {counts}.", "{n} messages under {labels}: {counts}."),
    labels=Counted("{n} label", "{n} labels"),
    unsure="“?” marks a close call, or a message that is not near its label.",
    no_label="not told",
    how_labels="Matched by meaning with the names of the labels, without training: look over what matters.",
    found=Counted("{n} message falls into {themes}:", "{n} messages fall into {themes}:"),
    themes=Counted("{n} theme", "{n} themes"),
    unnamed="Theme {number}",
    how_groups="The themes were found by likeness, and their names are their commonest words.",
    by_characters="The embedding model here reads no Japanese: those messages were compared by their characters, which is rough.",
    more_rows="The first {shown} rows of {all}.",
    attached="All rows are in {file}.",
    columns=MappingProxyType(
        {"author": "Author", "message": "Message", "mood": "Mood", "score": "Score", "label": "Label", "theme": "Theme",
         "count": "Messages", "example": "Examples"}
    ),
)  # fmt: skip

JAPANESE = AnalystWords(
    reading="メッセージを読んでいます（{done}/{all}件）",
    judging="メッセージを判定しています（{done}/{all}件）",
    grouping="テーマを探しています",
    nothing="どのメッセージのことでしょうか。依頼の下に1行に1件ずつ書くか、CSV、XLSX、テキストのファイルを添付するか、対象のスレッドの中で依頼してください。",
    no_thread="ここでは会話を読み取れません。依頼の下に、メッセージを1行に1件ずつ貼り付けてください。",
    too_many="メッセージが{there}件あります。一度に扱えるのは{limit}件までです。分けて送ってください。",
    too_long="文章が{there}文字あります。一度に扱えるのは{limit}文字までです。分けて送ってください。",
    cut="{limit}文字を超えるメッセージは、冒頭だけを読みました。",
    one_mood="**{mood}**（{score}、-1から+1の尺度）。",
    many_moods="全{all}件：肯定的{positive}件、中立{neutral}件、否定的{negative}件。全体としては**{mood}**です（平均{score}、-1から+1）。",
    moods=MappingProxyType({"positive": "肯定的", "neutral": "中立", "negative": "否定的"}),
    how_moods="感情を表す言葉から読み取りました。当方の確認用メッセージでは6件のうち5件ほどが合いました（結果は文章によって変わります）。皮肉は読み取れません。",
    by_model="モデルが判定しました。",
    under=Counted("全{n}件を{labels}に分けました：{counts}。", "全{n}件を{labels}に分けました：{counts}。"),
    labels=Counted("{n}種類", "{n}種類"),
    unsure="「?」は判断が割れたもの、またはラベルとの近さが弱いものです。",
    no_label="判定できず",
    how_labels="学習なしで、ラベル名との意味の近さで分けました。重要なものは確認してください。",
    found=Counted("全{n}件は{themes}に分かれました。", "全{n}件は{themes}に分かれました。"),
    themes=Counted("{n}つのテーマ", "{n}つのテーマ"),
    unnamed="テーマ{number}",
    how_groups="似たもの同士をまとめ、よく出る言葉をテーマの名前にしました。",
    by_characters="ここの埋め込みモデルは日本語を読めないため、日本語は文字の重なりで比べました。目安としてご覧ください。",
    more_rows="全{all}行のうち、最初の{shown}行です。",
    attached="すべての行は{file}にあります。",
    columns=MappingProxyType(
        {"author": "発言者", "message": "メッセージ", "mood": "感情", "score": "値", "label": "ラベル", "theme": "テーマ",
         "count": "件数", "example": "例"}
    ),
)  # fmt: skip

_BY_LANGUAGE: Mapping[Language, AnalystWords] = MappingProxyType({"en": ENGLISH, "ja": JAPANESE})


def analyst_words(language: Language) -> AnalystWords:
    """Give the sentences of one language."""
    return _BY_LANGUAGE[language]
