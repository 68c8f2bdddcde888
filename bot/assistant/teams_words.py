"""What Rolecall says in Teams and nowhere else, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.language import Language


@dataclass(frozen=True, slots=True)
class TeamsWords:
    """One language's sentences.

    Places to fill: `{names}` in only_private, `{document}` and `{who}` in read_by, `{language}` in translate_this.
    """

    sources: str
    more_sources: str
    who_reads: str
    read_by: str
    nobody: str
    admins_only: str
    cannot_write: str
    only_private: str
    file_offered: str
    file_failed: str
    welcome: str
    welcome_room: str
    in_our_chat: str
    cannot_open: str
    not_yours: str
    into_which: str
    translate: str
    summarize_this: str
    explain_this: str
    translate_this: str
    own_language: str


ENGLISH = TeamsWords(
    sources="Sources",
    more_sources="More sources:",
    who_reads="Who can read this?",
    read_by="{document}: {who}",
    nobody="nobody",
    admins_only="Only those who run this assistant can ask that.",
    cannot_write="I answer some things in private, but I cannot write to you: "
    "please add me to your personal apps in Teams and ask again.",
    only_private="I can hand over {names} only in a personal chat: please ask me there.",
    file_offered="A file that goes with my answer",
    file_failed="The file could not be put into your OneDrive. Please ask for it again.",
    welcome="Hello! Write to me here whenever you have a question. Nobody else sees what we say.",
    welcome_room="Hello! Mention me when you have a question. Here I use only what everybody in this place may read.",
    in_our_chat="I am answering in our personal chat.",
    cannot_open="I cannot write to you: please add me to your personal apps in Teams and try again.",
    not_yours="Nothing has been opened for you here.",
    into_which="Into which language?",
    translate="Translate",
    summarize_this="Summarize this message.",
    explain_this="Explain this message.",
    translate_this="Translate this message into {language}.",
    own_language="English",
)

JAPANESE = TeamsWords(
    sources="出典",
    more_sources="その他の出典：",
    who_reads="誰が閲覧できますか",
    read_by="{document}：{who}",
    nobody="閲覧できる人はいません",
    admins_only="これを確認できるのは、このアシスタントの管理者だけです。",
    cannot_write="個別にお返事することがありますが、あなたにメッセージを送れません。"
    "Teamsで私を個人用アプリに追加してから、もう一度質問してください。",
    only_private="{names} は個人チャットでのみお渡しできます。そちらでご依頼ください。",
    file_offered="回答に付いているファイルです",
    file_failed="ファイルをOneDriveに保存できませんでした。もう一度ご依頼ください。",
    welcome="こんにちは。ご質問があれば、いつでもここに書いてください。やり取りはほかの人には見えません。",
    welcome_room="こんにちは。ご質問のときは私をメンションしてください。ここでは全員が閲覧できる内容だけを使います。",
    in_our_chat="個人チャットでお答えします。",
    cannot_open="あなたにメッセージを送れません。Teamsで私を個人用アプリに追加してから、もう一度お試しください。",
    not_yours="あなたが利用できるものがまだ設定されていません。",
    into_which="どの言語に訳しますか",
    translate="翻訳",
    summarize_this="このメッセージを要約して。",
    explain_this="このメッセージを説明して。",
    translate_this="このメッセージを{language}に訳して。",
    own_language="日本語",
)

_BY_LANGUAGE: Mapping[Language, TeamsWords] = MappingProxyType({"en": ENGLISH, "ja": JAPANESE})


def teams_words(language: Language) -> TeamsWords:
    """Give the sentences of one language."""
    return _BY_LANGUAGE[language]
