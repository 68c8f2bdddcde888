"""Reads what a program left behind when it failed: where, what, and the usual cause of it. No model is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_PLACE = re.compile(r'File "([^"]+)", line (\d{1,9})(?:, in (\S+))?')
_ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Iteration|Warning|Group))(?:: ?(.*))?$", re.M)
_TOLD = re.compile(
    r"(?<![\w.])(?:[a-z_]\w{0,40}\.){0,4}(?P<kind>[A-Z]\w{0,60}(?:Error|Exception|Interrupt|Exit|Iteration|Warning|Group))\b"
    r"(?:: ?(?P<message>[^\n]+))?"
)
_ASIDE = re.compile(
    r"[\s,;.–—-]*\b(?:what|why|how|can you|could you|please)\b[^'\"]*$"
    r"|\s*(?:とは|って|が出|の意味|の原因|は(?:何|なぜ|どう)|を直|で止ま)[^'\"]*$",
    re.I,
)
"""What somebody says behind an error's message, not of it."""
_ELSEWHERE = (
    re.compile(r"panicked at (?P<file>[^\s:,]+):(?P<line>\d{1,9})(?::\d+)?:?\s*(?P<what>.*)"),
    re.compile(r"at .{0,200}?(?<![\w./-])(?P<file>[\w./-]{1,200}\.(?:java|kt|js|ts|scala|cs)):(?P<line>\d{1,9})"),
    re.compile(r"(?<![\w./-])(?P<file>[\w./-]+\.(?:sh|bash)): line (?P<line>\d{1,9}): (?P<what>.*)"),
    re.compile(r"(?<![\w./-])(?P<file>[\w./-]+\.(?:go|c|cpp|rs|rb|php)):(?P<line>\d{1,9})"),
)
LONGEST = 500
"""Characters of an error's message that are kept: a program may write as many as it likes."""
_LIBRARY = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen ")


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a program failed and with what: `file` and `line` as it says them (0 if it does not), `kind`, `message`."""

    kind: str
    message: str = ""
    file: str = ""
    line: int = 0
    where: str = ""

    @property
    def syntax(self) -> bool:
        """Whether the program could not even be read."""
        return self.kind in {"SyntaxError", "IndentationError", "TabError"}

    @property
    def meant(self) -> str:
        """The name that the interpreter thinks was meant, if it says so."""
        found = re.search(r"Did you mean: '([^']+)'", self.message)
        return found.group(1) if found else ""


def read_fault(text: str) -> Fault | None:
    """The last failure that a log or the error output tells of; None if it tells of none."""
    errors = list(_ERROR.finditer(text))
    if errors:
        last = errors[-1]
        before = text[: last.start()]
        places = list(
            _PLACE.finditer(before[before.rfind("Traceback (most recent") :] if "Traceback" in before else before)
        )
        own = [place for place in places if not _LIBRARY.search(place.group(1))] or places
        kind, message = last.group(1).split(".")[-1], (last.group(2) or "").strip()[:LONGEST]
        if own:
            return Fault(kind, message, own[-1].group(1), int(own[-1].group(2)), own[-1].group(3) or "")
        return _elsewhere(text, kind, message) or Fault(kind, message)
    return _elsewhere(text, "", "")


def told_fault(text: str) -> Fault | None:
    """The failure that somebody tells of in words of their own: "I get KeyError: 'vendor', why?"."""
    found = _TOLD.search(text)
    read = read_fault(text) or (Fault(found["kind"], (found["message"] or "").strip()[:LONGEST]) if found else None)
    return replace(read, message=_ASIDE.sub("", read.message)) if read else None


def _elsewhere(text: str, kind: str, message: str) -> Fault | None:
    """A failure as other languages report it."""
    for pattern in _ELSEWHERE:
        if found := pattern.search(text):
            parts = found.groupdict()
            rest = text[found.end() :].strip().splitlines()
            said = message or (parts.get("what") or "").strip() or (rest[0].strip() if rest else "")
            return Fault(kind, said[:LONGEST], found["file"], int(found["line"]))
    return None


CAUSES_EN = {
    "SyntaxError": "Python could not read that line: usually a colon, a bracket or a quote is missing there or just before.",
    "IndentationError": "The lines are not indented alike: a block has to stand further in than the line that opens it.",
    "TabError": "Tabs and spaces are mixed in the indentation.",
    "NameError": "A name is used that nothing has set: usually a typing mistake or a missing import.",
    "UnboundLocalError": "A name is set somewhere in the function, so it is local there, and it is read before it is set.",
    "AttributeError": "The object has nothing of that name: usually a typing mistake, or it is not of the type that was thought "
    "(often None).",
    "KeyError": "The dictionary has no such key.",
    "IndexError": "The list is shorter than the index: the last index is its length minus one.",
    "TypeError": "A value is not of the type that is needed there, or a function gets too many or too few arguments.",
    "ValueError": "The type is right, but the value cannot be used: often text that is no number.",
    "ZeroDivisionError": "Something is divided by zero: often the length of an empty list.",
    "ModuleNotFoundError": "There is no module of that name here: a typing mistake, or it is not installed.",
    "ImportError": "The module has nothing of that name, or two modules import each other.",
    "FileNotFoundError": "The file is not there, seen from the folder in which the program runs.",
    "RecursionError": "A function calls itself without end: its stopping case is missing or never reached.",
    "AssertionError": "The program ran, and a check in it says that the result is not what was expected.",
    "UnicodeDecodeError": "The bytes are in another encoding than the one they are read with.",
    "EOFError": "The program waits for input, and none came.",
    "JSONDecodeError": "The text is not JSON: often it is empty or an error page.",
}
CAUSES_JA = {
    "SyntaxError": "その行を読めませんでした。多くの場合、その行か直前でコロン、括弧、引用符が抜けています。",
    "IndentationError": "字下げがそろっていません。ブロックの中は、それを開く行より深く字下げします。",
    "TabError": "字下げにタブと空白が混ざっています。",
    "NameError": "どこにも設定されていない名前を使っています。多くは綴りの誤りか、importの不足です。",
    "UnboundLocalError": "関数の中で設定される名前は局所変数になり、設定の前に読まれています。",
    "AttributeError": "そのオブジェクトにその名前はありません。綴りの誤りか、型が想定と違います（Noneであることが多い）。",
    "KeyError": "辞書にそのキーがありません。",
    "IndexError": "リストの長さを超えた添字です。最後の添字は長さから1を引いた値です。",
    "TypeError": "そこで必要な型と違う値か、引数の数の過不足です。",
    "ValueError": "型は合っていますが、使えない値です。数でない文字列であることが多いです。",
    "ZeroDivisionError": "ゼロで割っています。空のリストの長さであることが多いです。",
    "ModuleNotFoundError": "その名前のモジュールがありません。綴りの誤りか、未インストールです。",
    "ImportError": "モジュールにその名前がないか、二つのモジュールが互いにimportしています。",
    "FileNotFoundError": "実行したフォルダから見て、そのファイルがありません。",
    "RecursionError": "関数が自分自身を呼び続けています。止まる条件がないか、届いていません。",
    "AssertionError": "プログラムは動きましたが、中の検査によると結果が期待と違います。",
    "UnicodeDecodeError": "読み込みに使った文字コードが、実際のものと違います。",
    "EOFError": "入力を待っていますが、入力がありません。",
    "JSONDecodeError": "JSONではありません。空か、エラー画面であることが多いです。",
}
