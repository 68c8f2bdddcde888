"""Strict YAML: a file is checked against a pydantic model, and each mistake names file, line, key and valid choices.

It reads a plain subset: one document of mappings, lists, text, numbers, true, false and null. Whatever YAML would
quietly turn into something else (`yes`, `0123`, a date, a second key of the same name, an alias) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.errors import ConfigError
from bot.yamlproblems import dotted, problem_of, shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_ERROR = 600

Where = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_INVISIBLE = re.compile(r"[\x85\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|\r(?!\n)")
_HALF = re.compile(r"[\ud800-\udfff]")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Lines:
    """The line of each path of a file, counted from 1. A path is a tuple of keys and list positions."""

    name: str
    numbers: Mapping[Where, int]

    def of(self, where: Where) -> int:
        """The line of a path, or of the nearest thing above it that is in the file."""
        while where and where not in self.numbers:
            where = where[:-1]
        return self.numbers.get(where, 1)

    def error(self, where: Where, problem: str) -> ConfigError:
        """A mistake at a path, in one line: ``roles.yaml:14: roles.finance.reads: unknown key``."""
        key = f"{dotted(where)}: " if where else ""
        return _at_line(self.name, self.of(where), f"{key}{problem}")


def load(path: Path, model: type[M]) -> M:
    """Read and check a file. Raises ConfigError, one line, for anything that is wrong with it."""
    return load_lines(path, model)[0]


def load_lines(path: Path, model: type[M]) -> tuple[M, Lines]:
    """Like `load`, with the line of every path for those who cite the file."""
    return parse_lines(read_text(path), str(path), model)


def parse(text: str, name: str, model: type[M]) -> M:
    """Like `load`, from text; `name` stands for the file in errors."""
    return parse_lines(text, name, model)[0]


def parse_lines(text: str, name: str, model: type[M]) -> tuple[M, Lines]:
    """Like `parse`, with the line of every path."""
    hidden = _INVISIBLE.search(text)
    if hidden:
        line = text.count("\n", 0, hidden.start()) + 1
        raise ConfigError(f"{name}:{line}: invisible character U+{ord(hidden[0]):04X}; delete it")
    data, lines = _Walk(name).read(text)
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        where, problem = problem_of(error, model, data, lines.of)
        raise lines.error(where, problem) from error


def read_text(path: Path) -> str:
    """The text of a configuration file, UTF-8, at most 1 MB. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes; is this the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from error


