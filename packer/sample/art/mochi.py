"""Mochi's everyday stickers: each pose is a function of the time in its loop, 0 to 1."""

from parts import *

REST_L, REST_R = ((-176, -58), -8, "back"), ((176, -58), 8, "back")


def hello(t):
    return character("mochi", y=436, x=244, lean=-5, face="laugh", open_=0.35, left=REST_L, right=((196, -178), 22, "back"), leaf=8) + ticks(
        436, 236, (-58, -18, 22), 44, 64, CORAL
    )


def love(t):
    hug = heart(0, -46, 1.75)
    return (
        character("mochi", y=436, eyes="happy", face="smile", look=(0, -28), leaf=-6, held=hug,
                  left=((-58, -36), -8, "front"), right=((58, -36), 8, "front"))
        + heart(92, 168, 0.72, turn=-16) + heart(414, 142, 0.9, CORAL, 14) + heart(348, 78, 0.5, RED, 8)
    )


def laugh(t):
    bob = wave(2 * t)
    h, w = 236 + 8 * bob, 304 - 9 * bob
    art = ""
    for side in (-1, 1):
        for phase in (0, 0.5):
            p = (t + phase) % 1
            grow = min(1, 5 * p, 4 * (1 - p))
            if grow > 0.3:
                art += drop(256 + side * (128 + 76 * p), 300 - 250 * p * (1 - p) - 30 * p + 60 * p * p, 0.78 * grow, side * (30 + 70 * p))
    return character("mochi", y=438, w=w, h=h, lean=2.2 * wave(t), eyes="tight", face="laugh", look=(0, -20 - 5 * bob), open_=0.95 + 0.3 * bob,
                     left=((-66, -34), -12, "front"), right=((66, -34), 12, "front"), leaf=7 * wave(2 * t, -0.18)) + art


def cry(t):
    streams = ""
    for s in (-1, 1):
        streams += path(f"M{s * 62} -82C{s * 62} -50 {s * 76} -40 {s * 78} -4", width=30) + path(
            f"M{s * 62} -82C{s * 62} -50 {s * 76} -40 {s * 78} -4", stroke=SKY, width=16
        )
    puddle = path("M86 440C70 412 130 408 170 412H346C388 406 444 414 426 442C420 464 360 458 330 460H170C140 462 94 462 86 440z", fill=SKY)
    shine = path("M126 440q20 8 48 6", stroke=WHITE, width=6)
    return puddle + shine + character("mochi", y=424, h=226, w=310, eyes="teary", face="wobble", brows=-1, look=(0, -10), leaf=-30, held=streams, feet=False,
                                      left=((-182, -30), -8, "back"), right=((182, -30), 8, "back"))


def angry(t):
    return (
        puff(92, 168, 1.1) + puff(420, 168, 1.1)
        + ticks(256, 300, (-112, -68), 226, 196, RED)
        + character("mochi", y=436, w=322, h=232, eyes="open", face="grit", brows=1.2, gaze=(0, 3), look=(0, -6), leaf=0, flush=("#ffb5a8", "#fa9489"),
                    left=((-192, -92), -26, "back"), right=((192, -92), 26, "back"), blush=1.15)
    )


def sleepy(t):
    return (
        character("mochi", x=240, y=436, w=318, h=218, lean=-6, eyes=("half", "half"), face="o", open_=1.7, look=(-10, -14), leaf=-24,
                  left=((-180, -30), -8, "back"), right=((48, -52), 6, "front"))
        + zed(398, 190, 0.75, 8) + zed(440, 122, 1.0, 12)
    )


def thanks(t):
    return (
        petal(96, 166, -30, 1.1) + petal(420, 150, 36, 1.2) + sparkle(378, 84, 26) + sparkle(128, 92, 20)
        + character("mochi", y=436, w=326, h=208, eyes="shut", face="smile", look=(0, -8), leaf=30,
                    left=((-17, -34), -6, "front"), right=((17, -34), 6, "front"))
        + path("M78 262Q88 226 118 206M434 262Q424 226 394 206", stroke=CORAL)
    )


def okay(t):
    return (
        character("mochi", x=238, y=436, lean=4, eyes=("open", "happy"), face="cat", leaf=-8, left=REST_L,
                  right=((190, -136), 26, "back", True))
        + sparkle(440, 150, 30) + sparkle(392, 104, 18)
    )


