"""``opencode import --from-opencode``: every session of an installed OpenCode, as often as one likes."""

from pathlib import Path

import anyio
import anyio.to_thread

from opencode.cli.errors import CliError
from opencode.cli.import_report import ImportReport
from opencode.cli.local_client import local_client
from opencode.cli.options import GlobalOptions
from opencode.cli.surroundings import Surroundings, surroundings
from opencode.client.client import OpenCodeClient
from opencode.client.errors import ClientError, RequestFailed
from opencode.core.log import get_logger
from opencode.core.wire import UNSET
from opencode.transfer.batches import batches
from opencode.transfer.comparison import decide, same_content
from opencode.transfer.errors import KeepsChanging, NothingToImport
from opencode.transfer.places import OfficialData, open_official
from opencode.transfer.reading import OfficialReader, Outline, Problems
from opencode.transfer.record import Source
from opencode.transfer.schema import RestoreSession

log = get_logger("import")


def import_official(globals_: GlobalOptions, place: str | None) -> int:
    """0 when everything that could be read is stored as it was read; 1 otherwise. Prints what was done."""
    with surroundings(globals_) as around:
        path = Path(place).absolute() if place else default_place(around)
        try:
            with open_official(path) as data:
                return anyio.run(_import, around, data, backend_options={"use_uvloop": True})
        except (NothingToImport, KeepsChanging, ClientError) as error:
            raise CliError(str(error)) from error
        except OSError as error:
            raise CliError(f"{path} cannot be read: {error}") from error


def default_place(around: Surroundings) -> Path:
    """The database that the environment names, else the data directory that both programs share."""
    database = around.environment.get("OPENCODE_DB")
    return around.paths.data / database if database else around.paths.data


async def _import(around: Surroundings, data: OfficialData) -> int:
    report = ImportReport()
    async with local_client(around) as client:
        for source in data.sources:
            await SourceImport(source, client, report).run()
    report.print(data.notes)
    return 0 if report.is_good else 1


class SourceImport:
    """Brings the sessions of one source to the server, one after the other.

    Each session is committed by itself: whatever ends this, the next run goes on where it ended.
    """

    def __init__(self, source: Source, client: OpenCodeClient, report: ImportReport) -> None:
        self._client = client
        self._report = report
        self._source = source
        self._problems = Problems()
        self._reader = OfficialReader(source, self._problems)

    async def run(self) -> None:
        """Import all there are and note what became of each."""
        sessions = self._reader.sessions()
        while (session := await anyio.to_thread.run_sync(next, sessions, None)) is not None:
            outline = await anyio.to_thread.run_sync(self._reader.outline, session)
            try:
                await self._session(outline)
            except RequestFailed as error:
                self._report.failed(session, str(error))
            self._report.progress()
        for skipped in self._problems.found.values():
            log.warning("left out of the import", place=skipped.place, reason=skipped.reason)
        self._report.finish(self._source, self._problems, self._reader.shared)

    async def _session(self, outline: Outline) -> None:
        """Store one session as far as it is not, and read it back."""
        session = outline.session
        decision = decide(outline, await self._client.session_content(session.id))
        if decision in ("new", "updated"):
            await self._send(outline)
            stored = await self._client.session_content(session.id)
            if stored is None or not same_content(outline, stored):
                self._report.failed(session, "what is stored is not what was read")
                return
        self._report.done(decision, outline)

    async def _send(self, outline: Outline) -> None:
        """The session with its messages, in pieces that a server can take at once."""
        pieces = batches(self._reader.messages(outline.session))
        while (messages := await anyio.to_thread.run_sync(next, pieces, None)) is not None:
            await self._client.restore_session(
                RestoreSession(
                    info=outline.session,
                    project=outline.project if outline.project is not None else UNSET,
                    todos=outline.todos,
                    messages=messages,
                    replace=True,
                )
            )
