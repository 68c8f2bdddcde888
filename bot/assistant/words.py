"""Rolecall's own sentences, in the language of the question. Every fixed word that a person reads in an answer is here.

Only the editor's are in editor_words.py. "Not found" and "may not be seen" are the same words: nothing here tells a
reader that a hidden document exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.language import Language


@dataclass(frozen=True, slots=True)
class Words:
    """One language's sentences; `abilities` says what each tool does for a person, `examples` what one could ask it.

    Places to fill: `{what}` and `{tool}` in not_granted and not_installed, `{id}` in failed, `{files}` in files_unread,
    `{labels}` in help_documents, `{example}` in help_example, `{id}` in gave_up,
    `{number}` and `{what}` in steps, `{size}` and `{limit}` in question_too_long and message_too_long.
    """

    not_found: str
    question_too_long: str
    message_too_long: str
    no_access: str
    access_changed: str
    not_granted: str
    not_installed: str
    offers: str
    offers_nothing: str
    too_many_steps: str
    unclear: str
    failed: str
    busy: str
    slow: str
    model_away: str
    documents_away: str
    gave_up: str
    forgotten: str
    stopped: str
    files_unread: str
    thinking: str
    steps: str
    searching: str
    reading: str
    writing: str
    greeting: str
    thanks: str
    goodbye: str
    wellbeing: str
    help_intro: str
    help_documents: str
    help_no_documents: str
    help_mixed: str
    help_example: str
    help_outro: str
    list_separator: str
    abilities: Mapping[str, str]
    examples: Mapping[str, str]


ENGLISH = Words(
    not_found="I found nothing about that in the documents I can use here.",
    question_too_long="That is too long for a question: it has {size} characters, and I can search with {limit} at most. "
    "Please ask it in fewer words.",
    message_too_long="That message is too long for me: it has {size} characters, and I read {limit} at most. "
    "Please send less, or put the text into a file.",
    no_access="I'm sorry, I can't answer here: nothing has been opened for you in this place. "
    "If that is a mistake, please ask the people who run this assistant.",
    access_changed="Who may read this changed while I was answering, so I am not posting it. Please ask again.",
    not_granted="I can't {what} for you: your role does not include that tool (`{tool}`).",
    not_installed="I can't {what} here: that tool (`{tool}`) is not part of this installation.",
    offers="What I can do for you:",
    offers_nothing="No other tool is open to you either; the people who run this assistant can change that.",
    too_many_steps="I stopped: this took more steps than one request may take. Please ask for one thing at a time.",
    unclear="I am not sure what you would like me to do. Could you say it in another way?",
    failed="Something went wrong. Please try again; if it happens again, report error {id}.",
    busy="I have more from you than I may take on at once, so I left this one out. Please ask it again in a minute.",
    slow="This is taking longer than usual. Your question is kept, and the answer will appear here.",
    model_away="The model cannot be reached at the moment. Your question is kept, and the answer will appear here.",
    documents_away="The documents cannot be searched at the moment. "
    "Your question is kept, and the answer will appear here.",
    gave_up="I'm sorry, I could not answer this. Please ask again later; if it happens again, report error {id}.",
    stopped="Stopped.",
    forgotten="I have forgotten what was said in this conversation. Nothing of it will be used again.",
    files_unread="I could not read:\n{files}",
    thinking="Thinking about what to do",
    steps="Step {number}: {what}",
    searching="Searching the documents",
    reading="Reading what I found",
    writing="Writing the answer",
    greeting="Hello! Ask me a question, or ask what I can do for you.",
    thanks="You're welcome!",
    goodbye="Goodbye!",
    wellbeing="All is well here, thank you. What can I look up for you?",
    help_intro="I am an assistant for work. For you, here, I can:",
    help_documents="I answer from documents labelled {labels}, and I name the source of each answer.",
    help_no_documents="There are no documents that everybody who reads along here may see.",
    help_mixed="I answer from the documents that everybody who reads along here may see, and I name my sources.",
    help_example="for example: {example}",
    help_outro="In a shared room I use only what everybody there may read; what only you may see comes to you in private.",
    list_separator=", ",
    abilities=MappingProxyType(
        {
            "search_documents": "answer questions from your company's documents",
            "write_code": "write and run code",
            "debug_code": "find and fix errors in code",
            "summarize": "summarize a thread, a file or a long text",
            "translate": "translate text",
            "draft": "draft and rephrase messages",
            "sentiment": "read the mood of messages",
            "classify": "sort messages into categories or themes",
        }
    ),
    examples=MappingProxyType(
        {
            "search_documents": "“How many days of leave do new employees get?”",
            "write_code": "“Write a Python function that adds up the totals by cost centre.”",
            "debug_code": "“Why does this script stop with a KeyError?”",
            "summarize": "“Summarize this thread in three sentences.”",
            "translate": "“Translate this into Japanese: the gate has changed.”",
            "draft": "“Draft a polite reply that says the delivery will be late.”",
            "sentiment": "“Are these passenger comments positive or negative?”",
            "classify": "“Sort these tickets into billing, technical and other.”",
        }
    ),
)

JAPANESE = Words(
    not_found="ここで使える文書の中には、該当する記載が見つかりませんでした。",
    question_too_long="質問としては長すぎます。{size}文字ありますが、検索に使えるのは{limit}文字までです。短い言葉で質問してください。",
    message_too_long="メッセージが長すぎます。{size}文字ありますが、一度に読めるのは{limit}文字までです。短くするか、ファイルで送ってください。",
    no_access="申し訳ありませんが、ここではお答えできません。この場所であなたが利用できるものがまだ設定されていません。"
    "心当たりがない場合は、このアシスタントの管理者にお問い合わせください。",
    access_changed="回答の作成中に閲覧権限が変わったため、投稿を取りやめました。もう一度質問してください。",
    not_granted="申し訳ありませんが、{what}ことはできません。あなたのロールではこの機能（`{tool}`）を利用できません。",
    not_installed="申し訳ありませんが、{what}ことはできません。この環境にはその機能（`{tool}`）がありません。",
    offers="次のことならお手伝いできます。",
    offers_nothing="ほかに利用できる機能もありません。必要な場合は、このアシスタントの管理者にご相談ください。",
    too_many_steps="一つの依頼に使える手順の上限に達したため、中断しました。依頼を一つずつに分けてください。",
    unclear="ご依頼の内容をうまく読み取れませんでした。別の言い方で教えていただけますか。",
    failed="エラーが発生しました。もう一度お試しください。続く場合はエラー番号 {id} をお知らせください。",
    busy="一度にお受けできる件数を超えたため、この質問は受け付けませんでした。1分ほどしてからもう一度お送りください。",
    slow="通常より時間がかかっています。質問は保管してあり、回答はここに表示されます。",
    model_away="現在モデルに接続できません。質問は保管してあり、回答はここに表示されます。",
    documents_away="現在文書を検索できません。質問は保管してあり、回答はここに表示されます。",
    gave_up="申し訳ありませんが、お答えできませんでした。後ほどもう一度質問してください。"
    "続く場合はエラー番号 {id} をお知らせください。",
    stopped="中止しました。",
    forgotten="この会話の内容を忘れました。今後の回答には使いません。",
    files_unread="次のファイルは読めませんでした。\n{files}",
    thinking="進め方を考えています",
    steps="手順{number}：{what}",
    searching="文書を検索しています",
    reading="見つかった文書を読んでいます",
    writing="回答を書いています",
    greeting="こんにちは。ご質問をどうぞ。「何ができますか」と聞いていただいてもかまいません。",
    thanks="どういたしまして。",
    goodbye="それでは、失礼します。",
    wellbeing="おかげさまで順調です。何をお調べしましょうか。",
    help_intro="業務のためのアシスタントです。ここでは、次のことをお手伝いできます。",
    help_documents="{labels} のラベルが付いた文書をもとに、出典を示してお答えします。",
    help_no_documents="ここには、参加者全員が閲覧できる文書がありません。",
    help_mixed="ここの参加者全員が閲覧できる文書をもとに、出典を示してお答えします。",
    help_example="例：{example}",
    help_outro="共有のルームでは全員が閲覧できる内容だけを使い、あなただけが閲覧できる内容は個別にお送りします。",
    list_separator="、",
    abilities=MappingProxyType(
        {
            "search_documents": "社内の文書をもとに質問に答える",
            "write_code": "コードを書いて実行する",
            "debug_code": "コードの誤りを見つけて直す",
            "summarize": "スレッド、ファイル、長い文章を要約する",
            "translate": "文章を翻訳する",
            "draft": "文面を作成し、書き直す",
            "sentiment": "メッセージの感情を読み取る",
            "classify": "メッセージを分類し、テーマごとにまとめる",
        }
    ),
    examples=MappingProxyType(
        {
            "search_documents": "「新入社員の有給休暇は何日ですか」",
            "write_code": "「部門ごとに合計を出すPythonの関数を書いて」",
            "debug_code": "「このスクリプトがKeyErrorで止まるのはなぜ？」",
            "summarize": "「このスレッドを3文で要約して」",
            "translate": "「これを英語に訳して：搭乗口が変更になりました」",
            "draft": "「納品が遅れることを丁寧に伝える返信を書いて」",
            "sentiment": "「これらのお客様の声は好意的ですか、否定的ですか」",
            "classify": "「この問い合わせを請求、技術、その他に分けて」",
        }
    ),
)

_BY_LANGUAGE: Mapping[Language, Words] = MappingProxyType({"en": ENGLISH, "ja": JAPANESE})


def words(language: Language) -> Words:
    """Give the sentences of one language."""
    return _BY_LANGUAGE[language]
