"""Globs."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.file.errors import InvalidPattern
from opencode.file.glob import GlobFilter


@pytest.mark.parametrize(
    ("glob", "path", "wanted"),
    [
        ("*.py", "a.py", True),
        ("*.py", "x/y/a.py", True),
        ("*.py", "a.pyc", False),
        ("/*.py", "x/a.py", False),
        ("/*.py", "a.py", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/x/a.py", False),
        ("src/*.py", "lib/src/a.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/x/y/a.py", True),
        ("**/test/**", "a/test/b/c", True),
        ("a**b", "axxb", True),
        ("a**b", "ax/xb", False),
        ("?.py", "a.py", True),
        ("?.py", "/.py", False),
        ("[a-c].py", "b.py", True),
        ("[!a-c].py", "b.py", False),
        ("[!a-c].py", "d.py", True),
        ("[]].py", "].py", True),
        ("*.{ts,tsx}", "x/a.tsx", True),
        ("{src,lib}/**/{a,b}.{c,d}", "lib/q/b.c", True),
        ("a{b,c{d,e}}", "ace", True),
        ("\\*.py", "*.py", True),
        ("\\*.py", "a.py", False),
        ("\\{a", "{a", True),
        ("./a.py", "a.py", True),
        ("a.py", "axpy", False),
    ],
)
def test_a_glob_lets_through(glob: str, path: str, wanted: bool) -> None:
    assert GlobFilter([glob]).wants(path) is wanted


def test_without_a_positive_glob_everything_is_wanted() -> None:
    chosen = GlobFilter(["!x", "!*.log"])
    assert chosen.wants("anything")
    assert [chosen.excludes(path) for path in ("x", "a/x", "a.log", "y")] == [True, True, True, False]


@pytest.mark.parametrize(
    ("glob", "catches"), [("*", True), ("src/**/*", True), ("**/", True), ("*.py", False), ("a/b", False)]
)
def test_a_glob_of_wildcards_alone_catches_all(glob: str, catches: bool) -> None:
    assert GlobFilter([glob]).is_catch_all is catches


@pytest.mark.parametrize("glob", ["{a", "a}", "[a", "[z-a]", "{a,b}" * 20])
def test_a_glob_that_makes_no_sense_is_refused(glob: str) -> None:
    with pytest.raises(InvalidPattern):
        GlobFilter([glob])


@given(st.text(alphabet="a/*?[]{}!\\,.^-", max_size=20), st.text(alphabet="a/.", max_size=10))
def test_any_glob_works_or_is_refused(glob: str, path: str) -> None:
    with contextlib.suppress(InvalidPattern):
        GlobFilter([glob]).wants(path)
