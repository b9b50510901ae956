"""The pages for people: every link leads somewhere, every page is found, every configuration that they show is one."""

import re
from pathlib import Path

import pyjson5
import pytest

from opencode.config.parse import find_issues, parse_config
from tests.support.pages import examples

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMAND = re.compile(r"(?:`|^)make ([a-z-]+)", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
ANCHOR = re.compile(r"\]\(([^)#\s:]*)#([^)\s]+)\)")
VARIABLE = re.compile(r"OPENCODE_[A-Z_]*[A-Z]")
FOR_TESTS = {"OPENCODE_TEST_HOME", "OPENCODE_TEST_MANAGED_CONFIG_DIR"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_other_pages_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_headings_lead_to_one(page: Path) -> None:
    linked = [(page.parent / name if name else page, heading) for name, heading in ANCHOR.findall(page.read_text())]
    assert [heading for target, heading in linked if heading not in anchors(target)] == []


def test_every_page_is_found_from_the_readme() -> None:
    found, todo = set[Path](), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in found and page.suffix == ".md":
            found.add(page)
            todo += [(page.parent / name).resolve() for name in LINK.findall(page.read_text()) if "://" not in name]
    assert set(PAGES) - found == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_configurations_that_are_shown_are_valid(page: Path) -> None:
    for shown in examples(str(page.relative_to(ROOT))):
        if shown.language in ("json", "jsonc"):
            for text in re.split(r"^(?=\{)", shown.text, flags=re.MULTILINE)[1:]:  # several may stand below each other
                config = pyjson5.decode(text)
                assert find_issues(config) == [], text
                parse_config(config)


def test_every_environment_variable_of_the_program_is_on_a_page() -> None:
    named = {name for path in ROOT.glob("src/**/*.py") for name in VARIABLE.findall(path.read_text())}
    shown = {name for page in PAGES for name in VARIABLE.findall(page.read_text())}
    assert named - shown - FOR_TESTS == set()


def anchors(page: Path) -> set[str]:
    """The names that headings of a page have in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/decisions"
    pages = {path.name for path in folder.glob("0*.md")}
    assert set(LINK.findall((folder / "README.md").read_text())) == pages


def test_every_package_is_in_the_layer_map() -> None:
    packages = {path.parent.name for path in ROOT.glob("src/opencode/*/__init__.py")}
    map_of_layers = (ROOT / "docs/architecture.md").read_text()
    assert {name for name in packages if f"`{name}`" not in map_of_layers} == set()


def test_every_make_target_that_the_pages_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in COMMAND.findall(page.read_text())}
    assert named - targets == set()


def test_every_tolerated_difference_has_its_reason() -> None:
    rows = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs/compatibility.md").read_text(), re.MULTILINE))
    lines = (ROOT / "docs/compatibility-tolerances.txt").read_text().splitlines()
    groups = [line.split()[1] for line in lines if re.match(r"# \d", line)]
    assert set(groups) - rows == set()
    assert groups == sorted(set(groups), key=int)
    assert [line for line in lines if "#" in line[1:]] == []
