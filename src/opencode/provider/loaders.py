"""What single providers need beyond the catalogue: extra headers, keyless use (spec: providers, section 5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opencode.provider.schema import Model

PRODUCT_URL = "https://opencode.ai/"
ATTRIBUTION = {"HTTP-Referer": PRODUCT_URL, "X-Title": "opencode"}
ANTHROPIC_BETA = "interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14"
PUBLIC_KEY = "public"


@dataclass(frozen=True, slots=True)
class Loaded:
    """``options``: merged into the provider's own. ``models``: which of its models can be used."""

    options: Mapping[str, Any] = field(default_factory=dict)
    models: Callable[[Model], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Known:
    """What a loader may look at."""

    has_key: bool
    models: Callable[[], Mapping[str, Model]]


Loader = Callable[[Known], Loaded]


def _headers(headers: Mapping[str, str]) -> Loader:
    return lambda _: Loaded(options={"headers": dict(headers)})


def _opencode(known: Known) -> Loaded:
    """Without a key only models that cost nothing, with the public key, where the configuration names the provider.

    Never by itself: a server without any settings must not send the user's code to anyone.
    """
    return Loaded() if known.has_key else Loaded(options={"apiKey": PUBLIC_KEY}, models=_is_free)


def _is_free(model: Model) -> bool:
    return model.cost.input == 0


LOADERS: dict[str, Loader] = {
    "anthropic": _headers({"anthropic-beta": ANTHROPIC_BETA}),
    "opencode": _opencode,
    "openrouter": _headers(ATTRIBUTION),
    "zenmux": _headers(ATTRIBUTION),
    "kilo": _headers(ATTRIBUTION),
    "vercel": _headers({name.lower(): value for name, value in ATTRIBUTION.items()}),
    "cerebras": _headers({"X-Cerebras-3rd-Party-Integration": "opencode"}),
}
