"""Reads a release with programs that this project neither wrote nor links: Apache Thrift for Python from the same IDL, Pillow,
dwebp and Python's zip reader. Every file is looked at; the first that is not as it should be ends the run.

Usage: check_release.py FOLDER_WITH_GENERATED_THRIFT RELEASE...
"""

import hashlib
import io
import pathlib
import struct
import subprocess
import sys
import zipfile

sys.path.insert(0, sys.argv[1])

from PIL import Image, ImageChops, ImageStat
from sticker_protocol.ttypes import (
    Blend,
    Dispose,
    FileKind,
    ImageFormat,
    PackMetadata,
    ReleaseManifest,
    StickerMetadata,
)
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.transport.TTransport import TMemoryBuffer

MAGIC = bytes.fromhex("8953544b520d0a1a")
LAST_PNG_DENSITY = 160
# Of 255. Another frame, a rectangle in a wrong place or one that was not cleared is off by more; resizing in linear light, which
# Pillow does not do, by less.
MEAN_DIFFERENCE = 4.0


def read(struct_type, data):
    buffer = TMemoryBuffer(data)
    value = struct_type()
    value.read(TCompactProtocol(buffer))
    assert buffer.read(1) == b"", "bytes follow the struct"
    value.validate()
    again = TMemoryBuffer()
    value.write(TCompactProtocol(again))
    assert again.getvalue() == data, "Python writes other bytes"
    return value


def sticker_file(data):
    assert data[:8] == MAGIC, "magic"
    version, zero, length = struct.unpack(">HHI", data[8:16])
    assert (version, zero) == (1, 0)
    metadata = read(StickerMetadata, data[16 : 16 + length])
    images, at = [], 16 + length
    for length in metadata.image_lengths:
        images.append(data[at : at + length])
        at += length
    assert at == len(data), "gap or rest"
    return metadata, images


def composed(metadata, pictures):
    """The frames as the specification has them shown, drawn by Pillow."""
    canvas = Image.new("RGBA", (metadata.width, metadata.height))
    for frame in metadata.frames:
        picture, at = pictures[frame.image], (frame.x, frame.y)
        right, bottom = frame.x + picture.width, frame.y + picture.height
        assert right <= metadata.width and bottom <= metadata.height, "a frame beyond the canvas"
        if frame.blend == Blend.OVER:
            canvas.alpha_composite(picture, at)
        else:
            canvas.paste(picture, at)
        yield canvas.copy()
        if frame.dispose == Dispose.BACKGROUND:
            canvas.paste((0, 0, 0, 0), (*at, right, bottom))


def check_sticker(listed, data):
    metadata, images = sticker_file(data)
    assert (metadata.sticker_id, metadata.density) == (listed.sticker_id, listed.density)
    name = {ImageFormat.PNG: "PNG", ImageFormat.WEBP: "WEBP"}[metadata.format]
    if listed.kind == FileKind.STICKER:
        assert name == ("PNG" if metadata.density <= LAST_PNG_DENSITY else "WEBP")
    pictures = []
    for image in images:
        picture = Image.open(io.BytesIO(image))
        assert picture.format == name, picture.format
        pictures.append(picture.convert("RGBA"))
        if name == "WEBP":
            subprocess.run(["dwebp", "-quiet", "-o", "/dev/null", "--", "-"], input=image, check=True)
    assert {frame.image for frame in metadata.frames} == set(range(len(images))), "an image that no frame shows, or the reverse"
    return metadata, [small(frame) for frame in composed(metadata, pictures)]


def small(picture):
    """At 64 px, in the middle of a square canvas, as artwork stands on it."""
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square.resize((64, 64), Image.Resampling.LANCZOS)


def on(ground, picture):
    below = Image.new("RGBA", picture.size, ground)
    below.alpha_composite(picture)
    return below.convert("RGB")


def check_against(master, frames):
    """Each frame looks like the artwork's: at 64 px on black and on white no channel is off by much on average."""
    assert len(master) == len(frames), (len(master), len(frames))
    for index, (artwork, frame) in enumerate(zip(master, frames)):
        for ground in ("black", "white"):
            difference = ImageChops.difference(on(ground, artwork), on(ground, frame))
            worst = max(ImageStat.Stat(difference).mean)
            assert worst < MEAN_DIFFERENCE, (index, ground, worst)


def check_preview(listed, sticker, data):
    preview = Image.open(io.BytesIO(data))
    assert preview.size == (listed.width, listed.height) and preview.n_frames == sticker.frame_count
    total = 0
    for frame in range(preview.n_frames):
        preview.seek(frame)
        preview.load()
        total += preview.info["duration"]
    assert total == sticker.duration_ms, (total, sticker.duration_ms)


def check_bundle(release, manifest, listed, data):
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    names = archive.namelist()
    assert names == sorted(names)
    pack = read(PackMetadata, archive.read("pack"))
    assert [sticker.sticker_id for sticker in pack.stickers] == [sticker.sticker_id for sticker in manifest.stickers]
    for sticker in pack.stickers:
        file = release / str(listed.density) / f"{sticker.sticker_id}.sticker"
        assert archive.read(f"{sticker.sticker_id}.sticker") == file.read_bytes()


def check_release(release):
    manifest = read(ReleaseManifest, (release / "release.thrift").read_bytes())
    stickers = {sticker.sticker_id: sticker for sticker in manifest.stickers}
    files = count = 0
    masters, variants = {}, []
    for listed in manifest.files:
        data = (release / listed.path).read_bytes()
        assert len(data) == listed.size and hashlib.sha256(data).digest() == listed.sha256, listed.path
        if listed.kind in (FileKind.STICKER, FileKind.MASTER):
            metadata, frames = check_sticker(listed, data)
            sticker = stickers[listed.sticker_id]
            assert sum(frame.duration_ms for frame in metadata.frames) == sticker.duration_ms
            if listed.kind == FileKind.MASTER:
                masters[listed.sticker_id] = frames
            else:
                variants.append((listed, frames))
            count += len(frames)
        elif listed.kind == FileKind.BUNDLE:
            check_bundle(release, manifest, listed, data)
        elif listed.kind == FileKind.PREVIEW:
            check_preview(listed, stickers[listed.sticker_id], data)
        else:
            picture = Image.open(io.BytesIO(data))
            picture.load()
            assert picture.format == "WEBP" and picture.size == (listed.width, listed.height)
        files += 1
    for listed, frames in variants:
        try:
            check_against(masters[listed.sticker_id], frames)
        except AssertionError as error:
            raise AssertionError(f"{listed.path}: {error}") from error
    print(f"{release.name}: {files} files, {count} frames read by Apache Thrift for Python, Pillow and dwebp")


for release in sys.argv[2:]:
    check_release(pathlib.Path(release))
