"""What single providers need beyond the catalogue: extra headers, keyless use (spec: providers, section 5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opencode.provider.schema import Model
from opencode.provider.wire.vertex import vertex_host

PRODUCT_URL = "https://opencode.ai/"
ATTRIBUTION = {"HTTP-Referer": PRODUCT_URL, "X-Title": "opencode"}
ANTHROPIC_BETA = "interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14"
PUBLIC_KEY = "public"
AWS_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
CLOUD_PROJECT = ("GOOGLE_VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCP_PROJECT", "GCLOUD_PROJECT")
CLOUD_LOCATION = ("GOOGLE_VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION", "VERTEX_LOCATION")


@dataclass(frozen=True, slots=True)
class Loaded:
    """``options``: merged below the provider's own. ``models``: which of its models can be used.

    ``activates``: there are credentials that the provider's own variables do not tell of. ``variables``: what stands
    for ``${NAME}`` in addresses, before the environment.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    models: Callable[[Model], bool] = lambda _: True
    activates: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What a loader may look at."""

    has_key: bool
    models: Callable[[], Mapping[str, Model]]
    options: Mapping[str, Any]
    environ: Mapping[str, str]

    def variable(self, *names: str) -> str | None:
        """The first of these variables that is set."""
        return next((value for name in names if (value := self.environ.get(name))), None)


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


def _bedrock(known: Known) -> Loaded:
    options = {
        "region": known.options.get("region") or known.variable("AWS_REGION", "AWS_DEFAULT_REGION"),
        "profile": known.options.get("profile") or known.variable("AWS_PROFILE"),
    }
    return Loaded(
        options={name: value for name, value in options.items() if value},
        activates=bool(options["profile"] or known.variable(*AWS_CREDENTIALS)),
    )


def _vertex(location: str) -> Loader:
    def load(known: Known) -> Loaded:
        project = known.options.get("project") or known.variable(*CLOUD_PROJECT)
        place = known.options.get("location") or known.variable(*CLOUD_LOCATION) or location
        variables = {"GOOGLE_VERTEX_LOCATION": place, "GOOGLE_VERTEX_ENDPOINT": vertex_host(place)}
        return Loaded(
            options={"location": place, **({"project": project} if project else {})},
            activates=bool(project),
            variables={**variables, **({"GOOGLE_VERTEX_PROJECT": project} if project else {})},
        )

    return load


def _azure(known: Known) -> Loaded:
    resource = known.variable("AZURE_RESOURCE_NAME")
    return Loaded(options={"resourceName": resource} if resource else {})


def _azure_cognitive(known: Known) -> Loaded:
    resource = known.variable("AZURE_COGNITIVE_SERVICES_RESOURCE_NAME")
    return Loaded(options={"baseURL": f"https://{resource}.cognitiveservices.azure.com/openai"} if resource else {})


LOADERS: dict[str, Loader] = {
    "amazon-bedrock": _bedrock,
    "azure": _azure,
    "azure-cognitive-services": _azure_cognitive,
    "google-vertex": _vertex("us-central1"),
    "google-vertex-anthropic": _vertex("global"),
    "anthropic": _headers({"anthropic-beta": ANTHROPIC_BETA}),
    "opencode": _opencode,
    "openrouter": _headers(ATTRIBUTION),
    "zenmux": _headers(ATTRIBUTION),
    "kilo": _headers(ATTRIBUTION),
    "vercel": _headers({name.lower(): value for name, value in ATTRIBUTION.items()}),
    "cerebras": _headers({"X-Cerebras-3rd-Party-Integration": "opencode"}),
}
