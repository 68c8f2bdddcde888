"""What the engineer says, in the language of the question. Every claim about a run is one of these sentences, filled by code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class CodeWords:
    """One language's sentences about code. The places to fill are named in each."""

    writing: str
    testing: str
    running: str
    reading: str
    mending: str
    tried: str
    round: str
    too_long: str
    nothing_given: str
    nothing_written: str
    lost: str
    here_is: str
    best_try: str
    breaks_off: str
    ran: str
    printed: str
    printed_nothing: str
    cut: str
    stopped: str
    at_line: str
    time: str
    no_table: str
    memory: str
    killed: str
    refused: str
    no_sandbox: str
    not_runnable: str
    log_says: str
    cause: str
    found: str
    readable: str
    unreadable: str
    checks_hold: str
    checks_partly: str
    checks_fail: str
    checks_unreached: str
    own_hold: str
    own_fail: str
    unchecked: str
    fine: str
    ask_expected: str
    change: str
    change_passes: str
    change_runs: str
    change_ends: str
    by_trial: str
    suggestion: str
    changed_ran: str
    error_gone: str
    after_prints: str
    unmended: str
    untried: str
    code_needed: str
    inexact: str


ENGLISH = CodeWords(
    writing="Writing the code",
    testing="Writing tests for it",
    running="Running it",
    reading="Looking for the fault",
    mending="Trying repairs",
    tried="Trying repairs: {tried} of at most {most} small changes",
    round="Round {number} of {most}",
    too_long="That is {size:,} characters; I read at most {most:,} of code and text at once. "
    "Please send only the part that matters.",
    nothing_given="I see no code and no error message. Please paste the code or the traceback, or attach the file.",
    nothing_written="I got no code together for this. Please say it in another way, or in smaller steps.",
    lost="I got no code together for this: what I wrote repeats itself. Please say it in another way, or in smaller steps.",
    here_is="Here is the code ({language}):",
    best_try="I got no working code together for this. My best try ({language}), which does not work:",
    breaks_off="I got no working code together for this. My best try ({language}), which breaks off before its end:",
    ran="I ran it ({language}, {seconds:.1f} s).",
    printed="It printed:",
    printed_nothing="It printed nothing.",
    cut="(The output was longer; this is its beginning.)",
    stopped="I ran it ({language}), and it stopped with an error{where}: {error}",
    at_line=" in line {line}",
    time="I ran it ({language}), and stopped it after {seconds:.0f} s: it did not come to an end.",
    no_table="I could only try it on an empty database, which has no table `{table}`: that it fits your tables was not checked.",
    memory="I ran it ({language}), and it was stopped: it needed more memory than a run may take.",
    killed="I ran it ({language}), and it was ended by the system{reason}.",
    refused="I did not run it: {reason}",
    no_sandbox="I did not run it: this installation has nowhere safe to run code.",
    not_runnable="I did not run it: I can run {languages} here, and this is {language}.",
    log_says="The error message says{where}: {error}",
    cause="Usual cause: {cause}",
    found="ruff, which reads the code without running it, finds:",
    readable="ruff, which reads the code without running it, finds no mistake.",
    unreadable="ruff could not check it: {reason}",
    checks_hold="I ran your {count} check(s) with it, and all hold. Nothing else was checked.",
    checks_partly="I ran the {count} check(s) that I could read from what you sent, and they hold. {unread} more thing(s) "
    "that you said should come out I could not read as a check, so they were not checked.",
    checks_fail="Your check(s) do not all hold with it{failed}.",
    checks_unreached="It did not come as far as your check(s).",
    own_hold="It passes {count} test(s) that I wrote myself, which show less than your own would.",
    own_fail="A test that I wrote myself fails: `{failed}`. Either the code or the test is wrong.",
    unchecked="That it runs does not show that its result is right: there was no example to check it against.",
    fine="I ran your code ({language}), and it ended without an error.",
    ask_expected='What should come out instead? With an example ("f(2) should be 4") I can check a repair.',
    change="This change mends it:",
    change_passes="This change makes your {count} check(s) pass:",
    change_runs="With this change the error is gone:",
    change_ends="With this change it comes to an end:",
    by_trial="I found it by changing one small thing at a time until they held. Few checks can hold by chance: please read it.",
    suggestion="A change that I suggest:",
    changed_ran="I ran the changed code ({language}, {seconds:.1f} s).",
    error_gone="Whether the result is right I cannot tell: there was no example to check it against.",
    after_prints="Your code as it was printed:",
    unmended="I tried {tried} change(s), and none of them made it work.",
    untried="I have no change to offer for it.",
    code_needed="I have run nothing: only the error message was there. With the code itself I can look for a repair.",
    inexact="Parts of the code look like links or mentions and are not shown as they are; the attached file is exact.",
)

