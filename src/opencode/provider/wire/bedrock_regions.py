"""Bedrock models that are reached through an inference profile of their part of the world (spec: providers, 5)."""

from typing import Final

DEFAULT_REGION: Final = "us-east-1"
PREFIXES: Final = ("global.", "us.", "eu.", "jp.", "apac.", "au.")
EU_REGIONS: Final = frozenset(
    {"eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-central-1", "eu-south-1", "eu-south-2"}
)
AU_REGIONS: Final = frozenset({"ap-southeast-2", "ap-southeast-4"})
US_MODELS: Final = ("nova-micro", "nova-lite", "nova-pro", "nova-premier", "nova-2", "claude", "deepseek")
EU_MODELS: Final = ("claude", "nova-lite", "nova-micro", "llama3", "pixtral")
AU_MODELS: Final = ("claude-sonnet-4-5", "claude-haiku")
AP_MODELS: Final = ("claude", "nova-lite", "nova-micro", "nova-pro")


def model_in_region(model_id: str, region: str) -> str:
    """The model's id with the prefix of its profile, where it needs one and has none."""
    if model_id.startswith((*PREFIXES, "arn:")):
        return model_id
    prefix, models = _profile(region, model_id)
    return f"{prefix}{model_id}" if any(name in model_id for name in models) else model_id


def _profile(region: str, model_id: str) -> tuple[str, tuple[str, ...]]:
    if region.startswith("us-") and not region.startswith("us-gov"):
        return "us.", US_MODELS
    if region in EU_REGIONS:
        return "eu.", EU_MODELS
    if region in AU_REGIONS and any(name in model_id for name in AU_MODELS):
        return "au.", AU_MODELS
    if region == "ap-northeast-1":
        return "jp.", AP_MODELS
    return ("apac.", AP_MODELS) if region.startswith("ap-") else ("", ())
