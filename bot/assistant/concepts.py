"""What words mean to the router, the same in English and Japanese: so what it learns in one language serves the other.

A concept says nothing about a tool. Which concepts together mean which tool is learnt from examples.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_PATTERNS = {
    "summary": r"summar|\bsum (this|it|these|that|the|up|of)\b|\bsum\b.*\bup\b|tl;?dr|too long|\bkey (point|fact|message)|main (point|takeaway|idea|message)s?|takeaway|highlight"
    r"|\bgist\b|essence|essential|recap|digest|\bminutes\b|condense|compress|boil|\bbrief(ly)?\b|in (short|brief|a nutshell)|nutshell|bottom line"
    r"|overview|abstract\b|action items|catch me up|up to speed|fill me in|\b(i|we|did i) miss(ed)?\b|short version|what happened[?.]?$"
    r"|要約|要点|概要|まとめ|かいつまんで|手短|ダイジェスト|議事録|ポイント|趣旨|ハイライト|振り返|要するに|一言で|簡潔|短く|縮めて|抜き出|結論|あらまし|話の流れ|サマリ|要旨|書き起こし|文字起こし",
    "translation": r"translat|\brender\b|\b(in|to|into)(to)? (english|japanese|french|german|spanish|italian|korean|chinese|thai|portuguese|dutch)\b|\bbilingual"
    r"|(english|japanese|french|german|spanish|italian|korean|chinese|thai) (version|translation|for|word)|\bhow (do|would) (you|i|\w+) (say|write)\b|\bsay\b.*\bin\b"
    r"|\b(to|into) (en|ja)\b|翻訳|英訳|和訳|訳し|訳す|訳を|訳は|訳文|対訳|英文に|英語(で|に|版|に?する|では)|日本語(で|に|版|では)|(中国|韓国|フランス|ドイツ|スペイン|タイ|イタリア)語(で|に|版|では)|併記",
    "language": r"\b(english|japanese|french|german|spanish|italian|korean|chinese|thai|portuguese|dutch|languages?)\b"
    r"|英語|日本語|中国語|韓国語|フランス語|ドイツ語|スペイン語|イタリア語|タイ語|英文|和文|言語",
    "feeling": r"sentiment|\bmoods?\b|\btone\b|emotion|\bfeel(s|ing|ings)?\b|\b(angry|anger|happy|unhappy|upset|annoyed|annoying|pleased|disappointed|satisfied|frustrated|stressed|worried"
    r"|sarcastic|rude|aggressive|friendly|favou?rable|attitude|atmosphere|furious|enthusiastic|irritated)\b|positive|negative|\bneutral\b|good or bad|\bpos\b|\bneg\b|opinion"
    r"|感情|気持ち|気分|雰囲気|ムード|トーン|怒っ|怒り|不満|満足|がっかり|苛立|好意的|否定的|肯定的|ポジティブ|ネガティブ|ポジネガ|皮肉|空気|失礼に|印象|口調|喜んで|悲しん|反応|感じて|センチメント|良い(評価|口コミ)|悪い(評価|口コミ)",
    "grouping": r"classif|categor|\bsort (this|these|the|into|my|it|them|each|all|by|those)\b|\bsort\b.*\binto\b|\bgroup(s|ed|ing)?\b|cluster|\btag\b|\blabels?\b|\btriage|\bbucket|\broute\b|\btopics?\b|\bthemes?\b|\bdivide\b|\bsplit\b|\bseparate\b|\bdistinguish"
    r"|\bassign\b|\borgani[sz]e\b|\bbelong|which (department|team|class|type|kind|category|of the labels)|urgent|\bpriorit|\bspam\b|recurring|\bclasses\b|fact or"
    r"|分類|カテゴリ|グループ|クラスタ|タグ|ラベル|仕分け|振り分け|トピック|テーマ|話題|種類|分けて|分けると|分け方|どの部署|どの担当|優先度|緊急|迷惑メール|整理して|別に|当てはまる|該当する",
    "code": r"\bcod(e|ing)\b|\bscripts?\b|\bfunctions?\b|\bprograms?\b|python|javascript|typescript|\bjava\b|\bsql\b|\bquery\b|regex|regular expression|\bbash\b|shell|powershell|\bawk\b|\bsed\b"
    r"|\bmacro\b|\bvba\b|excel formula|\bformula\b|pandas|dataframe|\bapi\b|\bclass(es)?\b that|\bmodule\b|snippet|docker|\bjson\b|\byaml\b|\bcsv\b|\brust\b|\bgo function\b|c\+\+|c#|\bcron|terraform"
    r"|unit tests?|pytest|docstring|type hints?|\bloop\b|variable|compiler?|\bgit(hub)?\b|\bhtml\b|\bcss\b|algorithm|\bendpoint\b|\bone-?liner\b|interface\b|binary search|quicksort"
    r"|コード|スクリプト|関数|プログラム|クエリ|正規表現|シェル|マクロ|数式|単体テスト|このクラス|クラスを|クラスに|変数|型ヒント|ループ|コンパイル|内包表記|実装|スニペット|モジュール|データフレーム|コマンド|アルゴリズム",
    "fault": r"\bbugs?\b|debug|\berrors?\b|exception|traceback|stack ?trace|crash|\bfail(s|ed|ing|ure)?\b|\bfix(ed|es)?\b|broken|\bwrong\b|does ?n[o']t work|\bdoesn't\b|mistake|repair|syntax|undefined"
    r"|\bnan\b|null ?pointer|segmentation|\bnever ends\b|\boff-by-one\b|out of range|complains|\bdies?d?\b|\bstops\b|why (is|does|do|am|did) (this|my|it|i)\b|\bnot defined\b|unexpected|\bto work\b"
    r"|バグ|エラー|例外|デバッグ|不具合|直して|直す|直せ|修正|落ち(る|ま)|動か(な|ず)|動きません|失敗|間違|おかしい|原因|止ま(る|り)|終わりません|通りません|合いません|トレースバック|解消|\w+(error|exception)",
    "make": r"\bwrite\b|\bcreate\b|\bgenerate\b|\bmake\b|\bbuild\b|\bimplement\b|\bproduce\b|\bdevelop\b|\bcompose\b|\bdraft\b|\bprepare\b|\bcode (a|me|up)\b|\bprogram (a|me)\b|\bgive me (a|an|some|sql|the sql)\b"
    r"|\bneed an? |\bcome up with\b|\bput together\b|\bformulate\b|\bdesign\b|\bsuggest\b|\boutline\b|書い(て|た)|書き(たい|方)|作っ(て|た)|作成|作り(たい|方)|生成|考えて|実装して|起草|お願い|ほしい|欲しい|用意して",
    "run": r"\brun\b|\bexecute\b|\bcompute\b|\bcalculate\b|\bsimulat|\bplot\b|実行|計算|シミュレーション|グラフ|プロット|走らせ",
    "rework": r"\brefactor|\brewrite\b|\bconvert\b|\bport\b|\bextend\b|\bturn (this|it|the|these)|\badd\b.*\bto (this|it)\b|\bfaster\b|\bmake (this|it|my)\b|\bchange\b|書き換え|書き直|変換|追加して|リファクタ|置き換え",
    "message": r"\be-?mails?\b|\bmails?\b|\bletters?\b|\breply\b|\brespond\b|\banswer\b|\bmessages?\b|\bannouncement\b|\bmemo\b|\binvitation\b|\bnote\b|\bspeech\b|\bpress release\b|\bpost\b|\bnewsletter\b"
    r"|\breminder\b|\bapology\b|\btemplate\b|\bagenda\b|\bslogan\b|\badvert|\bpresentation\b|\bcard\b|\bdescription\b|\brecommendation\b|\bsubject lines?\b|\bparagraph\b|\bsentence\b|\btext\b|\bcomplaint\b"
    r"|メール|返信|返事|返答|手紙|文面|お知らせ|案内|挨拶|詫び|礼状|文章|草案|招待|メッセージ|通知|ひな形|スピーチ|プレスリリース|督促|推薦状|通達|議題|案を|文を",
    "wording": r"re-?phrase|re-?word|\bword(ing)?\b|polite|formal|professional|diplomatic|friendl(y|ier)|nicer|\bgrammar\b|spelling|typos?\b|proofread|polish|\bstyle\b|\bimprove\b|\bphrase\b|\bsound\b|harsh|shorter"
    r"|simpler|understand(s|able)?\b|my english|\bedit\b|\bcorrect\b|丁寧|敬語|言い換え|言い方|柔らか|校正|誤字|脱字|文法|自然な|読みやすく|添削|表現|書き直|推敲|失礼のない",
    "this": r"\bthis\b|\bthese\b|\bbelow\b|\bfollowing\b|\battached\b|\babove\b|\bthe last message\b|\bhere\b|\bthread\b|\bchannel\b|\bconversation\b|\bdiscussion\b|\btranscript\b|\bchat\b"
    r"|この|これ|次の|以下|上の|添付|下記|スレッド|チャンネル|会話|やり取り|議論|最後のメッセージ",
    "feedback": r"\bcomments?\b|\breviews?\b|\bfeedback\b|\btickets?\b|\btweets?\b|\bsurvey answers\b|\bcomplaints?\b|\bsuggestions?\b|\bideas\b|\binbox\b|\breactions?\b"
    r"|コメント|レビュー|フィードバック|チケット|お客様の声|問い合わせ|アンケート|口コミ|意見|苦情|要望|感想|提案|不満|クレーム",
    "mine": r"\bmy (code|script|function|query|program|build|regex|macro|loop|test|container|import|json|cron)|私の(コード|プログラム|スクリプト)",
    "greeting": r"^(hi|hello|hey|good (morning|afternoon|evening|night)|howdy|yo)\b|nice to (meet|see)|\bhow are you|how('s| is) it going|\bbye\b|see you|good ?bye|weekend!|new year!"
    r"|^(こんにちは|こんばんは|おはよう|はじめまして|お疲れ|やあ|もしもし|さようなら|失礼)|元気|調子は|また明日|ではまた|週末を|よろしく",
    "thanks": r"\bthank(s| you)|\bthx\b|\bcheers\b|appreciated|\bgreat\b|perfect|helpful|good job|well done|impressive|awesome|\bnice\b|ありがと|助かり|感謝|すごい|役に立ち|素晴らし",
    "bot": r"\byou(r|rself)?\b|\b(an? )?(bot|ai|robot|human|assistant)\b|あなた|ロボット|\bai\b|アシスタント|君は",
    "ability": r"what (can|do|could) you|what (can|could|may) i (ask|use)|(are|were) you able|how (can|could) you help|\bcapabilit|\bfeatures?\b|which tools|kinds? of (questions|things)|sorts? of (questions|things)"
    r"|^(please )?help$|\bpermissions?\b|何ができ|できること|できます(か)?$|使い方|ヘルプ|機能|何を(手伝|聞)|どんなこと|どうやって使|使えば",
    "company": r"\b(policy|policies|manual|handbook|procedure|guideline|rules?|regulation|allowance|deadline|limit|cost cent(er|re)|annual report|contract|mel\b|minimum equipment|expenses?|revenue|profit|leave|holidays?"
    r"|insurance|department|employees?|staff|fleet|aircraft|training|badge|budget|supplier|shift|bonus|pension|salary|standard|approval|access|interval|per diem)"
    r"|規程|規定|規則|手順|マニュアル|休暇|経費|出張|手当|締め切り|期限|上限|申請|予算|売上|収入|利益|費用|契約|社員|従業員|整備|点検|機材|研修|給与|賞与|部門|制度|保険|承認|許可|取引先|会社|社内|限度",
    "where": r"^(who|where|when|which|how (much|many|long|often|high|old|far|soon))\b|^(is|are|do|does|did|was|were|can|may|must|should|am|has|have) (there|it|the|we|our|i|my|a|an|any|interns|part)"
    r"|誰(が|です|に|は)|どこ|いつ|いくら|何(日|時|度|年|人|件|点|か国|回|パーセント|分|歳|キロ|色)|どのくらい|どれくらい|ありますか|でしょうか$|いくつ",
    "find": r"^(find|look up|search|show|list|check|locate|tell me|explain|define|compare|give me the|what('s| is| are| was| were) (the|our))\b|探して|調べ|教えて|確認し|知りたい|とは何|について|見せて|説明して|比べて",
}
_COMPILED: Mapping[str, re.Pattern[str]] = MappingProxyType({name: re.compile(p) for name, p in _PATTERNS.items()})


def concepts(text: str) -> list[str]:
    """The concepts that a text mentions, in the order of their first mention. `text` is NFKC and casefolded."""
    found = ((match.start(), name) for name, pattern in _COMPILED.items() if (match := pattern.search(text)))
    return [name for _, name in sorted(found)]
