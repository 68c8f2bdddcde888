"""The door's own few words, in the language of what they stand beside."""

from __future__ import annotations

from dataclasses import dataclass

from bot.language import Language


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's. Places to fill: `{room}` in asked_in, `{text}` in asked, `{page}` in page."""

    asked_in: str
    asked_here: str
    page: str
    good: str
    bad: str
    why: str
    why_hint: str
    send: str
    cancel: str
    thanks: str
    on_it: str
    on_it_shortcut: str
    not_taken: str
    summarize: str
    translate: str
    explain: str
    home_use: str
    home_read: str
    home_read_nothing: str
    home_recent: str
    home_none: str
    home_how: str
    home_how_text: str
    you_are: str
    roles: str
    nothing_open: str
    prompts: str


ENGLISH = Phrases(
    asked_in="You asked in {room}. This is for you alone:",
    asked_here="This is for you alone:",
    page="p. {page}",
    good="Helpful",
    bad="Not helpful",
    why="What was wrong?",
    why_hint="Wrong, incomplete, outdated, hard to read ...",
    send="Send",
    cancel="Cancel",
    thanks="Thank you.",
    on_it="On it. The answer comes to your direct messages with me.",
    on_it_shortcut="On it. The answer comes here.",
    not_taken="You have asked more than I may take on at once. Please try again in a minute.",
    summarize="Summarize this thread",
    translate="Translate this",
    explain="Explain this",
    home_use="What you may use",
    home_read="What you may read",
    home_read_nothing="No documents are open to you.",
    home_recent="What you asked last",
    home_none="Nothing yet.",
    home_how="How to ask",
    home_how_text="Write to me under *Messages*, mention me in a channel, or use `/rolecall` anywhere to ask privately. "
    "In the menu of a message you find *Summarize thread*, *Translate* and *Explain this*. "
    "In a shared room I use only what everybody there may read.",
    you_are="You are",
    roles="Your roles",
    nothing_open="Nothing is open to you here",
    prompts="You could ask",
)
JAPANESE = Phrases(
    asked_in="{room} でのご質問について、あなただけにお送りします。",
    asked_here="あなただけにお送りします。",
    page="{page}ページ",
    good="役に立った",
    bad="役に立たなかった",
    why="どこが問題でしたか",
    why_hint="誤り、不足、古い情報、読みにくいなど",
    send="送信",
    cancel="キャンセル",
    thanks="ありがとうございます。",
    on_it="承りました。回答はダイレクトメッセージでお送りします。",
    on_it_shortcut="承りました。回答はここにお送りします。",
    not_taken="一度にお受けできる件数を超えました。1分ほどしてからもう一度お試しください。",
    summarize="このスレッドを要約して",
    translate="これを翻訳して",
    explain="これを説明して",
    home_use="利用できる機能",
    home_read="閲覧できる文書",
    home_read_nothing="閲覧できる文書はありません。",
    home_recent="最近の質問",
    home_none="まだありません。",
    home_how="質問のしかた",
    home_how_text="*メッセージ* タブで話しかけるか、チャンネルでメンションするか、`/rolecall` で個別に質問してください。"
    "メッセージのメニューから、スレッドの要約、翻訳、説明も頼めます。"
    "共有の場では、その場の全員が閲覧できる内容だけを使います。",
    you_are="あなた",
    roles="ロール",
    nothing_open="ここで利用できるものはありません",
    prompts="質問の例",
)


def phrases(language: Language) -> Phrases:
    """Give the words of one language."""
    return JAPANESE if language == "ja" else ENGLISH
