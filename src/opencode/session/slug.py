"""Two words to call a session by."""

import random
from typing import Final

ADJECTIVES: Final = """
amber agile bold brave bright brisk calm candid clear clever cosmic crisp curious daring deft eager early fair fleet
fresh gentle glad golden happy hardy honest jolly keen kind lively lucid lucky mellow merry mighty modest neat nimble
noble patient placid plucky polite proud quick quiet rapid rustic serene sharp shiny silent silver smart snug solid
stellar sturdy subtle sunny swift tidy tranquil vivid warm wise witty
"""
NOUNS: Final = """
acorn anchor aspen badger beacon birch bison brook canyon cedar cliff comet condor coral cove crane creek delta dune
eagle ember falcon fern finch fjord forest fox garden glacier grove harbor hawk heron island jasper kestrel lagoon
lantern lark lemur lynx maple marsh meadow mesa moon moss nebula oak ocean orbit orchid otter owl panda pebble pine
planet prairie quartz raven reef ridge river robin sparrow spruce summit tiger valley willow wren
"""
_ADJECTIVES: Final = tuple(ADJECTIVES.split())
_NOUNS: Final = tuple(NOUNS.split())


def random_slug() -> str:
    """``adjective-noun``, lower case."""
    return f"{random.choice(_ADJECTIVES)}-{random.choice(_NOUNS)}"
