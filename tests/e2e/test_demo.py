"""``make run-once``: what a newcomer sees first."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demonstration_reads_edits_runs_and_reports(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, ROOT / "scripts/demo.py", "--once"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shown = [line.split()[1] for line in ended.stderr.splitlines() if line.startswith("✓")]
    assert shown == ["read", "read", "edit", "bash"]
    assert '+    return f"Welcome, {name}!"' in ended.stdout