class _Loader(yaml.SafeLoader):
    """Composes nodes; refuses aliases, anchors, tags and nesting without end before they cost anything.

    `path` is where it is: each key or position, with the mark of the key, or of the list.
    """

    def __init__(self, text: str):
        super().__init__(text)
        self.depth = 0
        self.path: list[tuple[str | int, yaml.Mark]] = []

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        step = self._step(parent, index)
        self.path += step
        node = self._composed(parent, index)
        del self.path[len(self.path) - len(step) :]
        return node

    def where(self, mark: yaml.Mark) -> Where:
        """The path of a mistake: what it is inside of. The scanner reads ahead, past the end of what is composed."""
        path = list(self.path)
        while path and path[-1][1].line < mark.line and path[-1][1].column >= mark.column:
            path.pop()
        return tuple(step for step, _ in path)

    def _step(self, parent: Node | None, index: Any) -> list[tuple[str | int, yaml.Mark]]:
        if parent is not None and isinstance(index, int):
            return [(index, parent.start_mark)]
        return [(str(index.value), index.start_mark)] if isinstance(index, ScalarNode) else []

    def _composed(self, parent: Node | None, index: Any) -> Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _at(event, f"aliases (*{event.anchor}) are not allowed; write it out")
        if event.anchor is not None:
            raise _at(event, f"anchors (&{event.anchor}) are not allowed; write it out")
        if event.tag is not None:
            raise _at(event, f"tags ({event.tag}) are not allowed; write plain text, in quotes if it needs to be text")
        if self.depth >= MAX_DEPTH:
            raise _at(event, f"nested deeper than {MAX_DEPTH} levels")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Walk:
    """Turns nodes into plain data and remembers the line of each path."""

    def __init__(self, name: str):
        self._lines = Lines(name, {})
        self._numbers: dict[Where, int] = {}

    def read(self, text: str) -> tuple[Any, Lines]:
        self._lines = Lines(self._lines.name, self._numbers)
        loader = _Loader("")
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error, loader) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise ConfigError(f"{self._lines.name}:{line}: control character U+{error.character:04X}") from error
        except (OverflowError, ValueError) as error:  # from chr(), which PyYAML calls with whatever \U says
            mark = loader.get_mark()
            raise self._at(
                mark, loader.where(mark), "an escape (\\U...) that names no character; write the character"
            ) from error
        finally:
            loader.dispose()
        if node is None:
            raise ConfigError(f"{self._lines.name}:1: the file is empty")
        return self._value(node, ()), self._lines

    def _syntax(self, error: yaml.MarkedYAMLError, loader: _Loader) -> ConfigError:
        problem = error.problem or error.context or "not valid YAML"
        if "but found another document" in problem:
            problem = "a second document begins here (---); one file holds one document"
        elif "'\\t'" in problem:
            problem = "a tab; indent with spaces"
        elif error.context and error.problem:
            problem = f"{problem} ({error.context})"
        mark = error.problem_mark or error.context_mark or loader.get_mark()
        return self._at(mark, loader.where(error.context_mark or mark), problem)

    def _at(self, mark: yaml.Mark, where: Where, problem: str) -> ConfigError:
        return _at_line(self._lines.name, mark.line + 1, f"{dotted(where)}: {problem}" if where else problem)

    def _value(self, node: Node, where: Where) -> Any:
        self._numbers.setdefault(where, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, where)
        if isinstance(node, SequenceNode):
            return [self._value(item, (*where, position)) for position, item in enumerate(node.value)]
        return self._scalar(node, where)

    def _mapping(self, node: MappingNode, where: Where) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._key(key_node, where)
            path = (*where, key)
            if key in found:
                problem = f"{dotted(path)}: this key is already on line {self._numbers[path]}; keep one of the two"
                raise _at_line(self._lines.name, line, problem)
            self._numbers[path] = line
            found[key] = self._value(value_node, path)
        return found

    def _key(self, node: Node, where: Where) -> str:
        name, line = self._lines.name, node.start_mark.line + 1
        if not isinstance(node, ScalarNode):
            raise _at_line(name, line, f"{dotted(where) or 'file'}: a key must be text, not a list or a mapping")
        path = dotted((*where, node.value))
        if node.style is None and node.value == "<<":
            raise _at_line(name, line, f"{path}: merge keys are not allowed; write it out")
        if _HALF.search(node.value):
            raise _at_line(name, line, f"{dotted(where) or 'file'}: a key with an escape that is half a character")
        if not _is_text(node):
            raise _at_line(name, line, f"{path}: the key {shown(node.value)} is not text; put it in quotes")
        return str(node.value)

    def _scalar(self, node: Node, where: Where) -> Any:
        value = str(node.value)
        if _HALF.search(value):
            raise self._lines.error(
                where, "an escape (\\ud800 to \\udfff) that is half a character; write the character"
            )
        if _is_text(node):
            return value
        if value in _WORDS:
            return _WORDS[value]
        if _INTEGER.fullmatch(value) and len(value) < 20:
            return int(value)
        if _DECIMAL.fullmatch(value):
            return float(value)
        raise self._lines.error(where, f"YAML reads {value} as {_meaning(node)}; {_advice(node, value)}")


def _is_text(node: Node) -> bool:
    """Whether a scalar is text for every YAML reader: quoted, a block, or a plain word with no second meaning."""
    return node.tag == "tag:yaml.org,2002:str"


def _meaning(node: Node) -> str:
    kind = node.tag.rpartition(":")[2]
    return {"bool": "true or false", "int": "a number", "float": "a number", "timestamp": "a date"}.get(
        kind, f"a {kind}"
    )


def _advice(node: Node, value: str) -> str:
    if node.tag.endswith(":bool"):
        return f'write true or false, or "{value}" in quotes for text'
    if node.tag.endswith((":int", ":float")):
        return f'write a plain decimal number, or "{value}" in quotes for text'
    return f'write "{value}" in quotes for text'


def _at(event: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _at_line(name: str, line: int, problem: str) -> ConfigError:
    """A mistake in one line of bearable length, whatever the file holds."""
    words = " ".join(problem.split())
    return ConfigError(f"{name}:{line}: {words if len(words) <= MAX_ERROR else words[:MAX_ERROR] + '...'}")
