"""The shapes that every Mochi & Bean sticker is made of, as SVG text."""

import itertools
import math

INK = "#5b3438"
LINE = 9
WHITE = "#ffffff"
CORAL = "#ff8f8a"
RED = "#f2606a"
GOLD = "#ffc95c"
LEAF = "#8ccf7e"
LEAF_SHADE = "#6cb56b"
SKY = "#8ed3f0"
CREAM = "#fff4e2"
LILAC = "#c5b2f2"

PALETTES = {
    "mochi": {"body": "#ffe3df", "shade": "#fbc8c6", "cheek": CORAL},
    "bean": {"body": "#c98d62", "shade": "#ad7049", "cheek": "#f08a6c"},
}

_ids = itertools.count()


def n(value):
    """A number as short text, the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def path(d, fill="none", stroke=INK, width=LINE, extra=""):
    return (
        f'<path d="{d}" fill="{fill}" stroke="{stroke}" stroke-width="{n(width)}" '
        f'stroke-linecap="round" stroke-linejoin="round" {extra}/>'
    )


def ellipse(x, y, rx, ry, fill, stroke="none", width=LINE, turn=0, extra=""):
    return (
        f'<ellipse cx="{n(x)}" cy="{n(y)}" rx="{n(rx)}" ry="{n(ry)}" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{n(width)}" transform="rotate({n(turn)} {n(x)} {n(y)})" {extra}/>'
    )


def group(content, x=0, y=0, turn=0, scale=1):
    return f'<g transform="translate({n(x)} {n(y)}) rotate({n(turn)}) scale({n(scale)})">{content}</g>'


# Time --------------------------------------------------------------------------------------------


def wave(t, phase=0.0):
    """A sine that comes back to its start after one loop."""
    return math.sin(2 * math.pi * (t + phase))


def keys(t, points):
    """The value at time t of eased key poses [(time, value), ...] that cover 0 to 1."""
    for (t0, v0), (t1, v1) in itertools.pairwise(points):
        if t <= t1:
            part = (t - t0) / (t1 - t0)
            return v0 + (v1 - v0) * (1 - math.cos(math.pi * part)) / 2
    return points[-1][1]


# Limbs -------------------------------------------------------------------------------------------


def limb(strokes, fill):
    """Thick lines (d, width) joined to one outlined shape."""
    outer = "".join(path(d, stroke=INK, width=width + 2 * LINE) for d, width in strokes)
    return outer + "".join(path(d, stroke=fill, width=width) for d, width in strokes)


def arm(shoulder, hand, bend, fill, thumb=False, front=False):
    """A stubby arm; in front of the body its root melts into the body."""
    (x0, y0), (x1, y1) = shoulder, hand
    dx, dy = x1 - x0, y1 - y0
    length = math.hypot(dx, dy) or 1
    mx, my = (x0 + x1) / 2 - dy / length * bend, (y0 + y1) / 2 + dx / length * bend
    curve = f"M{n(x0)} {n(y0)}Q{n(mx)} {n(my)} {n(x1)} {n(y1)}"
    strokes = [(curve, 32)]
    if thumb:
        strokes = [(curve, 32), (f"M{n(x1)} {n(y1)}l0 1", 50), (f"M{n(x1 - 6)} {n(y1 - 14)}l-4 -34", 21)]
    art = limb(strokes, fill)
    if thumb:
        art += "".join(path(f"M{n(x1 + 8)} {n(y1 + dy_)}l14 0", width=6) for dy_ in (-6, 7))
    if front:
        back = (mx - x0, my - y0)
        size = math.hypot(*back) or 1
        bx, by = x0 - back[0] / size * 15, y0 - back[1] / size * 15
        art += path(f"M{n(x0)} {n(y0)}L{n(bx)} {n(by)}", stroke=fill, width=33)
    return art


# Faces -------------------------------------------------------------------------------------------


def eye(kind, side, x, y, look=(0, 0)):
    if kind == "open":
        lx, ly = look
        return (
            ellipse(x + lx, y + ly, 13.5, 17.5, INK)
            + ellipse(x + lx - 4, y + ly - 7, 5, 6, WHITE)
            + ellipse(x + lx + 5, y + ly + 7, 2.6, 2.8, WHITE)
        )
    if kind == "teary":
        return (
            ellipse(x, y, 17, 21, INK)
            + ellipse(x - 5, y - 8, 6.5, 7.5, WHITE)
            + ellipse(x + 6, y + 5, 3.4, 3.8, WHITE)
            + path(f"M{n(x - 11)} {n(y + 11)}q11 9 22 0", stroke=SKY, width=6)
        )
    if kind == "wide":
        return ellipse(x, y, 22, 24, WHITE, INK, 7) + ellipse(x, y, 8, 9, INK)
    if kind == "happy":
        return path(f"M{n(x - 18)} {n(y + 7)}Q{n(x)} {n(y - 21)} {n(x + 18)} {n(y + 7)}")
    if kind == "shut":
        return path(f"M{n(x - 18)} {n(y - 2)}Q{n(x)} {n(y + 17)} {n(x + 18)} {n(y - 2)}")
    if kind == "blink":
        return path(f"M{n(x - 14)} {n(y + 3)}Q{n(x)} {n(y + 8)} {n(x + 14)} {n(y + 3)}")
    if kind == "tight":
        s = -side
        return path(f"M{n(x - 15 * s)} {n(y - 14)}L{n(x + 11 * s)} {n(y)}L{n(x - 15 * s)} {n(y + 14)}")
    if kind == "half":
        return (
            path(f"M{n(x - 14)} {n(y)}h28a14 16 0 0 1 -28 0z", fill=INK, width=1)
            + path(f"M{n(x - 19)} {n(y - 1)}h38")
            + ellipse(x - 3, y + 5, 3.5, 3, WHITE)
        )
    if kind == "spark":
        return ellipse(x, y, 18, 22, INK) + star(x - 3, y - 4, 11, GOLD, 0) + ellipse(x + 7, y + 10, 3.5, 3.5, WHITE)
    raise ValueError(kind)


def mouth(kind, x, y, open_=1.0):
    if kind == "smile":
        return path(f"M{n(x - 17)} {n(y)}Q{n(x)} {n(y + 19)} {n(x + 17)} {n(y)}")
    if kind == "cat":
        return path(f"M{n(x - 22)} {n(y)}q3 13 12 13t10 -11q1 11 10 11t12 -13", width=8)
    if kind == "frown":
        return path(f"M{n(x - 16)} {n(y + 12)}Q{n(x)} {n(y - 8)} {n(x + 16)} {n(y + 12)}")
    if kind == "flat":
        return path(f"M{n(x - 13)} {n(y + 7)}q12 -6 26 -1")
    if kind == "wobble":
        return path(f"M{n(x - 27)} {n(y + 12)}q9 -15 18 -4t18 -2t18 6", width=8)
    if kind == "o":
        return ellipse(x, y + 10, 11 * open_, 14 * open_, "#a83f4c", INK, 8)
    if kind == "grit":
        teeth = f"M{n(x - 17)} {n(y)}v24M{n(x)} {n(y - 1)}v25M{n(x + 17)} {n(y)}v24"
        return path(f"M{n(x - 24)} {n(y - 1)}h48q12 0 11 13t-11 13h-48q-12 0 -11 -13t11 -13z", fill=WHITE, width=8) + path(teeth, width=4)
    if kind == "laugh":
        w, h = 34, 18 + 32 * open_
        d = f"M{n(x - w)} {n(y - 3)}Q{n(x)} {n(y + 6)} {n(x + w)} {n(y - 3)}C{n(x + w)} {n(y + h * 0.8)} {n(x + w * 0.55)} {n(y + h)} {n(x)} {n(y + h)}S{n(x - w)} {n(y + h * 0.8)} {n(x - w)} {n(y - 3)}z"
        return clipped(d, path(d, fill="#a83f4c", stroke="none") + ellipse(x, y + h, 22, h * 0.42, CORAL)) + path(d)
    raise ValueError(kind)


def clipped(d, content):
    name = f"c{next(_ids)}"
    return f'<clipPath id="{name}"><path d="{d}"/></clipPath><g clip-path="url(#{name})">{content}</g>'


# Bodies ------------------------------------------------------------------------------------------


def outline_of(kind, w, h):
    a = w / 2
    if kind == "mochi":
        c = [(-0.62, 0), (-1.0, 0), (-1.09, -0.22), (-1.04, -0.42), (-0.95, -0.78), (-0.55, -1), (0, -1)]
        c += [(0.55, -1), (0.95, -0.78), (1.04, -0.42), (1.09, -0.22), (1.0, 0), (0.62, 0)]
    else:
        c = [(0, 0), (-0.66, 0), (-1.04, -0.2), (-1.02, -0.47), (-1.0, -0.8), (-0.56, -1), (-0.04, -1)]
        c += [(0.56, -1), (0.96, -0.82), (1.0, -0.5), (1.04, -0.2), (0.66, 0), (0, 0)]
    p = [f"{n(x * a)} {n(y * h)}" for x, y in c]
    return "M" + p[0] + "".join("C" + " ".join(p[i : i + 3]) for i in range(1, 13, 3)) + "z"


def sprout(x, y, turn):
    left = "M0 -26C-14 -52 -48 -58 -66 -40C-52 -18 -24 -12 0 -26z"
    right = "M0 -26C8 -56 36 -70 60 -60C56 -32 28 -16 0 -26z"
    art = path("M0 8Q-2 -8 0 -26") + path(left, fill=LEAF_SHADE) + path(right, fill=LEAF)
    art += path("M16 -36Q30 -42 40 -50", stroke=LEAF_SHADE, width=5)
    return group(art, x, y, turn)


def character(
    kind, x=256, y=428, w=None, h=None, lean=0, eyes="open", face="smile", look=(0, 0), gaze=(0, 0), left=None,
    right=None, brows=0, open_=1.0, leaf=0, feet=True, flush=None, size=1.0, held="", blush=1.0,
):
    """A whole creature. Its origin is the middle of its base; arms are (hand, bend, "back" or "front"[, thumb])."""
    colours = dict(PALETTES[kind])
    if flush:
        colours.update(body=flush[0], shade=flush[1])
    w = w or (304 if kind == "mochi" else 248)
    h = h or (236 if kind == "mochi" else 282)
    fill = colours["body"]
    d = outline_of(kind, w, h)
    fx, fy = look[0], -h * (0.47 if kind == "mochi" else 0.46) + look[1]
    gap = 62 if kind == "mochi" else 54
    behind, before = "", ""
    for side, spec in ((-1, left), (1, right)):
        if not spec:
            continue
        hand, bend, layer, *thumb = spec
        at = (side * w * 0.45, -h * 0.36) if layer == "back" else (side * w * 0.34, -h * 0.2)
        drawn = arm(at, hand, bend, fill, bool(thumb), layer == "front")
        if layer == "back":
            behind += drawn
        else:
            before += drawn
    if feet:
        for side in (-1, 1):
            behind += ellipse(side * w * 0.22, 0, 32, 21, colours["shade"], INK)
    lit = f'<g transform="translate({n(-w * 0.035)} {n(-h * 0.055)})">' + path(d, fill=fill, stroke="none") + "</g>"
    shine = ellipse(-w * 0.27, -h * 0.79, 24, 10, WHITE, turn=-32, extra='opacity="0.75"')
    body = path(d, fill=colours["shade"], stroke="none") + clipped(d, lit + shine) + path(d)
    if kind == "bean":
        body += path(
            f"M{n(-w * 0.01)} {n(-h * 0.995)}C{n(w * 0.1)} {n(-h * 0.92)} {n(-w * 0.1)} {n(-h * 0.84)} {n(w * 0.02)} {n(-h * 0.73)}"
        )
    else:
        body += sprout(0, -h, leaf)
    features = "".join(ellipse(fx + s * (gap + 31), fy + 31, 21 * blush, 13 * blush, colours["cheek"], extra='opacity="0.8"') for s in (-1, 1))
    pair = eyes if isinstance(eyes, tuple) else (eyes, eyes)
    features += eye(pair[0], -1, fx - gap, fy, gaze) + eye(pair[1], 1, fx + gap, fy, gaze)
    if brows:
        for s in (-1, 1):
            bx = fx + s * gap
            features += path(f"M{n(bx - s * 20)} {n(fy - 31 + brows * 9)}L{n(bx + s * 19)} {n(fy - 31 - brows * 9)}")
    features += mouth(face, fx, fy + 21, open_)
    return group(behind + body + features + held + before, x, y, lean, size)


# Props -------------------------------------------------------------------------------------------


def heart(x, y, size, fill=RED, turn=0, width=LINE):
    d = "M0 30C-46 2 -44 -34 -20 -34C-8 -34 -2 -26 0 -18C2 -26 8 -34 20 -34C44 -34 46 2 0 30z"
    art = path(d, fill=fill, width=width / size) + path("M-23 -20q-8 4 -7 13", stroke=WHITE, width=6)
    return group(art, x, y, turn, size)


def star(x, y, r, fill=GOLD, width=LINE, turn=0):
    points = []
    for i in range(10):
        angle = math.pi * i / 5 - math.pi / 2
        radius = r if i % 2 == 0 else r * 0.52
        points.append(f"{n(radius * math.cos(angle))} {n(radius * math.sin(angle))}")
    stroke = INK if width else "none"
    return group(path("M" + "L".join(points) + "z", fill=fill, stroke=stroke, width=width), x, y, turn)


def sparkle(x, y, r, fill=GOLD):
    k = r * 0.22
    d = f"M0 {n(-r)}Q{n(k)} {n(-k)} {n(r)} 0Q{n(k)} {n(k)} 0 {n(r)}Q{n(-k)} {n(k)} {n(-r)} 0Q{n(-k)} {n(-k)} 0 {n(-r)}z"
    return group(path(d, fill=fill, width=7), x, y)


def drop(x, y, size, turn=0, fill=SKY):
    d = "M0 -30C10 -12 20 -2 20 11A20 20 0 0 1 -20 11C-20 -2 -10 -12 0 -30z"
    return group(path(d, fill=fill, width=7 / size) + path("M-9 10q1 9 9 10", stroke=WHITE, width=5), x, y, turn, size)


def zed(x, y, size, turn=0, fill=LILAC):
    d = "M-18 -20H18L-18 20H18"
    return group(path(d, width=22) + path(d, stroke=fill, width=9), x, y, turn, size)


def puff(x, y, size):
    return cloud(((-22, 4, 17), (0, -9, 20), (22, 3, 17), (2, 10, 17)), x, y, size)


def cloud(circles, x, y, size=1):
    outer = "".join(ellipse(cx, cy, r, r, INK, INK, 14 / size) for cx, cy, r in circles)
    return group(outer + "".join(ellipse(cx, cy, r, r, WHITE) for cx, cy, r in circles), x, y, 0, size)


def petal(x, y, turn, size=1.0):
    return group(path("M0 22C-22 6 -18 -20 -4 -22L0 -14L4 -22C18 -20 22 6 0 22z", fill="#ffb3c1", width=7 / size), x, y, turn, size)


def ticks(x, y, angles, r0, r1, colour=INK):
    art = ""
    for angle in angles:
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        art += path(f"M{n(x + r0 * c)} {n(y + r0 * s)}L{n(x + r1 * c)} {n(y + r1 * s)}", stroke=colour)
    return art


def mug(x, y, fill=SKY):
    art = path("M40 -22C84 -30 84 34 36 30", width=30) + path("M40 -22C84 -30 84 34 36 30", stroke=fill, width=12)
    art += path("M-48 -38L-42 36Q-40 50 -24 50H24Q40 50 42 36L48 -38z", fill=fill)
    art += ellipse(0, -38, 48, 13, "#8a5540", INK) + heart(-2, 12, 0.5, WHITE, width=0)
    return group(art, x, y)


def cut_out(content, name, width, height):
    """Content inside a white die-cut edge with a breath of shadow."""
    area = f'x="0" y="0" width="{width}" height="{height}" filterUnits="userSpaceOnUse"'
    return (
        f'<filter id="{name}" {area} color-interpolation-filters="sRGB">'
        '<feGaussianBlur in="SourceAlpha" stdDeviation="8"/>'
        '<feComponentTransfer><feFuncA type="linear" slope="30" intercept="-3"/></feComponentTransfer>'
        '<feComposite in2="SourceAlpha" operator="over" result="edge"/>'
        '<feFlood flood-color="#ffffff"/><feComposite in2="edge" operator="in" result="white"/>'
        '<feGaussianBlur in="edge" stdDeviation="2"/><feOffset dy="2" result="soft"/>'
        f'<feFlood flood-color="{INK}" flood-opacity="0.3"/><feComposite in2="soft" operator="in" result="shadow"/>'
        '<feMerge><feMergeNode in="shadow"/><feMergeNode in="white"/><feMergeNode in="SourceGraphic"/></feMerge>'
        f'</filter><g filter="url(#{name})">{content}</g>'
    )


def sticker(content, fit=(1, 0, 0)):
    """The whole picture, its content scaled and moved to fill the canvas."""
    scale, x, y = fit
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 512 512">'
        + cut_out(group(content, x, y, 0, scale), "cut", 512, 512)
        + "</svg>"
    )
