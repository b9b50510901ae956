"""What the files of a project may not do as long as the user does not trust it (docs/decisions/0007)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opencode.config.redirect import Redirect


@dataclass(frozen=True, slots=True)
class Confinement:
    """``root``: the project, which its files must not lead out of; None: trusted, nothing is limited.

    ``redirected``: providers at an address of the project's choice. ``instructions``: entries that the project adds.
    """

    root: Path | None = None
    redirected: Mapping[str, Redirect] = field(default_factory=dict)
    instructions: frozenset[str] = frozenset()
    remedy: str = ""

    def admits(self, path: Path) -> bool:
        """Whether a file that the project names may be read: it is in the project, links followed."""
        return self.root is None or Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))

    def admits_found(self, path: Path) -> bool:
        """Whether a file that was found by its name may be read: it is no link that leads away."""
        return self.admits(path) or Path(os.path.realpath(path)).is_relative_to(os.path.realpath(path.parent))

    def admits_instructions(self, entry: str, path: Path) -> bool:
        """Whether a file that an entry of ``instructions`` names may be read."""
        return entry not in self.instructions or self.admits(path)

    def refusal(self, provider_id: str, *, has_key: bool) -> str | None:
        """Why a provider is not called; None when it may be.

        A provider that an untrusted project sends elsewhere gets none of the user's secrets.
        """
        redirect = self.redirected.get(provider_id)
        if redirect is None or not (has_key or redirect.wants_secrets):
            return None
        return (
            f"This project's configuration sends the requests of provider {provider_id} to {redirect.address}, and"
            f" your credentials would go there too. Nothing was sent. {self.remedy}"
        )


UNCONFINED = Confinement()
