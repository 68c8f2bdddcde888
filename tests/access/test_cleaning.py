"""What a model or a document wrote must reach a room as plain words."""

import pytest

from bot.access.cleaning import clean
from tests.effort import processor_seconds

HOSTS = {"docs.kestrel.example"}

ACTIVE = [
    "https://evil.com/?q=secret",
    "http://evil.com",
    "HTTPS://EVIL.COM/x",
    "ｈｔｔｐｓ：／／ｅｖｉｌ．ｃｏｍ／ｘ",
    "https://docs.kestrel.example.evil.com/x",
    "https://docs.kestrel.example@evil.com/x",
    "https://docs.kestrel.example/x?leak=1",
    "https://docs.kestrel.example/x#leak",
    "https://docs.kestrel.example:8443/x",
    "http://docs.kestrel.example/x",
    "http:\\\\evil.com\\x",
    "evil.com",
    "www.evil.com/x",
    "evil.com/x?y",
    "evil。com",
    "ev\u200bil.com/x",
    "e\u00advil.com",
    "\u202ehttps://evil.com",
    "[click](https://evil.com)",
    "[click](  //evil.com )",
    "![](https://evil.com/a.png)",
    "![a][b]",
    "[b]: https://evil.com/a",
    "<https://evil.com|docs>",
    "<https://evil.com>",
    "mailto:a@evil.com",
    "a@evil.com",
    "a@docs.kestrel.example.evil.com",
    "a@docs.kestrel.example@evil.com",
    "a@docs.kestrel.example?cc=evil.com",
    "ａ＠docs.kestrel.example",
    "mailto:a@docs.kestrel.example",
    "[a@docs.kestrel.example](https://evil.com)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "slack://user?team=T&id=U",
    "10.0.0.1/x",
    "<img src=x>",
    "<a href='x'>",
    "<script src=x>",
    "<!channel>",
    "<!here|here>",
    "<@U0FIONA1>",
    "<#C0FIN123>",
    "@channel",
    "@here",
    "@everyone",
    "＠channel",
    "<at>Fiona</at>",
    "<!subteam^S0FIN>",
    "hTtPs:/\\evil.com/x",
    "ftp://evil.com/x",
    "tel:+4930evil",
    "https://evil.com/a b",
    "(https://evil.com)",
    '"https://evil.com"',
    "**https://evil.com**",
    "[x](<https://evil.com>)",
    "[![a](https://evil.com/a.png)](https://evil.com)",
    "![a](data:image/png;base64,evil)",
    "[click][1]\n\n[1]: https://evil.com/?q=secret",
    "<https://evil.com/?q=secret|kestrel.example>",
    "evil.zip/x",
    "evil.com.",
    "EVIL.COM",
    "sub.evil.co.uk",
    "evil．com",
    "ev\u2060il.com",
    "https://\U000e0065evil.com",
    "<at id='0'>Fiona</at>",
    "@U0FIONA12",
    "<iframe src=x></iframe>",
    "evil.live/?q=secret",
    "evil.news/x?q=1",
    "evil.club",
    "Evil.Club",
    "EVIL.LIVE",
    "evil.bank/x",
    "evil.museum/x",
    "evil.nosuchdomain/x",
    "evil.nosuchdomain?q=1",
    "evil.nosuchdomain:8080",
    "evil.live:8080",
    "evil.md/x",
    "evil.live./x",
    "xn--80ak6aa92e.xn--p1ai/x?evil",
    "xn--evil.xn--p1ai",
    "пример.рф/x?evil=1",
    "пример.рф#evil",
    "evil.みんな",
    "evil.中国/x",
    "日本語.jp/evil",
    "詳細はevil.liveを見て",
    "詳細はhttps://evil.live/xを見て",
    "_evil.live_",
    "..evil.live",
    "@evil.live",
    "a_b.evil.live/x",
    "-evil.live",
    "evil\\.live/x",
    "//evil.live/?q=secret",
    "report.pdf/https://evil.live/x",
    "secret.evil.md",
    "[click][1]\n\n[1]: //evil.live/?q=secret",
    "[click](//evil.live/?q=secret)",
    f"[{'click ' * 400}](//evil/x)",
    f"![{'a' * 2000}](//evil/x)",
    "<input type=image src=//evil.live/x>",
    "<source srcset='//evil.live/x'>",
    "<table background='//evil.live/x'>",
    "<td style='background:url(//evil.live/x)'>",
    "<p onclick='evil()'>",
    "<use xlink:href='//evil.live/x'>",
    "<img alt='<' src=//evil.live/x>",
    "a` b `evil.live` c `d",
    "x\\`evil.live\\`",
]


def test_there_are_a_hundred_spellings() -> None:
    assert len(set(ACTIVE)) >= 100


