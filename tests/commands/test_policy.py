"""`rolecall policy` from the command line: words for people, JSON for programs, exit codes for CI."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from bot.commands.common import console
from bot.commands.policy import app as policy_app
from bot.errors import ConfigError
from bot.ports import DocumentRecord
from connectors.database import SqlRecords, open_database
from tests.access.policies import TEXT

DIRECTORY = """\
people:
  fiona: {id: slack-user:T0HOME/U0FIONA, name: Fiona Hart, groups: [slack-group:S0FIN]}
  oskar: {id: slack-user:T0HOME/U0OSKAR, name: Oskar Lind, groups: [slack-group:S0OPS]}
  carla: {id: slack-user:T0HOME/U0CARLA, name: Carla Neri}
rooms:
  all-hands: {id: slack:T0HOME/C0ALL, kind: public, members: [fiona, oskar]}
  finance: {id: slack:T0HOME/C0FIN, kind: private, members: [fiona, carla]}
"""


class Company:
    """A folder with a policy, a directory and settings, and the command line beside it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.write("roles.yaml", TEXT)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def settle(self) -> None:
        """Write settings and a directory: without them, there is only a policy."""
        self.write("directory.yaml", DIRECTORY)
        self.write("rolecall.yaml", "version: 1\ndirectory: directory.yaml\n")

    def run(self, *arguments: str) -> Result:
        app = typer.Typer()

        @app.callback()
        def root(context: typer.Context, config: Annotated[Path, typer.Option()]) -> None:
            context.obj = config

        app.add_typer(policy_app, name="policy")
        settings = str(self.folder / "rolecall.yaml")
        done = CliRunner().invoke(app, ["--config", settings, "policy", *arguments])
        if done.exception and not isinstance(done.exception, SystemExit | ConfigError):
            raise done.exception
        return done

    def json(self, *arguments: str) -> dict[str, Any]:
        lines = self.run(*arguments, "--json").stdout.splitlines()
        assert len(lines) == 1
        return json.loads(lines[0])

    def refusal(self, *arguments: str) -> str:
        error = self.run(*arguments).exception
        assert isinstance(error, ConfigError), "the command line turns it into exit code 2"
        return str(error)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    width, console.width = console.width, 200
    yield Company(tmp_path)
    console.width = width


def test_check_needs_nothing_but_the_file(company: Company) -> None:
    path = str(company.folder / "roles.yaml")
    done = company.run("check", path)
    assert done.exit_code == 0
    assert "3 roles, 5 labels, 2 rooms, 4 tests" in done.stdout
    assert "no role reads 'hr' (roles.yaml:3)" in done.stdout
    told = company.json("check", path)
    assert (told["ok"], told["unread"], told["roles"]["finance"]["read"]) == (True, ["hr"], ["filings", "sap"])


def test_check_names_the_mistake_and_its_line(company: Company) -> None:
    path = company.write("broken.yaml", TEXT.replace("    read: [company]", "    reads: [company]"))
    assert company.refusal("check", str(path)).startswith(f"{path}:7: roles.everyone.reads: unknown key; did you mean")


def test_without_settings_or_a_file_it_says_what_is_missing(company: Company) -> None:
    assert "rolecall.yaml: cannot be read" in company.refusal("check")
    company.settle()
    assert company.run("check").exit_code == 0


def test_test_succeeds_if_all_expectations_hold(company: Company) -> None:
    done = company.run("test", str(company.folder / "roles.yaml"))
    assert done.exit_code == 0
    assert "all 6 expectations hold" in done.stdout


def test_test_fails_with_one_that_does_not_and_says_why(company: Company) -> None:
    path = company.write("other.yaml", TEXT.replace("cannot_read: [maintenance]}", "cannot_read: [sap]}"))
    done = company.run("test", str(path))
    assert done.exit_code == 1
    assert "1 of 6 expectations fail" in done.stdout
    told = company.json("test", str(path))
    assert [(test["line"], test["label"]) for test in told["tests"] if not test["ok"]] == [(22, "sap")]
    assert told["ok"] is False


def test_test_uses_the_directory_if_there_is_one(company: Company) -> None:
    company.write("roles.yaml", TEXT + "  - {as: slack-user:T0HOME/U0FIONA, can_read: [sap]}\n")
    assert company.run("test", str(company.folder / "roles.yaml")).exit_code == 1
    company.settle()
    assert company.run("test").exit_code == 0


def test_explain_says_why_and_where(company: Company) -> None:
    company.settle()
    done = company.run("explain", "fiona", "filings")
    assert done.exit_code == 0
    assert "ALLOWED" in done.stdout
    assert "Fiona Hart" in done.stdout
    assert "by the role 'finance', held by slack-group:S0FIN" in done.stdout
    assert "roles.yaml:11,14" in done.stdout


def test_explain_is_no_failure_when_it_denies_and_says_what_would_help(company: Company) -> None:
    company.settle()
    done = company.run("explain", "oskar", "filings")
    assert done.exit_code == 0
    assert "DENIED" in done.stdout
    assert "'filings' comes with the role 'finance' (roles.yaml:14), held by slack-group:S0FIN" in done.stdout