JAPANESE = CodeWords(
    writing="コードを書いています",
    testing="テストを書いています",
    running="実行しています",
    reading="誤りを探しています",
    mending="修正を試しています",
    tried="修正を試しています（最大{most}件中{tried}件目まで）",
    round="{most}回中{number}回目",
    too_long="{size:,}文字あります。一度に読めるコードと文章は{most:,}文字までです。関係する部分だけを送ってください。",
    nothing_given="コードもエラーメッセージも見当たりません。コードかトレースバックを貼り付けるか、ファイルを添付してください。",
    nothing_written="コードにまとめられませんでした。別の言い方にするか、小さく分けて依頼してください。",
    lost="コードにまとめられませんでした。同じ行の繰り返しになりました。別の言い方にするか、小さく分けて依頼してください。",
    here_is="コードです（{language}）。",
    best_try="動くコードにまとめられませんでした。最も近い試み（{language}）ですが、動きません。",
    breaks_off="動くコードにまとめられませんでした。最も近い試み（{language}）ですが、途中で切れています。",
    ran="実行しました（{language}、{seconds:.1f}秒）。",
    printed="出力：",
    printed_nothing="出力はありませんでした。",
    cut="（出力はさらに続きます。ここは先頭部分です。）",
    stopped="実行したところ（{language}）、エラーで止まりました{where}：{error}",
    at_line="（{line}行目）",
    time="実行しましたが（{language}）、{seconds:.0f}秒で終わらなかったため止めました。",
    no_table="試せるのは空のデータベースだけで、表`{table}`がありません。実際の表に合うかどうかは確かめていません。",
    memory="実行しましたが（{language}）、使えるメモリーの上限を超えたため止まりました。",
    killed="実行しましたが（{language}）、システムに止められました{reason}。",
    refused="実行していません：{reason}",
    no_sandbox="実行していません。この環境には、コードを安全に実行できる場所がありません。",
    not_runnable="実行していません。ここで実行できるのは{languages}で、これは{language}です。",
    log_says="エラーメッセージの内容{where}：{error}",
    cause="よくある原因：{cause}",
    found="ruff（実行せずにコードを読む検査）の指摘：",
    readable="ruff（実行せずにコードを読む検査）の指摘はありません。",
    unreadable="ruffで検査できませんでした：{reason}",
    checks_hold="ご提示の検査{count}件と一緒に実行し、すべて成り立ちました。ほかは検査していません。",
    checks_partly="ご提示の内容から読み取れた検査{count}件と一緒に実行し、成り立ちました。ほかに検査として読み取れなかった期待が{unread}件あり、"
    "検査していません。",
    checks_fail="ご提示の検査のうち、成り立たないものがあります{failed}。",
    checks_unreached="ご提示の検査までは進みませんでした。",
    own_hold="こちらで書いたテスト{count}件に通りました。ご自身のテストほどの裏付けにはなりません。",
    own_fail="こちらで書いたテストが失敗しました：`{failed}`。コードかテストのどちらかが誤っています。",
    unchecked="動いたことは、結果が正しいことを示しません。照らし合わせる例がありませんでした。",
    fine="いただいたコードを実行したところ（{language}）、エラーなく終わりました。",
    ask_expected="正しい結果は何ですか。「f(2) は 4 になるはず」のような例があれば、修正を確かめられます。",
    change="次の変更で直ります。",
    change_passes="次の変更で、ご提示の検査{count}件が成り立つようになります。",
    change_runs="次の変更でエラーは出なくなります。",
    change_ends="次の変更で終わるようになります。",
    by_trial="小さな変更を一つずつ試し、検査が成り立ったものです。少ない検査では偶然のこともあります。変更をお確かめください。",
    suggestion="変更の提案です。",
    changed_ran="変更後のコードを実行しました（{language}、{seconds:.1f}秒）。",
    error_gone="結果が正しいかどうかは、照らし合わせる例がないため分かりません。",
    after_prints="元のコードの出力：",
    unmended="{tried}件の変更を試しましたが、直りませんでした。",
    untried="提案できる変更はありません。",
    code_needed="エラーメッセージだけなので、何も実行していません。コードがあれば修正を探せます。",
    inexact="コードの一部はリンクやメンションに見えるため、そのまま表示していません。添付ファイルが正確なものです。",
)

CODE: Mapping[str, CodeWords] = MappingProxyType({"en": ENGLISH, "ja": JAPANESE})
