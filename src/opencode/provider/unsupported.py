"""Packages of the catalogue that speak a protocol this server does not, and what to use instead."""

from typing import Final

GITLAB: Final = (
    "GitLab Duo",
    "the models behind it are offered by Anthropic and OpenAI themselves, with a key of their own",
)
SAP: Final = (
    "SAP AI Core's orchestration",
    "put a gateway that speaks Chat Completions (LiteLLM, for one) before it",
)
UNSUPPORTED: Final[dict[str, tuple[str, str]]] = {
    "gitlab-ai-provider": GITLAB,
    "@gitlab/gitlab-ai-provider": GITLAB,
    "@jerome-benoit/sap-ai-provider": SAP,
    "@jerome-benoit/sap-ai-provider-v2": SAP,
    "@mymediset/sap-ai-provider": SAP,
    "watsonx-ai-provider": (
        "IBM watsonx.ai",
        "use the Chat Completions address of watsonx's own model gateway (https://REGION.ml.cloud.ibm.com/ml/gateway/v1)",
    ),
    "merge-gateway-ai-sdk-provider": (
        "Merge's gateway",
        "use the Chat Completions address of the same gateway (https://api-gateway.merge.dev/v1/openai)",
    ),
}
"""For each package whose protocol it is, and the way round."""

OWN_PROVIDER: Final = (
    'A provider of your own with "npm": "@ai-sdk/openai-compatible" and "options": {"baseURL": ...} reaches everything'
    " that speaks Chat Completions"
)


def refusal_of(npm: str) -> str:
    """Why a package cannot be used here, and what can."""
    known = UNSUPPORTED.get(npm)
    if known is None:
        return f"There is no wire for the package {npm!r}. {OWN_PROVIDER}."
    whose, instead = known
    return f"There is no wire for the package {npm!r}, which speaks the protocol of {whose}: {instead}. {OWN_PROVIDER}."