def test_explain_in_a_room_goes_reader_by_reader(company: Company) -> None:
    company.settle()
    told = company.json("explain", "fiona", "filings", "--in", "finance")
    assert (told["allowed"], told["rule"]) == (True, "listed")
    assert [finding["kind"] for finding in told["findings"]] == ["reader", "reader", "ceiling"]
    shared = company.json("explain", "fiona", "filings", "--in", "all-hands")
    assert (shared["allowed"], shared["rule"]) == (False, "public")
    assert "in all-hands: a public room" in company.run("explain", "fiona", "filings", "--in", "all-hands").stdout


def test_explain_says_when_somebodys_groups_are_unknown(company: Company) -> None:
    company.settle()
    warning = "slack-user:T0HOME/U0NEW is in no directory: their groups are unknown here"
    assert warning in company.run("explain", "slack-user:T0HOME/U0NEW", "filings").stdout
    assert "is in no directory" not in company.run("explain", "slack-user:T0HOME/U0FIONA", "filings").stdout


def test_explain_names_the_choices_for_what_it_does_not_know(company: Company) -> None:
    company.settle()
    assert "WHO: 'fio' is not a person; forms: " in company.refusal("explain", "fio", "filings")
    assert "or one of the directory: carla, fiona, oskar" in company.refusal("explain", "fio", "filings")
    assert "did you mean 'filings'?" in company.refusal("explain", "fiona", "fillings")
    assert "or one of the directory: all-hands, finance" in company.refusal(
        "explain", "fiona", "sap", "--in", "nowhere"
    )


async def _record(folder: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{folder / 'documents.db'}") as engine:
        labels = frozenset({"filings"})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        record = DocumentRecord("a/filings/report.pdf", "a", "Report", labels, "h", "f", "indexed", 3, modified=now)
        await SqlRecords(engine).save(record)


def test_documents_of_the_database_are_known_by_the_end_of_their_path(company: Company) -> None:
    import asyncio

    company.settle()
    asyncio.run(_record(company.folder))
    database = f"sqlite+aiosqlite:///{company.folder / 'documents.db'}"
    company.write("rolecall.yaml", f"version: 1\ndirectory: directory.yaml\ndatabase: {database}\n")
    told = company.json("explain", "fiona", "report.pdf")
    assert (told["target"], told["labels"], told["allowed"]) == ("a/filings/report.pdf", ["filings"], True)
    who = company.json("who-can-read", "a/filings/report.pdf")
    assert [one["name"] for one in who["who"] if one["allowed"] and one["kind"] == "person"] == ["carla", "fiona"]
    new = company.write(
        "new.yaml", TEXT.replace("[slack-group:S0OPS], read: [", "[slack-group:S0OPS], read: [filings, ")
    )
    changes = {
        change["name"]: change
        for change in company.json("diff", str(company.folder / "roles.yaml"), str(new))["changes"]
    }
    assert changes["oskar"]["documents_gained"] == ["a/filings/report.pdf"]


def test_who_can_read_lists_people_groups_and_rooms(company: Company) -> None:
    company.settle()
    told = company.json("who-can-read", "filings")
    assert (told["kind"], told["labels"]) == ("label", ["filings"])
    allowed = {one["name"] for one in told["who"] if one["allowed"]}
    assert {"fiona", "carla", "finance", "anybody in slack-group:S0FIN"} <= allowed
    done = company.run("who-can-read", "filings")
    assert done.exit_code == 0
    assert "not: oskar, all-hands" in done.stdout


def test_diff_says_who_gains_and_loses_and_fails_then(company: Company) -> None:
    company.settle()
    old = str(company.folder / "roles.yaml")
    new = str(company.write("new.yaml", TEXT.replace("read: [maintenance]", "read: [maintenance, hr]")))
    done = company.run("diff", old, new)
    assert done.exit_code == 1
    assert "Oskar Lind\n  + reads: hr" in done.stdout
    assert [change["name"] for change in company.json("diff", old, new)["changes"]] == [
        "anybody in slack-group:S0OPS",
        "oskar",
    ]


def test_diff_tells_rights_rooms_and_marks(company: Company) -> None:
    company.settle()
    old = str(company.folder / "roles.yaml")
    text = TEXT.replace("    read: [filings, sap]", "    admin: true\n    read: [filings, sap]")
    text = text.replace("reply: threads", "reply: never").replace("ceiling: [filings, company]", "ceiling: [company]")
    marked = text + "sensitivity: [{name: Secret, description: Hush., labels: [hr]}]\n"
    done = company.run("diff", old, str(company.write("new.yaml", marked)))
    assert done.exit_code == 1
    told = " ".join(done.stdout.split())
    for words in (
        "~ admin: may ask who can read what from now on",
        "~ reply: threads -> never",
        "- hears: filings",
        "~ mark of hr: no mark -> Secret (Hush.)",
    ):
        assert words in told, told


def test_diff_without_a_difference_is_fine(company: Company) -> None:
    old = str(company.folder / "roles.yaml")
    new = str(company.write("new.yaml", TEXT.replace("  finance:", "  money:")))
    done = company.run("diff", old, new)
    assert (done.exit_code, done.stdout.strip()) == (0, "Nobody gains or loses anything.")


@pytest.mark.parametrize("command", ["check", "test", "explain", "who-can-read", "diff"])
def test_every_help_has_an_example(company: Company, command: str) -> None:
    assert "Example: rolecall policy " in company.run(command, "--help").stdout
