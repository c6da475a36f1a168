"""What libvips, ImageMagick and Skia take for the same work, in process: a WebP of 1024 px made 320 px wide at quality 85.

peers.py masters OUT PNG...      writes each picture as a lossless WebP, and one of 3 Mpx made of them all
peers.py NAME WIDTH OUT WEBP...  does the work, writes the results to OUT, prints the milliseconds of each as a JSON list
"""

import io
import json
import pathlib
import sys
import time


def skia(content, width):
    import skia

    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(content))
    height = max(1, round(image.height() * width / image.width()))
    small = image.resize(width, height, skia.SamplingOptions(skia.CubicResampler.Mitchell()))
    return bytes(small.encodeToData(skia.kWEBP, 85))


def vips(content, width):
    import pyvips

    image = pyvips.Image.new_from_buffer(content, "")
    image = image.thumbnail_image(width, linear=True)
    return image.webpsave_buffer(Q=85)


def imagemagick(content, width):
    from wand.image import Image

    with Image(blob=content) as image:
        image.resize(width, max(1, round(image.height * width / image.width)), filter="lanczos")
        image.compression_quality = 85
        return image.make_blob("webp")


def pillow(content, width):
    from PIL import Image

    image = Image.open(io.BytesIO(content)).convert("RGBA")
    small = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=85, method=4)
    return out.getvalue()


def masters(out, pictures):
    from PIL import Image

    opened = [Image.open(path).convert("RGBA") for path in pictures]
    for number, picture in enumerate(opened):
        picture.save(out / f"{number:02}.webp", "WEBP", lossless=True)
    large = Image.new("RGBA", (2048, 1536))
    for number, picture in enumerate(opened[:12]):
        large.paste(picture.resize((512, 512)), (number % 4 * 512, number // 4 * 512))
    large.save(out / "large.webp", "WEBP", lossless=True)


def main():
    kind = sys.argv[1]
    if kind == "masters":
        masters(pathlib.Path(sys.argv[2]), sys.argv[3:])
        return
    work, width, out = globals()[kind], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    took = []
    for path in map(pathlib.Path, sys.argv[4:]):
        content = path.read_bytes()
        work(content, width)
        began = time.perf_counter()
        made = work(content, width)
        took.append(1000 * (time.perf_counter() - began))
        (out / path.name).write_bytes(made)
    print(json.dumps(took))


main()
