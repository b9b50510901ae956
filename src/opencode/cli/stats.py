"""``opencode stats``: what sessions have used (spec: CLI, section 2)."""

import msgspec

from opencode.cli.local_client import with_client
from opencode.cli.options import GlobalOptions
from opencode.cli.stats_table import Shown, tables
from opencode.client.client import OpenCodeClient


def stats_command(globals_: GlobalOptions, shown: Shown, *, project: str | None, as_json: bool) -> int:
    """Print the figures of all sessions. ``project``: only those of this project; empty: of the current one."""

    async def work(client: OpenCodeClient) -> int:
        project_id = (await client.current_project()).id if project == "" else project
        figures = await client.statistics(days=shown.days, project_id=project_id)
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(figures), indent=2).decode())
        else:
            print(tables(figures, shown))
        return 0

    return with_client(globals_, work)