def celebrate(t):
    jump = [(0, 0), (0.2, 0), (0.5, 78), (0.8, 0), (1, 0)]
    rise = keys(t, jump) if not 0.2 < t < 0.8 else 78 * (1 - ((t - 0.5) / 0.3) ** 2)
    h = keys(t, [(0, 232), (0.14, 188), (0.28, 258), (0.5, 236), (0.76, 254), (0.88, 196), (1, 232)])
    w = 304 * (234 / h) ** 0.62
    raised = keys(t, [(0, 0.45), (0.14, 0), (0.36, 1), (0.62, 1), (0.88, 0.25), (1, 0.45)])
    hand_y = -h * 0.36 + 48 - 146 * raised
    hand_x = w / 2 + 16 + 22 * math.sin(math.pi * raised)
    leaf = keys(t, [(0, 0), (0.18, 12), (0.36, -14), (0.6, 6), (0.8, 16), (0.92, -12), (1, 0)])
    pieces = ""
    colours = (CORAL, GOLD, LEAF, SKY, LILAC, "#ffb3c1")
    for i in range(12):
        p = (t + i * 0.381966) % 1
        left_side = i % 2 == 0
        base = 34 + (i // 2) * 11 if left_side else 478 - (i // 2) * 11
        x, y = base + 9 * wave(p, i * 0.3), 56 + 330 * p
        grow = min(1, 5 * p, 5 * (1 - p))
        if grow < 0.3:
            continue
        fill = colours[(i * 5 + i // 6) % 6]
        d = ("M-11 -7h22v14h-22z", "M0 -12L12 9H-12z", "M-12 0a12 12 0 1 0 24 0a12 12 0 1 0 -24 0z")[i % 3]
        pieces += group(path(d, fill=fill, width=5), x, y, 360 * p * (1 if left_side else -1) + 40 * i, 1.45 * grow)
    return pieces + character("mochi", y=440 - rise, w=w, h=h, eyes="happy", face="laugh", open_=0.3 + 0.55 * raised, leaf=leaf, size=0.9,
                              left=((-hand_x, hand_y), -12, "back"), right=((hand_x, hand_y), 12, "back"))


def thinking(t):
    bubble = cloud(((-44, 4, 38), (-14, -20, 38), (28, -16, 40), (50, 8, 36), (20, 20, 38), (-20, 20, 38)), 376, 102)
    dots = "".join(ellipse(x, 102, 10, 10, INK) for x in (340, 378, 416))
    return (
        bubble + dots + ellipse(340, 184, 15, 12, WHITE, INK, 8)
        + character("mochi", x=236, y=436, lean=-3, eyes="open", gaze=(7, -8), face="flat", look=(6, -12), brows=0.1, leaf=-16,
                    left=REST_L, right=((42, -62), 6, "front"))
    )


def coffee(t):
    breath = wave(t)
    eyes = "blink" if 0.44 < t < 0.54 else "shut" if t > 0.54 and t < 0.86 else "open"
    cup_y = -40 - 3 * breath
    return character("mochi", x=250, y=438, w=306 - 3 * breath, h=240 + 4 * breath, eyes=eyes, face="smile", look=(0, -36 - 3 * breath),
                     lean=1.6 * wave(t, 0.1), leaf=5 * wave(t, -0.12), held=mug(4, cup_y),
                     left=((-46, cup_y + 14), -8, "front"), right=((54, cup_y + 14), 8, "front")) + steam_over(t)


def steam_over(t):
    art = ""
    for i, x in enumerate((396, 436)):
        for phase in (0, 0.5):
            p = (t + phase + i * 0.25) % 1
            grow = math.sin(math.pi * p)
            if grow > 0.4:
                art += heart(x + 8 * wave(p, i * 0.5), 236 - 130 * p, 0.62 * grow, (CORAL, "#ffb3c1")[i], 10 * wave(p), 6)
    return art


def goodnight(t):
    moon = group(path("M14 -58A58 58 0 1 0 58 22A46 46 0 0 1 14 -58z", fill=GOLD), 116, 128, -8)
    blanket_shape = "M-196 6C-204 -40 -196 -84 -150 -96C-80 -112 -30 -84 20 -92C80 -104 130 -112 160 -92C196 -70 200 -30 192 6C150 20 -150 20 -196 6z"
    veins = path("M-168 -22C-60 -46 60 -34 176 -52", stroke=LEAF_SHADE, width=7)
    for x, y in ((-104, -34), (-20, -38), (68, -40)):
        veins += path(f"M{x} {y}q22 -26 46 -32M{x} {y}q26 14 46 30", stroke=LEAF_SHADE, width=6)
    blanket = path(blanket_shape, fill=LEAF) + veins + path(blanket_shape)
    return (
        moon + star(222, 84, 30, turn=-8, width=8) + star(56, 236, 24, turn=10, width=8) + zed(368, 160, 0.72, 6) + zed(418, 100, 0.95, 12)
        + character("mochi", y=432, w=318, h=214, eyes="shut", face="smile", look=(0, -46), leaf=20, feet=False, held=blanket)
    )


# name: (pose, frames, (scale, right, down) that fills the canvas); frame rates stand in pack.toml.
STICKERS = {
    "hello": (hello, 1, (0.97, -6, -37)),
    "love": (love, 1, (1.11, -28, -31)),
    "laugh": (laugh, 16, (1.06, -15, -58)),
    "cry": (cry, 1, (1.09, -23, -59)),
    "angry": (angry, 1, (1.04, -10, -28)),
    "sleepy": (sleepy, 1, (1.02, -2, -28)),
    "thanks": (thanks, 1, (1.11, -33, -30)),
    "okay": (okay, 1, (1.05, -14, -32)),
    "celebrate": (celebrate, 20, (0.91, 25, 13)),
    "thinking": (thinking, 1, (1.03, -2, -2)),
    "coffee": (coffee, 20, (1.15, -57, -77)),
    "goodnight": (goodnight, 1, (1.06, -2, -11)),
}
