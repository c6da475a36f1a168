#!/usr/bin/env python3
"""Renders the sample packs to PNG beside this folder. Needs: pip install resvg-py==0.5.0 pyoxipng==9.1.1"""

import multiprocessing
import pathlib

import oxipng
import resvg_py

import draw

SAMPLE = pathlib.Path(__file__).resolve().parent.parent


def render(job):
    target, svg = job
    target.parent.mkdir(parents=True, exist_ok=True)
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg))
    target.write_bytes(oxipng.optimize_from_memory(png, level=2, strip=oxipng.StripChunks.all(), optimize_alpha=True))


def main():
    jobs = [(SAMPLE / pack / f"{name}.png", svg) for pack in draw.PACKS for name, svg in draw.pictures(pack)]
    with multiprocessing.Pool(2) as pool:
        pool.map(render, jobs, chunksize=1)


if __name__ == "__main__":
    main()
