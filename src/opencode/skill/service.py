"""The skills of one directory."""

from collections.abc import Callable, Iterable
from pathlib import Path

from anyio import to_thread

from opencode.config.environment import Environment
from opencode.config.errors import ConfigFrontmatterError
from opencode.config.schema import Config
from opencode.core.log import Logger
from opencode.core.paths import Paths
from opencode.core.wire import UNSET
from opencode.skill.builtin import LOCATION, builtin_skills
from opencode.skill.document import read_skill
from opencode.skill.errors import SkillNotFound
from opencode.skill.index import download_indexes
from opencode.skill.places import skill_files, skill_roots
from opencode.skill.schema import Skill

log = Logger("skill")

Report = Callable[[str], None]
"""Told of a file whose front matter cannot be read."""


class SkillService:
    """Knows every skill that was found. Fixed for the life of the instance."""

    def __init__(self, skills: Iterable[Skill]) -> None:
        self._skills = {skill.name: skill for skill in sorted(skills, key=lambda skill: skill.name)}

    def get(self, name: str) -> Skill:
        """One skill. Raises ``SkillNotFound``, which names all."""
        if name not in self._skills:
            raise SkillNotFound(name, self._skills)
        return self._skills[name]

    def directories(self) -> tuple[Path, ...]:
        """The folder of each skill that has files: agents may read what lies there."""
        return tuple(Path(skill.location).parent for skill in self._skills.values() if skill.location != LOCATION)

    def list(self) -> list[Skill]:
        """All skills by name. Source: operation ``app.skills``."""
        return [*self._skills.values()]


async def load_skills(
    config: Config, directory: Path, worktree: Path, paths: Paths, environment: Environment, report: Report
) -> SkillService:
    """Find and read the skills, the built-in one first; of several with one name the last found wins.

    Unreadable front matter is reported, other unreadable files and failed downloads are logged; all are skipped.
    """
    roots = skill_roots(config, directory, worktree, paths, environment)
    found, faults = await to_thread.run_sync(_read_all, roots)
    if config.skills is not UNSET and config.skills.urls is not UNSET:
        downloaded = await download_indexes(config.skills.urls, paths.cache / "skills")
        more, more_faults = await to_thread.run_sync(_read_all, downloaded)
        found, faults = found + more, faults + more_faults
    for fault in faults:
        report(fault)
    return SkillService(_without_duplicates([*builtin_skills(), *found]))


def _read_all(roots: Iterable[Path]) -> tuple[list[Skill], list[str]]:
    """What the folders hold, in order, and what is wrong with their files."""
    skills: list[Skill] = []
    faults: list[str] = []
    for path in dict.fromkeys(path for root in roots for path in skill_files(root)):
        try:
            skill = read_skill(path)
        except ConfigFrontmatterError as fault:
            faults.append(fault.message)
        except OSError as error:
            log.warning("skill not readable", path=str(path), reason=str(error))
        else:
            if skill is not None:
                skills.append(skill)
    return skills, faults


def _without_duplicates(skills: Iterable[Skill]) -> Iterable[Skill]:
    chosen: dict[str, Skill] = {}
    for skill in skills:
        if skill.name in chosen:
            log.warning(
                "two skills of one name", name=skill.name, used=skill.location, hidden=chosen[skill.name].location
            )
        chosen[skill.name] = skill
    return chosen.values()