@pytest.mark.parametrize("spelling", ACTIVE)
def test_nothing_active_is_left(spelling: str) -> None:
    shown = clean(f"Before {spelling} after", HOSTS)
    words = shown.replace("[link removed]", "").replace("[mention removed]", "")
    assert "evil" not in words
    assert not any(sign in words for sign in ("://", "<", "](", "![", "@", "mailto", "data:", "script", "10.0.0.1"))
    assert "kestrel" not in words
    assert shown.startswith("Before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "Net revenue was 1,482.6 million [1].",
        "売上高（連結）は１，４８２．６百万ドルです。",
        "MEL 29-11-01 applies, see annual-report-2025.pdf, page 7.",
        "https://docs.kestrel.example/filings/annual-report.pdf",
        "Write to help.desk+it@docs.kestrel.example: they answer. (or@docs.kestrel.example)",
        "if a < b and b > c: return 3.5",
        "[1] and [2]\nnext line\tcolumn",
        "See report.md, config.py and README.rs, or docs/report.md.",
        "my_script.sh and id_rsa.pub, main.py:42, Main.java:12, package.json/yarn.lock",
        "This is the end.Next we go on.Now, e.g. at 5 p.m. or i.e. in version 1.2.3 of 10.0.0.1.",
        "Is it Node.js? Then use Node.js/TypeScript (or Vue.js?).",
        "2.Support\n3.Training and/or 4.5/6",
        "1．概要／目的\n１．概要／目的\n整備を行う．世界の空港．点検／交換",
        "梅雨は雨季の一種である。A320のMELは？見てください。それは．AI です．",
        "[1]: Annual report 2025, page 7\n[2]: Yes",
        "[1] Annual report, p. 7\n[2] Filing 10-K",
        "x < y and List<String> or a <b> c",
        "Use `asyncio.run` and `self.name`, not `time.time`.",
        "Kestrel Inc. and Acme Corp. agreed: 3:30, 10:1.",
    ],
)
def test_plain_words_stay_as_they_were(text: str) -> None:
    assert clean(text, HOSTS) == text


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u2066", "\U000e0041", "\ufe0f", "\x07", "\u00ad"])
def test_characters_nobody_sees_are_dropped(hidden: str) -> None:
    assert clean(f"a{hidden}b") == "ab"


@pytest.mark.parametrize(
    "code",
    [
        "handlers[name](event)",
        "def first[T](xs: list[T]) -> T: ...",
        "fn f<T: Clone>(x: T) {}",
        "d['a'](b)(c)[0](e.payload)",
    ],
)
def test_calls_and_generics_stay_in_code(code: str) -> None:
    assert clean(f"```\n{code}\n```") == f"```\n{code}\n```"
    assert clean(f"Try `{code}`.") == f"Try `{code}`."


@pytest.mark.parametrize(
    "target", ["evil.com", "//evil.live/?q", "https://evil.com", "javascript:alert(1)", "mailto:a@b"]
)
def test_a_link_in_code_is_none_either(target: str) -> None:
    assert target not in clean(f"```\n[click]({target})\n```")
    assert target not in clean(f"Try `[click]({target})`.")


def test_names_in_a_block_of_code_stay_and_links_in_it_do_not() -> None:
    code = "```python\nlogging.info('ready')\nurl = 'https://evil.example/?q=1'\nhost = 'a-b.evil.com/x'\n```"
    shown = clean(f"See this:\n{code}\nand logging.info here.")
    assert "logging.info('ready')" in shown
    assert "evil" not in shown
    assert "logging.info here" not in shown


def test_a_fence_that_is_never_closed_hides_nothing() -> None:
    assert "evil.com" not in clean("```\nevil.com\n")
    assert "evil.com" not in clean("evil.com\n```\nx = 1\n```\nevil.com")


@pytest.mark.parametrize("target", ["//evil.live/?q=secret", "evil/x", "<//evil.live> 'Title'", "\n//evil.live/?q=1"])
def test_a_numbered_reference_with_an_address_goes(target: str) -> None:
    assert clean(f"[click][1]\n\n[1]: {target}\n[2]: Annual report") == (
        "[click][1]\n\n[link removed]\n[2]: Annual report"
    )


def test_names_and_quotients_in_a_block_of_code_stay() -> None:
    code = "```python\nmean = self.total/self.count + stats.name/2\nasyncio.run(main.live())\n```"
    assert clean(code) == code


HARD = ["a-", "x.js/", "![", "[\n", "<at>", "<a ", "<td src="]


@pytest.mark.parametrize("piece", HARD)
def test_no_text_takes_time_by_the_square_of_its_length(piece: str) -> None:
    """By the square, the smallest of these would need minutes."""
    with processor_seconds(20):
        clean(piece * (150_000 // len(piece)) + "\n", HOSTS)
