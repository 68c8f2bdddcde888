"""Strict YAML: whatever would quietly become something else is refused, in one line that names file, line and key."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from bot.errors import ConfigError
from bot.yamlfile import MAX_BYTES, load, load_lines, parse, parse_lines


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Room(Strict):
    door: str
    size: Annotated[int, Field(ge=1, le=9)] = 1
    light: bool = True
    height: float = 2.5


class Cellar(Strict):
    damp: bool


class House(Strict):
    name: str | None = None
    rooms: list[Room] = []
    style: Literal["plain", "grand"] = "plain"
    guests: dict[str, list[str]] = {}
    below: Room | Cellar | None = None
    people: Annotated[list[str], Field(min_length=1, max_length=2)] = ["me"]


def problem(text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        parse(text, "house.yaml", House)
    words = str(raised.value)
    assert "\n" not in words
    return words


def test_a_plain_file_becomes_its_model() -> None:
    house = parse(
        'name: "2024"\nrooms:\n- {door: oak, size: 3}\n- door: |\n    two\n    lines\n  light: false\n  height: -1.5\n',
        "house.yaml",
        House,
    )
    assert house.name == "2024"
    assert house.rooms == [Room(door="oak", size=3), Room(door="two\nlines\n", light=False, height=-1.5)]


@pytest.mark.parametrize("nothing", ["name:", "name: ~", "name: null"])
def test_nothing_is_nothing(nothing: str) -> None:
    assert parse(nothing, "house.yaml", House).name is None


def test_every_path_has_its_line() -> None:
    _, lines = parse_lines(
        "rooms:\n  - door: oak\n    size: 2\n  - {door: pine}\nguests:\n  a: [b,\n   c]\n", "h", House
    )
    found = {where: lines.of(where) for where in [("rooms",), ("rooms", 0, "size"), ("rooms", 1), ("guests", "a", 1)]}
    assert list(found.values()) == [1, 3, 4, 7]
    assert lines.of(("rooms", 1, "size")) == 4, "what is not in the file is where the thing above it is"


YAML_SURPRISES = {
    "name: yes": 'house.yaml:1: name: YAML reads yes as true or false; write true or false, or "yes" in quotes',
    "name: Off": "house.yaml:1: name: YAML reads Off as true or false",
    "name: 0123": "house.yaml:1: name: YAML reads 0123 as a number",
    "name: 0x1F": "house.yaml:1: name: YAML reads 0x1F as a number",
    "name: 1_000": "house.yaml:1: name: YAML reads 1_000 as a number",
    "name: 12:30": "house.yaml:1: name: YAML reads 12:30 as a number",
    "name: .inf": "house.yaml:1: name: YAML reads .inf as a number",
    "name: 2024-01-01": "house.yaml:1: name: YAML reads 2024-01-01 as a date",
    "name: 99999999999999999999": "house.yaml:1: name: YAML reads 99999999999999999999 as a number",
    "name: a\nname: b": "house.yaml:2: name: this key is already on line 1",
    "guests:\n  a: []\n  'a': []": "house.yaml:3: guests.a: this key is already on line 2",
    "name: &n x": "house.yaml:1: name: anchors (&n) are not allowed",
    "name: *n": "house.yaml:1: name: aliases (*n) are not allowed",
    "guests:\n  <<: {a: []}": "house.yaml:2: guests.<<: merge keys are not allowed",
    "name: !!str 1": "house.yaml:1: name: tags (tag:yaml.org,2002:str) are not allowed",
    "name: !!python/object:os.system x": "house.yaml:1: name: tags",
    "name: a\n---\nname: b": "house.yaml:2: a second document begins here",
    "guests:\n  1: []": "house.yaml:2: guests.1: the key '1' is not text; put it in quotes",
    "guests:\n  no: []": "house.yaml:2: guests.no: the key 'no' is not text",
    "guests:\n  null: []": "house.yaml:2: guests.null: the key 'null' is not text",
    "? [a]\n: b": "house.yaml:1: file: a key must be text",
    "rooms:\n\t- door: x": "house.yaml:2: a tab; indent with spaces",
    "name: [": "house.yaml:1: name: expected the node content",
    "name: 'x": "house.yaml:1: name: found unexpected end of stream (while scanning a quoted scalar)",
    "guests: {a: [*]}": "house.yaml:1: guests.a: expected alphabetic or numeric character, but found ']'",
    "guests:\n  a: [x]\n  b: [x, *]": "house.yaml:3: guests.b: expected alphabetic",
    "guests:\n  a: [x]\n*": "house.yaml:3: expected alphabetic",
    "guests:\n  a: x\n  *": "house.yaml:3: guests: expected alphabetic",
    "name: x\nguests: @": "house.yaml:2: guests: found character '@' that cannot start any token",
    'rooms:\n- door: "\\UFFFFFFFF"': "house.yaml:2: rooms[0].door: an escape (\\U...) that names no character",
    'name: "\\U00110000"': "house.yaml:1: name: an escape (\\U...) that names no character",
    'name: "\\ud800"': "house.yaml:1: name: an escape (\\ud800 to \\udfff) that is half a character",
    '"\\udc00": x': "house.yaml:1: file: a key with an escape that is half a character",
    "name: a: b": "house.yaml:1: mapping values are not allowed here",
    "name: " + "[" * 50: "house.yaml:1: name" + "[0]" * 31 + ": nested deeper than 32 levels",
    "name: x\x07": "house.yaml:1: control character U+0007",
    "name: x\n# a\u2028rooms: []": "house.yaml:2: invisible character U+2028",
    "name: x\u200b": "house.yaml:1: invisible character U+200B",
    "name: x\rrooms: []": "house.yaml:1: invisible character U+000D",
    "": "house.yaml:1: the file is empty",
    "# nothing\n": "house.yaml:1: the file is empty",
}


@pytest.mark.parametrize("text", YAML_SURPRISES, ids=list(map(repr, YAML_SURPRISES)))
def test_a_yaml_surprise_is_refused(text: str) -> None:
    assert problem(text).startswith(YAML_SURPRISES[text])


MISTAKES = {
    "nam: x": "house.yaml:1: nam: unknown key; did you mean 'name'? known: below, guests, name, people, rooms, style",
    "rooms:\n- dor: x": "house.yaml:2: rooms[0].dor: unknown key; did you mean 'door'? known: door, height, light",
    "below: {dam: true}": "house.yaml:1: below.dam: unknown key; did you mean 'damp'? known: damp, door, height, light",
    "rooms:\n- {size: 1}": "house.yaml:2: rooms[0]: the key 'door' is missing; known: door, height, light, size",
    "style: grnd": "house.yaml:1: style: 'grnd' is not a choice; did you mean 'grand'? choices: grand, plain",
    "rooms: [{door: x, size: 0}]": "house.yaml:1: rooms[0].size: 0 is out of range; it must be at least 1",
    "rooms: [{door: x, size: 10}]": "house.yaml:1: rooms[0].size: 10 is out of range; it must be at most 9",
    "rooms: [{door: 7}]": 'house.yaml:1: rooms[0].door: 7 is not text; put it in quotes: "7"',
    "rooms: [{door: true}]": 'house.yaml:1: rooms[0].door: true is not text; put it in quotes: "true"',
    "rooms: [{door: }]": "house.yaml:1: rooms[0].door: expected text, not nothing",
    "rooms: [{door: x, size: '3'}]": "house.yaml:1: rooms[0].size: expected a whole number, not the text '3'",
    "rooms: [{door: x, light: 'true'}]": "house.yaml:1: rooms[0].light: expected true or false, not the text 'true'",
    "rooms: {}": "house.yaml:1: rooms: expected a list: [one, two], not a mapping",
    "guests: [a]": "house.yaml:1: guests: expected a mapping: key: value, not a list",
    "people: []": "house.yaml:1: people: at least 1 needed, 0 given",
    "people: [a, b, c]": "house.yaml:1: people: at most 2 allowed, 3 given",
    "- a": "house.yaml:1: expected a mapping: key: value, not a list",
}


@pytest.mark.parametrize("text", MISTAKES, ids=list(map(repr, MISTAKES)))
def test_a_mistake_is_one_line_with_the_choices(text: str) -> None:
    assert problem(text).startswith(MISTAKES[text])


def test_an_unknown_key_is_told_before_the_missing_one_that_it_explains() -> None:
    assert "did you mean 'door'" in problem("rooms:\n- size: 1\n  doors: oak")


def test_a_comma_that_splits_a_text_is_recognised() -> None:
    words = problem("rooms: [{door: oak, painted red}]")
    assert words.startswith("house.yaml:1: rooms[0].painted red: unknown key; known: door")
    assert words.endswith("if it is text after a comma, put the whole text in quotes")


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "anchors (&a) are not allowed" in problem(bomb)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    large, latin = tmp_path / "large.yaml", tmp_path / "latin.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    latin.write_bytes(b"name: x\nname: caf\xe9")
    for path, words in {
        tmp_path / "none.yaml": "none.yaml: cannot be read: No such file or directory",
        tmp_path: "cannot be read: Is a directory",
        large: "large.yaml: larger than 1,000,000 bytes",
        latin: "latin.yaml:2: not UTF-8 text",
    }.items():
        with pytest.raises(ConfigError) as raised:
            load(path, House)
        assert words in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_file_is_read_with_its_lines_and_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "house.yaml"
    path.write_bytes("\ufeffname: 家\n".encode())
    house, lines = load_lines(path, House)
    assert (house.name, lines.name, lines.of(("name",))) == ("家", str(path), 1)
