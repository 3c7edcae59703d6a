"""The listener for terminals as a part of the server, with an event loop and a thread of its own: terminals do not wait
for browsers, nor browsers for terminals. A port that is taken does not keep the server from lending.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from sqlalchemy.orm import Session

from carrel.web.i18n import in_language
from server.deps import Core
from server.lending import service as lending
from server.settings import ServerSettings
from server.sip2.listener import House, Listener
from server.sip2.message_log import MessageLog
from server.sip2.profile import Directory, Profile, Sip2Config, TerminalConfig, unknown_branches
from server.sip2.terminals import Terminals
from server.sip2.work.desk import Desk

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 5.0

STRANGE = "SIP2 terminals have branches that the library does not have, and books would be sent there"
MEND = "correct the `branch` of [[server.sip2.terminal]] in config.toml, or name it among the branches of the policy"

NOBODY = TerminalConfig.model_construct(id="unknown")
"""The dialect that is spoken before a terminal has signed in."""


@asynccontextmanager
async def sip2_part(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Serve terminals as long as the server runs; stands on `server.live.part`."""
    config = with_files(core.settings)
    terminals: Terminals = app.state.terminals
    app.state.sip2 = None
    if not config.enabled:
        yield
        return
    with core.database.reading() as session:
        unknown = strange_branches(session, core.settings)
    if unknown:
        log.warning("%s: %s; %s", STRANGE, "; ".join(unknown), MEND)
    directory = Directory(profile_of(core.settings, terminal) for terminal in config.terminal)
    terminals.expect(directory.profiles)
    desk = Desk(core)
    common = profile_of(core.settings, NOBODY)
    messages = MessageLog(config.log)
    listener = app.state.sip2 = Listener(
        House(config, directory, common, desk, core.clock, terminals=terminals, messages=messages)
    )
    starter = Starter(listener, config)
    core.checks.add("sip2", starter.probe, required=False)
    with start_blocking_portal("asyncio", {"use_uvloop": True}, name="sip2") as thread:
        await asyncio.wrap_future(thread.start_task_soon(starter.attempt))
        again = thread.start_task_soon(starter.run)
        try:
            yield
        finally:
            again.cancel()
            await asyncio.wrap_future(thread.start_task_soon(listener.stop))
            await asyncio.to_thread(desk.close)
            messages.close()


class Starter:
    """Starts the listener, and tries again while its port is taken."""

    def __init__(self, listener: Listener, config: Sip2Config) -> None:
        self._listener = listener
        self._config = config
        self._trouble: str | None = None

    def probe(self) -> str | None:
        """None when terminals are served, else why not."""
        return self._trouble

    async def attempt(self) -> None:
        """Start unless it serves already; a failure is told once."""
        where = f"{self._config.host}:{self._config.port}"
        try:
            await self._listener.start()
        except OSError as error:  # ssl.SSLError is one too
            trouble = f"cannot serve terminals on {where}: {error.strerror or error}"
            if self._trouble is None:
                log.error(
                    "%s; end the program that holds the port, or change [server.sip2] in config.toml. "
                    "Everything else goes on, and it is tried again every %.0f s", trouble, AGAIN_AFTER_S,
                )  # fmt: skip
            self._trouble = trouble
        else:
            self._trouble = None
            log.info("serving SIP2 terminals on %s:%s", self._config.host, self._listener.port)

    async def run(self) -> None:
        """Until it serves."""
        while self._trouble is not None:
            await asyncio.sleep(AGAIN_AFTER_S)
            await self.attempt()


def with_files(settings: ServerSettings) -> Sip2Config:
    """The configuration with absolute paths."""
    config, path = settings.server.sip2, settings.document.path

    def absolute(file: Path | None) -> Path | None:
        return None if file is None else path(file)

    files = {name: absolute(getattr(config, name)) for name in ("tls_cert", "tls_key", "log")}
    return config.model_copy(update=files)


def strange_branches(session: Session, settings: ServerSettings) -> list[str]:
    """Branches of terminals and their bins that are none of the policy's nor the library's own."""
    now, own = lending.current(session), settings.common.library.branch
    return unknown_branches(settings.server.sip2.terminal, lambda branch: lending.knows_branch(now, branch, own=own))


def profile_of(settings: ServerSettings, terminal: TerminalConfig) -> Profile:
    """A terminal with the library's own where it says nothing."""
    library, config = settings.common.library, settings.server.sip2
    language = terminal.language or library.language
    return Profile(
        terminal=terminal,
        institution=terminal.institution or config.institution,
        branch=terminal.branch or library.branch,
        language=language,
        library=in_language(language, (library.name, library.name_zh)),
        zone=library.zone,
        timeout_s=config.timeout_s,
        retries=config.retries,
    )
