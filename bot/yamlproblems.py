"""What pydantic finds wrong with a file, in the words of an admin: the key, what is wrong, and the valid choices."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Where = tuple[str | int, ...]

_EXPECTED = {
    "string": "text",
    "list": "a list: [one, two]",
    "tuple": "a list: [one, two]",
    "set": "a list: [one, two]",
    "frozen_set": "a list: [one, two]",
    "dict": "a mapping: key: value",
    "model": "a mapping: key: value",
    "model_attributes": "a mapping: key: value",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
_RANGES = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def dotted(where: Where) -> str:
    """A path as people write it: ``roles.finance.members[2]``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).lstrip(".")


def shown(value: object) -> str:
    """A value as an error shows it, short enough for one line."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def choices(given: str, known: Iterable[str], word: str = "known") -> str:
    """The end of an error about a name: ``did you mean 'read'? known: members, read``."""
    names = sorted(known)
    near = difflib.get_close_matches(given.lower(), [name.lower() for name in names], n=1, cutoff=0.6)
    meant = next((name for name in names if near and name.lower() == near[0]), None)
    listed = f"{word}: {', '.join(names) or 'none'}"
    return f"did you mean '{meant}'? {listed}" if meant else listed


def problem_of(
    error: ValidationError, model: type[BaseModel], data: Any, line_of: Callable[[Where], int]
) -> tuple[Where, str]:
    """The first mistake, unknown keys before all others since they explain missing ones: its path and its words."""
    found = [(detail, _path(detail, data)) for detail in error.errors(include_url=False)]
    detail, where = min(found, key=lambda one: (one[0]["type"] != "extra_forbidden", line_of(one[1])))
    if detail["type"] == "extra_forbidden":
        comma = "; if it is text after a comma, put the whole text in quotes" if detail["input"] is None else ""
        return where, f"unknown key; {choices(str(where[-1]), _keys(model, where[:-1]))}{comma}"
    if detail["type"] == "missing":
        key = str(detail["loc"][-1])
        return where, f"the key '{key}' is missing; known: {', '.join(sorted(_keys(model, where)))}"
    return where, _words(detail)


def _path(detail: ErrorDetails, data: Any) -> Where:
    """The part of pydantic's location that is in the file: names of union members are not."""
    where: Where = ()
    for step in detail["loc"]:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            continue
        where = (*where, step)
    return where


def _words(detail: ErrorDetails) -> str:
    kind, given, context = detail["type"], detail.get("input"), detail.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind in ("literal_error", "enum"):
        known = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
        if given in known:
            return f"{shown(given)} is text; write it without quotes"
        return f"{shown(given)} is not a choice; {choices(str(given), known, 'choices')}"
    if kind in _RANGES:
        words, key = _RANGES[kind]
        return f"{shown(given)} is out of range; it must be {words} {context[key]}"
    if kind == "too_short":
        return f"at least {context['min_length']} needed, {context['actual_length']} given"
    if kind == "too_long":
        return f"at most {context['max_length']} allowed, {context['actual_length']} given"
    expected = _EXPECTED.get(kind.removesuffix("_type"))
    if expected is None:
        return f"{shown(given)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    return _wrong_type(expected, given)


def _wrong_type(expected: str, given: object) -> str:
    if expected == "text" and isinstance(given, bool | int | float):
        text = str(given).lower() if isinstance(given, bool) else str(given)
        return f'{text} is not text; put it in quotes: "{text}"'
    return f"expected {expected}, not {_kind(given)}"


def _kind(given: object) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list):
        return "a list"
    return f"the text {shown(given)}" if isinstance(given, str) else shown(given).lower()


def _keys(model: Any, where: Where) -> set[str]:
    """The keys that the model knows at a path; several models may meet there in a union."""
    types = _members(model)
    for step in where:
        types = [inner for one in types for inner in _below(one, step)]
    return {field.alias or name for one in types if _is_model(one) for name, field in one.model_fields.items()}


def _below(one: Any, step: str | int) -> list[Any]:
    if _is_model(one):
        return [
            inner
            for name, field in one.model_fields.items()
            if step == (field.alias or name)
            for inner in _members(field.annotation)
        ]
    arguments = get_args(one)
    return _members(arguments[-1 if isinstance(step, str) else 0]) if arguments else []


def _members(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [inner for one in get_args(annotation) for inner in _members(one)]
    return [annotation]


def _is_model(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)
