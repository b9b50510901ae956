import subprocess
import sys

from bench.targets import ROWS


def test_the_short_form_measures_every_row_of_ours() -> None:
    """Only that it works: figures of a busy machine mean nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = {line.split()[0] for line in done.stdout.splitlines() if " ours " in line}
    assert {row.key for row in ROWS} == printed
