"""Providers and their models as configuration files write them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from opencode.config.part import ConfigPart, Number, alternatives, component, same_as
from opencode.core.wire import UNSET, UnsetType, Wire


class ContextCost(ConfigPart):
    """USD per million tokens of a long context."""

    input: Number
    output: Number
    cache_read: Number | UnsetType = UNSET
    cache_write: Number | UnsetType = UNSET


class ModelCostConfig(ConfigPart):
    """USD per million tokens."""

    input: Number
    output: Number
    cache_read: Number | UnsetType = UNSET
    cache_write: Number | UnsetType = UNSET
    context_over_200k: ContextCost | UnsetType = UNSET


class ModelLimitConfig(ConfigPart):
    """Tokens."""

    context: Number
    input: Number | UnsetType = UNSET
    output: Number


Modality = Literal["text", "audio", "image", "video", "pdf"]
REASONING_FIELDS = ("reasoning", "reasoning_content", "reasoning_text")
_REASONING_FIELD = [{"type": "string", "enum": list(REASONING_FIELDS)}, {"type": "string"}]


class ModalitiesConfig(ConfigPart):
    """The kinds of content that go in and come out."""

    input: list[Modality] | UnsetType = UNSET
    output: list[Modality] | UnsetType = UNSET


class InterleavedConfig(ConfigPart):
    """The field of an assistant message in which the model expects its reasoning back."""

    field: Annotated[str, Meta(extra_json_schema=alternatives(*_REASONING_FIELD))]


_INTERLEAVED_DOCUMENT = [
    {"type": "boolean"},
    *_REASONING_FIELD,
    {
        "type": "object",
        "properties": {"field": {"anyOf": _REASONING_FIELD}},
        "required": ["field"],
        "additionalProperties": False,
    },
]


class ModelProviderConfig(ConfigPart):
    """Where one model is served, when it differs from its provider."""

    npm: Annotated[str, Meta(description="The adapter.")] | UnsetType = UNSET
    api: Annotated[str, Meta(description="The base URL.")] | UnsetType = UNSET


class ModelConfig(ConfigPart):
    """A model of a provider: a new one, or changes to one of the catalogue."""

    id: Annotated[str, Meta(description="The model's name at the provider, if another than the key.")] | UnsetType = (
        UNSET
    )
    name: Annotated[str, Meta(description="The name that is shown.")] | UnsetType = UNSET
    family: Annotated[str, Meta(description="The family, such as `gpt-4`.")] | UnsetType = UNSET
    release_date: Annotated[str, Meta(description="As `YYYY-MM-DD`; newer models come first.")] | UnsetType = UNSET
    attachment: Annotated[bool, Meta(description="Takes files.")] | UnsetType = UNSET
    reasoning: Annotated[bool, Meta(description="Reasons before it answers.")] | UnsetType = UNSET
    temperature: Annotated[bool, Meta(description="Takes a temperature.")] | UnsetType = UNSET
    tool_call: Annotated[bool, Meta(description="Calls tools.")] | UnsetType = UNSET
    interleaved: (
        Annotated[
            bool | str | InterleavedConfig,
            Meta(
                description="The field in which it expects its reasoning back.",
                extra_json_schema=alternatives(*_INTERLEAVED_DOCUMENT),
            ),
        ]
        | UnsetType
    ) = UNSET
    cost: Annotated[ModelCostConfig, Meta(description="What it costs.")] | UnsetType = UNSET
    limit: Annotated[ModelLimitConfig, Meta(description="How many tokens it takes and gives.")] | UnsetType = UNSET
    modalities: (
        Annotated[ModalitiesConfig, Meta(description="The kinds of content that go in and come out.")] | UnsetType
    ) = UNSET
    experimental: Annotated[bool, Meta(description="Not for everyday use.")] | UnsetType = UNSET
    status: (
        Annotated[
            Literal["alpha", "beta", "deprecated", "active"],
            Meta(description="How finished it is; deprecated models are left out."),
        ]
        | UnsetType
    ) = UNSET
    provider: (
        Annotated[ModelProviderConfig, Meta(description="Where it is served, when it differs from its provider.")]
        | UnsetType
    ) = UNSET
    options: Annotated[dict[str, Any], Meta(description="Options of the adapter for this model.")] | UnsetType = UNSET
    headers: Annotated[dict[str, str], Meta(description="Headers for each request.")] | UnsetType = UNSET
    variants: (
        Annotated[
            dict[
                str,
                Annotated[
                    dict[str, Any],
                    Meta(
                        extra_json_schema={
                            "properties": {"disabled": {"type": "boolean"}},
                            "additionalProperties": {},
                        }
                    ),
                ],
            ],
            Meta(description="Named sets of options, such as reasoning efforts; `disabled` takes one away."),
        ]
        | UnsetType
    ) = UNSET


_MILLISECONDS_OR_FALSE = [{"type": "integer", "exclusiveMinimum": 0}, {"type": "boolean", "enum": [False]}]
Timeout = Annotated[int | bool, Meta(extra_json_schema=alternatives(*_MILLISECONDS_OR_FALSE))]


class ProviderOptions(Wire, rename={}):
    """The options of a provider that the server itself reads; the others go to the adapter as they are."""

    api_key: (
        Annotated[str, Meta(description="The key; better kept out of the file with `{env:NAME}` or `{file:path}`.")]
        | UnsetType
    ) = field(default=UNSET, name="apiKey")
    base_url: Annotated[str, Meta(description="The base URL.")] | UnsetType = field(default=UNSET, name="baseURL")
    enterprise_url: Annotated[str, Meta(description="The address of a company's own installation.")] | UnsetType = (
        field(default=UNSET, name="enterpriseUrl")
    )
    set_cache_key: (
        Annotated[bool, Meta(description="Send the session as a key for the provider's prompt cache.")] | UnsetType
    ) = field(default=UNSET, name="setCacheKey")
    timeout: (
        Annotated[Timeout, Meta(description="Milliseconds for a whole request; `false`: no limit.")] | UnsetType
    ) = UNSET
    header_timeout: (
        Annotated[Timeout, Meta(description="Milliseconds until the answer begins; `false`: no limit.")] | UnsetType
    ) = field(default=UNSET, name="headerTimeout")
    chunk_timeout: (
        Annotated[Timeout, Meta(description="Milliseconds between two chunks of a stream; `false`: no limit.")]
        | UnsetType
    ) = field(default=UNSET, name="chunkTimeout")

    def __post_init__(self) -> None:
        for value in (self.timeout, self.header_timeout, self.chunk_timeout):
            if value is True or (isinstance(value, int) and value is not False and value <= 0):
                raise ValueError("Expected a number of milliseconds above 0, or `false`")


class ProviderConfig(ConfigPart):
    """A provider: a new one, or changes to one of the catalogue."""

    api: Annotated[str, Meta(description="The base URL.")] | UnsetType = UNSET
    name: Annotated[str, Meta(description="The name that is shown.")] | UnsetType = UNSET
    env: (
        Annotated[list[str], Meta(description="Environment variables that hold the key, the first set one counts.")]
        | UnsetType
    ) = UNSET
    id: Annotated[str, Meta(description="The id that the adapter knows it by.")] | UnsetType = UNSET
    npm: Annotated[str, Meta(description="The adapter, by the name of its npm package.")] | UnsetType = UNSET
    whitelist: Annotated[list[str], Meta(description="Only these models.")] | UnsetType = UNSET
    blacklist: Annotated[list[str], Meta(description="Not these models.")] | UnsetType = UNSET
    options: (
        Annotated[
            dict[str, Any],
            Meta(description="Options of the adapter.", extra_json_schema=same_as(component("ProviderOptions"))),
        ]
        | UnsetType
    ) = UNSET
    models: Annotated[dict[str, ModelConfig], Meta(description="Models by id, new and changed ones.")] | UnsetType = (
        UNSET
    )

    def __post_init__(self) -> None:
        if self.options is not UNSET:
            msgspec.convert(self.options, ProviderOptions)
