"""directory.yaml: people and rooms by alias and by reference, and its mistakes in one line."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.types import Principal, Room
from connectors.directory_file import FileDirectory

TEXT = """\
people:
  fiona: {id: slack-user:T0HOME/U0FIONA, name: Fiona Hart, groups: [slack-group:S0FIN]}
  oskar: {id: slack-user:T0HOME/U0OSKAR}
  gus: {id: slack-user:T0HOME/U0GUS, kind: guest, active: false}
rooms:
  all-hands: {id: slack:T0HOME/C0ALL, kind: public, members: [fiona, slack-user:T0HOME/U0OSKAR]}
  closed: {id: slack:T0HOME/C0CLOSED, kind: private}
"""
FIONA = Principal("slack", "T0HOME", "U0FIONA", groups=frozenset({"slack-group:S0FIN"}))


def read(tmp_path: Path, text: str = TEXT) -> FileDirectory:
    path = tmp_path / "directory.yaml"
    path.write_text(text, encoding="utf-8")
    return FileDirectory(path)


async def test_people_are_found_by_alias_and_by_reference(tmp_path: Path) -> None:
    directory = read(tmp_path)
    assert await directory.person("fiona") == FIONA
    assert await directory.person("slack-user:T0HOME/U0FIONA") == FIONA
    assert await directory.person("gus") == Principal("slack", "T0HOME", "U0GUS", "guest", active=False)
    assert await directory.person("Fiona Hart") is None, "a display name proves nothing"


async def test_rooms_are_found_by_alias_and_by_reference_with_their_readers(tmp_path: Path) -> None:
    directory = read(tmp_path)
    room = Room("slack", "T0HOME", "C0ALL", "public")
    assert await directory.room("all-hands") == await directory.room("slack:T0HOME/C0ALL") == room
    assert [person.id for person in await directory.members(room) or ()] == ["U0FIONA", "U0OSKAR"]
    assert await directory.room("nowhere") is None


async def test_a_room_without_members_is_one_whose_roster_cannot_be_read(tmp_path: Path) -> None:
    directory = read(tmp_path)
    assert await directory.members(Room("slack", "T0HOME", "C0CLOSED", "private")) is None
    assert await directory.members(Room("slack", "T0HOME", "C0UNKNOWN", "private")) is None


def test_it_lists_and_names(tmp_path: Path) -> None:
    directory = read(tmp_path)
    assert list(directory.people()) == ["fiona", "oskar", "gus"]
    assert list(directory.rooms()) == ["all-hands", "closed"]
    assert directory.name_of("slack-user:T0HOME/U0FIONA") == "Fiona Hart"
    assert directory.name_of("slack-user:T0HOME/U0OSKAR") == "oskar"
    assert directory.name_of("slack:T0HOME/C0ALL") == "all-hands"
    assert directory.name_of("slack-user:T0HOME/U0NEW") == "slack-user:T0HOME/U0NEW"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "name: Fiona",
            "nam: Fiona",
            "2: people.fiona.nam: unknown key; did you mean 'name'? known: active, groups, id",
        ),
        (
            "T0HOME/U0OSKAR}",
            "oskar}",
            "3: people.oskar.id: 'slack-user:oskar' is not a person; form: slack-user:T0HOME/",
        ),
        (
            "slack-group:S0FIN",
            "finance",
            "2: people.fiona.groups[0]: 'finance' is not a group; forms: slack-group:S0FIN",
        ),
        ("U0GUS", "U0FIONA", "4: people.gus.id: 'slack-user:T0HOME/U0FIONA' is also the id of 'fiona'"),
        (
            "kind: guest",
            "kind: visitor",
            "4: people.gus.kind: 'visitor' is not a choice; choices: bot, external, guest",
        ),
        (
            "members: [fiona,",
            "members: [fina,",
            "6: rooms.all-hands.members[0]: 'fina' is not in people; did you mean 'fiona'?",
        ),
        (
            "members: [fiona,",
            "members: [oskar,",
            "6: rooms.all-hands.members[1]: 'slack-user:T0HOME/U0OSKAR' is in the list",
        ),
        ("C0CLOSED", "C0ALL", "7: rooms.closed.id: 'slack:T0HOME/C0ALL' is also the id of 'all-hands'"),
        ("slack:T0HOME/C0ALL", "#all", "6: rooms.all-hands.id: "),
        ("  oskar:", "  Oskar:", "3: people.Oskar: 'Oskar' is not an alias: use a-z, 0-9, _ and -"),
        ("  oskar:", "  fiona:", "3: people.fiona: this key is already on line 2"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, TEXT.replace(old, new if "#" not in new else f'"{new}"', 1))
    assert f"directory.yaml:{words}" in str(raised.value)
    assert "\n" not in str(raised.value)
