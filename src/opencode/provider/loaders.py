"""What single providers need beyond the catalogue: extra headers, keyless use (spec: providers, section 5)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opencode.auth.schema import OAuthCredential
from opencode.core.wire import replace
from opencode.provider.connection import HOST_LABEL
from opencode.provider.schema import Model, ModelCost
from opencode.provider.wire.bedrock_regions import DEFAULT_REGION
from opencode.provider.wire.vertex import vertex_host

PRODUCT_URL = "https://opencode.ai/"
ATTRIBUTION = {"HTTP-Referer": PRODUCT_URL, "X-Title": "opencode"}
ANTHROPIC_BETA = "interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14"
PUBLIC_KEY = "public"
COPILOT_NPM = "@ai-sdk/github-copilot"
COPILOT_URL = "https://api.githubcopilot.com"
SUBSCRIPTION_MODEL = re.compile(r"gpt-(\d+)\.(\d+)(?:-mini)?")
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
    for ``${NAME}`` in addresses, before the environment. ``change``: what its models are like here. ``uses_account``:
    the provider is called in the name of the account the user has signed in to.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    models: Callable[[Model], bool] = lambda _: True
    activates: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[Model], Model] = lambda model: model
    uses_account: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What a loader may look at.

    ``signed_in``: the account, when the user has signed in; ``metadata``: what was stored with a key.
    """

    has_key: bool
    models: Callable[[], Mapping[str, Model]]
    options: Mapping[str, Any]
    environ: Mapping[str, str]
    signed_in: OAuthCredential | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

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
        "baseURL": known.options.get("endpoint"),
    }
    return Loaded(
        options={name: value for name, value in options.items() if value},
        activates=bool(options["profile"] or known.variable(*AWS_CREDENTIALS)),
        variables=_labels({"AWS_REGION": options["region"] or DEFAULT_REGION}),
    )


def _vertex(location: str) -> Loader:
    def load(known: Known) -> Loaded:
        project = known.options.get("project") or known.variable(*CLOUD_PROJECT)
        place = known.options.get("location") or known.variable(*CLOUD_LOCATION) or location
        variables = {"GOOGLE_VERTEX_LOCATION": str(place), "GOOGLE_VERTEX_ENDPOINT": vertex_host(place)}
        return Loaded(
            options={"location": place, **({"project": project} if project else {})},
            activates=bool(project),
            variables={**variables, **({"GOOGLE_VERTEX_PROJECT": str(project)} if project else {})},
        )

    return load


def _azure(known: Known) -> Loaded:
    resource = known.metadata.get("resourceName") or known.variable("AZURE_RESOURCE_NAME")
    return Loaded(
        options={"resourceName": resource} if resource else {},
        variables=_labels({"AZURE_RESOURCE_NAME": known.options.get("resourceName") or resource}),
    )


def _azure_cognitive(known: Known) -> Loaded:
    resource = known.variable("AZURE_COGNITIVE_SERVICES_RESOURCE_NAME")
    return Loaded(options={"baseURL": f"https://{resource}.cognitiveservices.azure.com/openai"} if resource else {})


def _cloudflare_workers(known: Known) -> Loaded:
    return Loaded(variables=_set({"CLOUDFLARE_ACCOUNT_ID": known.metadata.get("accountId")}))


def _cloudflare_gateway(known: Known) -> Loaded:
    """The account, the gateway in it, and the gateway's own token where there is no other."""
    token = None if known.has_key else known.variable("CF_AIG_TOKEN")
    place = {
        "accountId": known.variable("CLOUDFLARE_ACCOUNT_ID") or known.metadata.get("accountId"),
        "gatewayId": known.variable("CLOUDFLARE_GATEWAY_ID") or known.metadata.get("gatewayId"),
        "apiKey": token,
    }
    return Loaded(options=_set(place), activates=token is not None)


def _snowflake(known: Known) -> Loaded:
    return Loaded(variables=_labels({"SNOWFLAKE_ACCOUNT": known.metadata.get("account")}))


def _set(values: Mapping[str, Any]) -> dict[str, str]:
    """Those that say something."""
    return {name: str(value) for name, value in values.items() if value}


def _labels(values: Mapping[str, Any]) -> dict[str, str]:
    """Those that may be a piece of a host name: anything else could lead a key elsewhere."""
    return {name: value for name, value in _set(values).items() if HOST_LABEL.fullmatch(value)}


def _copilot(known: Known) -> Loaded:
    """All models over Copilot's wire; with an account they cost nothing by themselves."""
    if known.signed_in is None:
        return Loaded(change=_over_copilot)
    domain = known.signed_in.extra.get("enterpriseUrl")
    place = f"https://copilot-api.{str(domain).partition('://')[2] or domain}".rstrip("/") if domain else COPILOT_URL
    return Loaded(
        options={"baseURL": place},
        activates=True,
        change=lambda model: replace(_over_copilot(model), cost=ModelCost()),
        uses_account=True,
    )


def _over_copilot(model: Model) -> Model:
    return replace(model, api=replace(model.api, npm=COPILOT_NPM))


def _openai(known: Known) -> Loaded:
    """With an account: the models of the subscription, at no cost of their own. A configured key goes first."""
    if known.signed_in is None or known.options.get("apiKey"):
        return Loaded()
    return Loaded(
        models=lambda model: is_of_subscription(model.api.id),
        activates=True,
        change=lambda model: replace(model, cost=ModelCost()),
        uses_account=True,
    )


def is_of_subscription(model_id: str) -> bool:
    """Whether ChatGPT subscriptions include a model: Codex models, and GPT from 5.2 on without the special ones."""
    version = SUBSCRIPTION_MODEL.fullmatch(model_id)
    return "codex" in model_id or (version is not None and (int(version[1]), int(version[2])) >= (5, 2))


LOADERS: dict[str, Loader] = {
    "amazon-bedrock": _bedrock,
    "azure": _azure,
    "azure-cognitive-services": _azure_cognitive,
    "google-vertex": _vertex("us-central1"),
    "google-vertex-anthropic": _vertex("global"),
    "anthropic": _headers({"anthropic-beta": ANTHROPIC_BETA}),
    "cloudflare-workers-ai": _cloudflare_workers,
    "cloudflare-ai-gateway": _cloudflare_gateway,
    "github-copilot": _copilot,
    "github-copilot-enterprise": _copilot,
    "openai": _openai,
    "opencode": _opencode,
    "openrouter": _headers(ATTRIBUTION),
    "snowflake-cortex": _snowflake,
    "zenmux": _headers(ATTRIBUTION),
    "kilo": _headers(ATTRIBUTION),
    "vercel": _headers({name.lower(): value for name, value in ATTRIBUTION.items()}),
    "cerebras": _headers({"X-Cerebras-3rd-Party-Integration": "opencode"}),
}
