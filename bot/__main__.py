"""The command line: `rolecall [--config rolecall.yaml] COMMAND`. Errors go to stderr: 2 for the admin's, 1 for failures."""

from __future__ import annotations

import logging
import os
import sys
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot.errors import BotError, ConfigError

USAGE_ERROR = 2
FAILURE = 1


class Commands(TyperGroup):
    """The command tree as it runs: what is wrong with a setting is told with its line, whoever notices it."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises ConfigError with file and line."""
        from bot.settings import located

        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise located(error, ctx.obj) from error


def make_app() -> typer.Typer:
    """The command tree. Commands are imported here, so that importing this module does nothing."""
    from bot.commands import ask, audit, demo, doctor, evaluate, operate, policy, serve, sync

    app = typer.Typer(
        name="rolecall",
        cls=Commands,
        help="Answers employees from their company's documents; shows nobody what a reader may not see.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    app.command()(ask.ask)
    app.command()(ask.chat)
    app.command()(ask.search)
    app.command()(ask.route)
    app.command(name="sync")(sync.sync_command)
    app.add_typer(policy.app, name="policy")
    app.command()(doctor.doctor)
    app.add_typer(evaluate.app, name="eval")
    app.command()(demo.demo)
    app.command()(serve.serve)
    app.add_typer(audit.app, name="audit")
    app.command()(operate.backup)
    app.command()(operate.restore)
    app.command()(operate.erase)
    return app


def _root(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The settings file.")] = Path("rolecall.yaml"),
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, to stderr.")] = False,
) -> None:
    """Answers employees from their company's documents; shows nobody what a reader may not see."""
    context.obj = config
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, stream=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. The only place where a bug is caught: it is logged under an id that the person can report."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore")
    try:
        make_app()(arguments, standalone_mode=True)
    except ConfigError as error:
        _fail(str(error), USAGE_ERROR)
    except BotError as error:
        _fail(str(error), FAILURE)
    except KeyboardInterrupt:
        _fail("interrupted", FAILURE)
    except Exception:  # the outermost layer of the command line: a trace goes to the log, a number to the person
        number = uuid.uuid4().hex[:8]
        logging.getLogger("rolecall").exception("error %s", number)
        _fail(f"something went wrong; the log has the details under error {number}", FAILURE)


def _fail(words: str, code: int) -> None:
    sys.stderr.write(f"rolecall: {words}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
