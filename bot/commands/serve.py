"""`rolecall serve`: the bot itself, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from pathlib import Path

import typer

from bot.background import broken_off
from bot.commands.common import JsonOption, config_path, console, run, show_json
from bot.logs import log_as
from bot.service import Service, open_service
from bot.wiring.parts import settings_of

LAST = 29.0
"""Seconds after the order to stop at which the process ends in any case: a thread that hangs must not hold it up.
Nothing is lost by that; the inbox holds what is not done."""


def serve(context: typer.Context, as_json: JsonOption = False) -> None:
    """The bot: the chats of `doors:`, and /healthz, /readyz and /metrics. SIGTERM finishes what was begun, or gives it back.

    Example: rolecall --config rolecall.yaml serve
    """
    run(_serve(config_path(context), as_json))


async def _serve(config: Path, as_json: bool) -> None:
    log_as(settings_of(config).monitoring.logs, logging.getLogger().level)
    async with open_service(config) as service:
        if as_json:
            show_json({"serving": True, "port": service.port})
        else:
            console.print(f"serving on port {service.port}; Ctrl-C stops", highlight=False)
        await _until_told(service)


async def _until_told(service: Service) -> None:
    """Work until SIGTERM or SIGINT, or until the worker fails, which it reports."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for order in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(order, told.set)
    work, order_to_stop = asyncio.create_task(service.worker.run()), asyncio.create_task(told.wait())
    await asyncio.wait({work, order_to_stop}, return_when=asyncio.FIRST_COMPLETED)
    last = threading.Timer(LAST, os._exit, args=(1,))
    last.daemon = True
    last.start()
    await broken_off([order_to_stop])
    service.worker.stop()
    await work
