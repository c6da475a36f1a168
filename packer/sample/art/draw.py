#!/usr/bin/env python3
"""Draws the sample packs as SVG files: draw.py OUT (standard library only; render.py makes the PNG files)."""

import pathlib
import sys

import bean
import mochi
import parts
from parts import character, ellipse, group, heart, star

PACKS = {"mochi": mochi.STICKERS, "bean": bean.STICKERS}


def cover(pack):
    if pack == "mochi":
        backdrop, hill, far = "#ffcfc2", "#ffb3aa", "#ffe4d3"
        cast = (
            character("mochi", x=236, y=646, size=1.02, eyes="happy", look=(0, -28), leaf=-6, lean=-3, held=heart(0, -46, 1.75),
                      left=((-58, -36), -8, "front"), right=((58, -36), 8, "front")),
            character("mochi", x=1044, y=646, size=1.02, look=(0, -36), leaf=8, lean=3, held=parts.mug(4, -40),
                      left=((-46, -26), -8, "front"), right=((54, -26), 8, "front")),
            character("mochi", x=640, y=586, size=1.36, h=246, eyes="happy", face="laugh", open_=0.8, leaf=-6,
                      left=((-182, -190), -14, "back"), right=((182, -190), 14, "back")),
        )
    else:
        backdrop, hill, far = "#b9e0dc", "#8ecac4", "#d9f1ea"
        cast = (
            character("bean", x=276, y=634, size=0.98, lean=-4, eyes="happy", left=((-150, -196), -18, "back"), right=((148, -70), 8, "back")),
            character("mochi", x=1004, y=640, size=0.98, lean=4, eyes=("open", "happy"), face="cat", leaf=8, left=mochi.REST_L,
                      right=((196, -178), 22, "back")),
            character("bean", x=640, y=612, size=1.42, eyes="spark", face="laugh", open_=0.7,
                      left=((-150, -206), -16, "back"), right=((150, -206), 16, "back")),
        )
    soft = "".join(
        group(heart(0, 0, r / 30, "#ffffff", width=0) if i % 2 else f'<g>{star(0, 0, r, "#ffffff", 0)}</g>', x, y, 12 * (-1) ** i)
        for i, (x, y, r) in enumerate(
            ((96, 110, 22), (236, 208, 26), (392, 96, 16), (118, 330, 18), (1180, 108, 22), (1046, 214, 26), (896, 92, 16), (1168, 336, 18))
        )
    )
    art = f'<rect width="1280" height="720" fill="{backdrop}"/>' + ellipse(640, 360, 430, 400, far)
    art += f'<g opacity="0.75">{soft}</g>' + ellipse(640, 1080, 1200, 520, hill)
    art += "".join(parts.cut_out(one, f"cut{i}", 1280, 720) for i, one in enumerate(cast))
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720" viewBox="0 0 1280 720">{art}</svg>'


def pictures(pack):
    """(path below the project, without extension; SVG text) of every picture of a pack."""
    yield "cover", cover(pack)
    for name, (scene, frames, fit) in PACKS[pack].items():
        for i in range(frames):
            yield f"stickers/{name}" + (f"/{i:03}" if frames > 1 else ""), parts.sticker(scene(i / frames), fit)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: draw.py OUT")
    for pack in PACKS:
        for name, svg in pictures(pack):
            target = pathlib.Path(sys.argv[1], pack, name + ".svg")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
