"""Files that models are not given as such."""

from base64 import b64encode

import pytest

from opencode.core.ids import ModelID, ProviderID
from opencode.loop.media import SHOWN_CHARACTERS, readable_or_note
from opencode.provider.request import FileContent, TextContent
from opencode.provider.schema import Capabilities, Modalities, Model, ModelApi

EVERYTHING = Modalities(text=True, image=True, pdf=True, audio=True, video=True)
MODEL = Model(
    id=ModelID("m"),
    provider_id=ProviderID("p"),
    name="m",
    api=ModelApi(id="m", url="", npm="@ai-sdk/anthropic"),
    capabilities=Capabilities(
        temperature=True,
        reasoning=True,
        attachment=True,
        toolcall=True,
        input=EVERYTHING,
        output=Modalities(text=True),
        interleaved=False,
    ),
)
UNREADABLE = 'ERROR: Cannot read "a.bin" (no model takes application/json files). Inform the user.'


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("data:application/json;base64,eyJhIjoxfQ==", 'Contents of "a.bin" (application/json):\n{"a":1}'),
        ("data:application/json,%7B%7D", 'Contents of "a.bin" (application/json):\n{}'),
        ("data:application/json;base64,/w==", UNREADABLE),
        ("data:application/json;base64,AA==", UNREADABLE),
        ("data:application/json;base64,a", UNREADABLE),
        ("data:application/json", UNREADABLE),
        ("https://example.com/a", UNREADABLE),
    ],
)
def test_files_that_no_wire_has_a_place_for_are_shown_as_text_or_as_a_note(url: str, shown: str) -> None:
    file = FileContent(mime="application/json", url=url, filename="a.bin")
    assert readable_or_note(file, MODEL) == TextContent(text=shown)


def test_a_long_text_is_cut() -> None:
    shown = readable_or_note(FileContent(mime="text/csv", url=f"data:text/csv,{'é' * SHOWN_CHARACTERS}x"), MODEL)
    assert isinstance(shown, TextContent)
    assert shown.text.count("é") == SHOWN_CHARACTERS
    assert shown.text.endswith("é\n[The rest of the file is left out.]")


@pytest.mark.parametrize("before", ["", "x"])
def test_a_text_that_is_cut_within_a_character_is_shown_up_to_there(before: str) -> None:
    data = b64encode((before + "é" * SHOWN_CHARACTERS).encode()).decode()
    shown = readable_or_note(FileContent(mime="text/csv", url=f"data:text/csv;base64,{data}"), MODEL)
    assert isinstance(shown, TextContent)
    assert f"\n{before}éé" in shown.text
    assert shown.text.endswith("é\n[The rest of the file is left out.]")


@pytest.mark.parametrize("mime", ["image/png", "application/pdf", "audio/wav", "video/mp4"])
def test_media_that_a_model_takes_are_given_to_it(mime: str) -> None:
    file = FileContent(mime=mime, url="data:,x")
    assert readable_or_note(file, MODEL) is file
