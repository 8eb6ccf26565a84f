"""Pictures lose everything but their pixels, and the folder keeps contents whole."""

import hashlib
import io
import threading
import tracemalloc

import pytest
from PIL import Image

from booking.app import create_app
from booking.files.errors import TooManyPixels, Unreadable
from booking.files.gateway import FolderStore, shrink
from booking.kernel.config import ConfigError
from tests.uploaded import huge_png, picture


def opened(content):
    return Image.open(io.BytesIO(content))


def test_a_picture_is_made_small_enough_and_never_larger():
    large, small = shrink(picture((3000, 1500)), 2048, 480)

    assert (large.width, large.height) == (2048, 1024)
    assert (small.width, small.height) == (480, 240)
    assert opened(small.content).format == "JPEG"
    assert shrink(picture((10, 10)), 480)[0].width == 10


def test_what_the_camera_noted_is_gone_and_it_stands_upright():
    noted = Image.Exif()
    noted[0x0112] = 6  # turned by 90 degrees
    noted[0x010F] = "Secret Camera"
    noted.get_ifd(0x8825)[1] = "N"  # a place
    [made] = shrink(picture((640, 480), "JPEG", exif=noted, comment=b"hidden"), 2048)

    image = opened(made.content)
    assert image.size == (480, 640)
    assert not image.getexif()
    assert not {"exif", "comment", "icc_profile"} & set(image.info)
    assert b"Secret" not in made.content


def test_what_is_appended_to_a_picture_does_not_come_along():
    [made] = shrink(picture() + b"<script>alert(1)</script>", 480)

    assert b"script" not in made.content


def test_transparent_pixels_become_white():
    target = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(target, "PNG")

    [made] = shrink(target.getvalue(), 480)

    assert min(opened(made.content).getpixel((4, 4))) > 250


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA", "CMYK"])
def test_pictures_of_every_mode_are_taken(mode):
    target = io.BytesIO()
    Image.new(mode, (20, 10)).save(target, "JPEG" if mode == "CMYK" else "PNG")

    assert shrink(target.getvalue(), 480)[0].width == 20


def test_three_gigapixels_are_refused_without_being_unpacked():
    tracemalloc.start()
    with pytest.raises(TooManyPixels):
        shrink(huge_png(), 480)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2**20


@pytest.mark.parametrize(
    "content",
    [picture()[:200], picture(kind="JPEG")[:300], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b""],
)
def test_what_is_damaged_is_refused(content):
    with pytest.raises(Unreadable):
        shrink(content, 480)


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "files")


def name_of(content):
    return hashlib.sha256(content).hexdigest()


def test_what_was_put_is_there_until_it_is_removed(store):
    name = name_of(b"one")
    store.put(name, b"one")
    store.put(name, b"one")

    with store.open(name) as file:
        assert file.read() == b"one"
    assert [found for found, _ in store.names()] == [name]
    store.remove(name)
    store.remove(name)
    assert not store.is_whole(name)
    with pytest.raises(FileNotFoundError):
        store.open(name)


def test_a_content_that_was_spoilt_is_noticed_and_put_right(store):
    name = name_of(b"one")
    store.put(name, b"one")
    store._path(name).write_bytes(b"two")

    assert not store.is_whole(name)
    store.put(name, b"one")
    assert store.is_whole(name)


def test_many_may_put_the_same_at_once(store):
    content = b"x" * 2_000_000
    name = name_of(content)
    threads = [threading.Thread(target=store.put, args=(name, content)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.is_whole(name)
    assert len(list(store.root.rglob("*"))) == 2  # the folder and the file: no halves


@pytest.mark.parametrize("url", ["s3://bucket", "ftp://host/x", "file://host/x", "files", "file:x"])
def test_an_address_of_files_that_means_nothing_stops_the_start(url, database_url):
    with pytest.raises(ConfigError, match="FILES_URL"):
        create_app("testing", DATABASE_URL=database_url, FILES_URL=url)


def test_files_url_names_another_folder(tmp_path, database_url):
    url = (tmp_path / "档案").as_uri()
    app = create_app("testing", DATABASE_URL=database_url, FILES_URL=url)

    assert app.extensions["booking_files"].root == tmp_path / "档案"
