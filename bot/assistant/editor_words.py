"""The editor's own sentences, in the language of the request; the others are in words.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.assistant import words
from bot.language import Language


@dataclass(frozen=True, slots=True)
class EditorWords:
    """One language's sentences.

    Places to fill: `{done}` and `{total}` in part; `{size}` and `{limit}` in too_long; `{count}` and `{people}` in
    from_thread; `{language}` in the sentences about translation, with `{known}` in unknown_language; `{missing}` in
    draft_missing; `{request}` in draft_open.
    """

    part: str
    summarizing: str
    translating: str
    drafting: str
    too_long: str
    nothing_to_summarize: str
    nothing_to_translate: str
    nothing_to_draft: str
    thread_unread: str
    from_thread: str
    summary_untranslated: str
    which_language: str
    unknown_language: str
    already_in: str
    model_too_small: str
    translation_failed: str
    left_as_it_was: str
    draft_in_frame: str
    draft_untranslated: str
    draft_of_found: str
    draft_found_untranslated: str
    rephrase_too_small: str
    rephrase_failed: str
    draft_missing: str
    draft_open: str
    unchanged: str


ENGLISH = EditorWords(
    part="Part {done} of {total}",
    summarizing="Summarizing",
    translating="Translating",
    drafting="Writing a draft",
    too_long="That is too long for me: it has {size} characters, and I can take {limit} at once. Please send less, or in parts.",
    nothing_to_summarize="I have nothing to summarize. Paste the text, attach a file, ask in the thread that you mean, "
    "or name a document.",
    nothing_to_translate="I have nothing to translate. Paste the text behind your request, or attach it as a file.",
    nothing_to_draft="Tell me what the text is to say, or paste the text that I am to rephrase.",
    thread_unread="I cannot read the messages of this place, and nothing of it is remembered. "
    "Paste what I am to work on, please.",
    from_thread="From {count} messages by {people}.",
    summary_untranslated="Note: I could not put this into {language} reliably, so it stands as the material has it.",
    which_language="Into which language? For example: “Translate this into Japanese: …”",
    unknown_language="I do not know {language} well enough to check a translation. The languages I know are: {known}.",
    already_in="This is in {language} already:",
    model_too_small="The language model of this installation is too small to translate into {language} reliably, "
    "so I would rather not invent a translation. Whoever runs this assistant can name a bigger model.",
    translation_failed="I could not translate this into {language} reliably: numbers, names or links did not come through "
    "as they were, so I am not showing it. A shorter text may work.",
    left_as_it_was="Note: paragraphs that I could not translate reliably stand as they were.",
    draft_in_frame="Note: these are your own points in a letter's frame: "
    "the language model of this installation is too small to write freely.",
    draft_untranslated="Note: I could not put your points into {language} reliably, so they stand as you wrote them.",
    draft_of_found="Note: these are sentences of the documents in a letter's frame: "
    "the language model of this installation is too small to write freely.",
    draft_found_untranslated="Note: I could not put them into {language} reliably, so they stand as the documents have them.",
    rephrase_too_small="The language model of this installation is too small to rephrase this reliably. "
    "I can shorten it (“shorter”), or set it into a letter (“draft a polite letter: …”).",
    rephrase_failed="I could not rephrase this without changing numbers, names or links, so I am not showing it.",
    draft_missing="Please check: of your request, {missing} did not get into the draft.",
    draft_open="Note: what the text is to say is left open in square brackets: I could not tell it from “{request}”, "
    "and the language model of this installation is too small to write freely. "
    "Put it behind a colon: “Draft a reply: we received your application.”",
    unchanged="Note: nothing is changed: I shorten by leaving out sentences, this is a single one, "
    "and the language model of this installation is too small to say it in other words.",
)

JAPANESE = EditorWords(
    part="{total}件中{done}件目",
    summarizing="要約しています",
    translating="翻訳しています",
    drafting="文面を作成しています",
    too_long="長すぎるため処理できません。{size}文字ありますが、一度に扱えるのは{limit}文字までです。短くするか、分けて送ってください。",
    nothing_to_summarize="要約するものがありません。文章を貼り付けるか、ファイルを添付するか、対象のスレッドで依頼するか、文書名を指定してください。",
    nothing_to_translate="翻訳するものがありません。依頼に続けて文章を貼り付けるか、ファイルを添付してください。",
    nothing_to_draft="文面で伝えたい内容を書くか、書き直す文章を貼り付けてください。",
    thread_unread="この場所のメッセージを読むことができず、覚えている内容もありません。対象の文章を貼り付けてください。",
    from_thread="{people}による{count}件のメッセージから。",
    summary_untranslated="注：{language}に正確に訳せなかったため、原文のまま示しています。",
    which_language="どの言語に訳しますか。例：「これを英語に訳して：…」",
    unknown_language="{language}は、訳文を確かめられる言語ではありません。対応している言語：{known}。",
    already_in="すでに{language}です。",
    model_too_small="この環境の言語モデルは小さく、{language}へ正確に翻訳できないため、訳文を作ることは控えます。"
    "管理者がより大きなモデルを指定すれば翻訳できます。",
    translation_failed="{language}に正確に翻訳できませんでした。数字、名前、リンクのいずれかが元どおりに保たれなかったため、表示を控えます。"
    "短い文章であれば翻訳できることがあります。",
    left_as_it_was="注：正確に訳せなかった段落は原文のまま示しています。",
    draft_in_frame="注：この環境の言語モデルは小さく自由に書けないため、ご指定の内容を文面の枠に入れました。",
    draft_untranslated="注：{language}に正確に訳せなかったため、内容は原文のまま入れました。",
    draft_of_found="注：この環境の言語モデルは小さく自由に書けないため、文書の記載を文面の枠に入れました。",
    draft_found_untranslated="注：{language}に正確に訳せなかったため、文書の記載は原文のまま入れました。",
    rephrase_too_small="この環境の言語モデルは小さく、正確に書き換えることができません。"
    "短くすること（「短くして」）や、手紙の形に整えること（「丁寧な文面を書いて：…」）はできます。",
    rephrase_failed="数字、名前、リンクを保ったまま書き換えることができなかったため、表示を控えます。",
    draft_missing="ご確認ください。依頼にある {missing} が文面に入っていません。",
    draft_open="注：お伝えしたい内容を「{request}」から読み取れなかったため、角括弧のまま空けました。"
    "この環境の言語モデルは小さく自由に書けません。「返信を書いて：申込書を受け取りました」のように、コロンの後に書いてください。",
    unchanged="注：変更していません。短くするときは文を選びますが、これは一文だけで、この環境の言語モデルは小さく言い換えられません。",
)

_BY_LANGUAGE: Mapping[Language, EditorWords] = MappingProxyType({"en": ENGLISH, "ja": JAPANESE})


def editor_words(language: Language) -> EditorWords:
    """Give the sentences of one language."""
    return _BY_LANGUAGE[language]


_NOTES = re.compile(
    "|".join(re.escape(say.not_found) for say in (words.ENGLISH, words.JAPANESE))
    + "|"
    + "|".join(
        re.sub(r"\\\{\w+\\\}", ".+", re.escape(note))
        for say in _BY_LANGUAGE.values()
        for note in (
            say.nothing_to_summarize,
            say.nothing_to_translate,
            say.nothing_to_draft,
            say.too_long,
            say.thread_unread,
            say.which_language,
            say.summary_untranslated,
            say.unknown_language,
            say.already_in.rstrip(":"),
            say.model_too_small,
            say.translation_failed,
            say.left_as_it_was,
            say.draft_in_frame,
            say.draft_untranslated,
            say.draft_of_found,
            say.draft_found_untranslated,
            say.rephrase_too_small,
            say.rephrase_failed,
            say.draft_missing,
            say.draft_open,
            say.unchanged,
        )
    )
)


def without_notes(text: str) -> str:
    """An answer without the paragraphs in which we say how it was made, which are no material; empty if there are no others."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(one for one in paragraphs if not _NOTES.match(one))
