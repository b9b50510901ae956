"""Images that are too large for models."""

from collections.abc import Callable

import pytest
from PIL import Image

from opencode.config.schema import AttachmentConfig, ImageAttachmentConfig
from opencode.core.wire import UNSET
from opencode.tool.images import ImageLimits, ImageTooLarge, fitted_image
from tests.support.pictures import data_url, encoded, opened, picture, png_of_size, size_of

SMALL = ImageLimits(max_width=40, max_height=40)


async def test_an_image_within_the_limits_stays_as_it_is() -> None:
    url = data_url(picture(40, 40))
    assert await fitted_image("image/png", url, SMALL) == ("image/png", url)


@pytest.mark.parametrize(("size", "fitted"), [((80, 20), (40, 10)), ((20, 80), (10, 40)), ((41, 41), (40, 40))])
async def test_long_sides_are_shortened_and_the_shape_is_kept(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    mime, url = await fitted_image("image/png", data_url(picture(*size)), SMALL)
    assert (mime, opened(url).format, size_of(url)) == ("image/png", "PNG", fitted)


async def test_too_many_bytes_become_a_jpeg_of_the_same_size_or_a_smaller_picture() -> None:
    image = data_url(picture(200, 200))
    mime, url = await fitted_image("image/png", image, ImageLimits(max_base64_bytes=50_000))
    assert (mime, opened(url).format, size_of(url)) == ("image/jpeg", "JPEG", (200, 200))
    assert len(url.partition(",")[2]) <= 50_000
    _, url = await fitted_image("image/png", image, ImageLimits(max_base64_bytes=4_000))
    assert size_of(url)[0] < 200
    assert len(url.partition(",")[2]) <= 4_000


async def test_a_photograph_stays_one_and_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    photograph = data_url(picture(80, 20, "JPEG", exif=exif), "image/jpeg")
    mime, url = await fitted_image("image/jpeg", photograph, SMALL)
    assert (mime, opened(url).format, size_of(url)) == ("image/jpeg", "JPEG", (10, 40))


async def test_transparency_is_kept_or_becomes_white() -> None:
    clear = data_url(encoded(Image.new("RGBA", (80, 80)), "PNG"))
    _, url = await fitted_image("image/png", clear, SMALL)
    assert opened(url).mode == "RGBA"
    noise = Image.frombytes("RGB", (80, 80), Image.effect_noise((240, 80), 100).tobytes())
    noise.putalpha(0)
    mime, url = await fitted_image("image/png", data_url(encoded(noise, "PNG")), ImageLimits(max_base64_bytes=2_000))
    assert (mime, opened(url).getpixel((0, 0))) == ("image/jpeg", (255, 255, 255))


@pytest.mark.parametrize(
    ("mime", "url"),
    [
        ("application/pdf", data_url(picture(80, 80), "application/pdf")),
        ("image/png", "https://example.com/a.png"),
        ("image/png", "data:image/png,raw"),
        ("image/png", "data:image/png;base64,"),
        ("image/png", "data:image/png;base64,?"),
        ("image/svg+xml", data_url(b"<svg/>", "image/svg+xml")),
        ("image/png", data_url(picture(80, 80)[:200])),
    ],
)
async def test_what_is_no_image_or_a_broken_one_comes_back_as_it_is(mime: str, url: str) -> None:
    assert await fitted_image(mime, url, SMALL) == (mime, url)


@pytest.mark.parametrize(("width", "height"), [(9_000, 9_000), (60_000, 60_000)])
async def test_an_image_that_would_fill_the_memory_is_refused(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge, match="too many pixels"):
        await fitted_image("image/png", data_url(png_of_size(width, height)), SMALL)


async def test_limits_that_no_picture_meets_are_told() -> None:
    with pytest.raises(ImageTooLarge, match="at most 10 bytes"):
        await fitted_image("image/png", data_url(picture(80, 80)), ImageLimits(max_base64_bytes=10))


async def test_without_the_library_images_are_sent_as_they_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("opencode.tool.images.find_spec", lambda _: None)
    url = data_url(picture(80, 80))
    assert await fitted_image("image/png", url, ImageLimits(max_base64_bytes=10)) == ("image/png", url)
    assert "pip install 'opencode-server[images]'" in caplog.text


@pytest.mark.parametrize(
    ("configure", "limits"),
    [
        (lambda: UNSET, ImageLimits(2000, 2000, 5 * 1024 * 1024)),
        (AttachmentConfig, ImageLimits()),
        (lambda: AttachmentConfig(image=ImageAttachmentConfig(max_width=10)), ImageLimits(max_width=10)),
        (lambda: AttachmentConfig(image=ImageAttachmentConfig(auto_resize=False, max_width=10)), None),
    ],
)
async def test_the_limits_are_configured(configure: Callable[[], AttachmentConfig], limits: ImageLimits | None) -> None:
    assert ImageLimits.from_config(configure()) == limits
    if limits is None:
        url = data_url(picture(80, 80))
        assert await fitted_image("image/png", url, limits) == ("image/png", url)
