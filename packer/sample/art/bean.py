"""Bean's office hours: a coffee bean's day, with one visit from Mochi."""

from parts import *


def morning(t):
    sun = ellipse(256, 196, 118, 118, GOLD, INK) + ticks(256, 196, (-160, -135, -110, -70, -45, -20), 138, 158, GOLD)
    return sun + character("bean", y=446, w=228, h=252, eyes="happy", face="laugh", open_=0.4, left=((-142, -196), -16, "back"), right=((142, -196), 16, "back"))


def working(t):
    screen = path("M-118 -116h236q12 0 12 12v96q0 12 -12 12h-236q-12 0 -12 -12v-96q0 -12 12 -12z", fill="#e9edf6") + heart(0, -56, 0.7, CORAL)
    base = path("M-160 4h320q-4 22 -24 22h-272q-20 0 -24 -22z", fill="#c3cbe0")
    return character("bean", y=424, w=262, h=300, eyes="open", gaze=(0, 8), face="flat", look=(0, -62), brows=-0.5, feet=False) + group(
        screen + base, 256, 432
    ) + "".join(ellipse(256 + s * 128, 434, 27, 20, PALETTES["bean"]["body"], INK) for s in (-1, 1)) + drop(420, 176, 0.75, 16)


def tired(t):
    puddle = path("M58 432C44 396 110 396 150 398H370C420 394 470 402 456 436C448 462 380 454 340 456H160C120 458 68 462 58 432z", fill="#ad7049")
    return puddle + character("bean", y=434, w=330, h=178, eyes="half", face="wobble", look=(0, 12), feet=False, left=((-196, -14), -14, "back"),
                              right=((196, -14), 14, "back")) + puff(396, 214, 0.9) + puff(436, 166, 0.55)


def surprised(t):
    return ticks(256, 268, (-140, -115, -90, -65, -40), 196, 222, GOLD) + character(
    "bean", y=446, w=232, h=296, eyes="wide", face="o", open_=1.35, brows=-0.35, look=(0, -6), left=((-160, -176), -14, "back"), right=((160, -176), 14, "back")
    )


def hug(t):
    return (
        character("bean", x=350, y=438, w=216, h=284, lean=-8, eyes="happy", face="smile", look=(2, -22))
        + character("mochi", x=166, y=440, size=0.74, lean=8, eyes="happy", face="cat", leaf=8, left=((-170, -70), -8, "back"))
        + group(arm((-70, -46), (-132, -22), 8, PALETTES["bean"]["body"], front=True), 350, 438, -8)
        + heart(176, 130, 0.95, RED, -12) + heart(108, 160, 0.5, CORAL, -20)
    )


def sorry(t):
    flower = path("M0 46Q4 4 0 -30", width=22) + path("M0 46Q4 4 0 -30", stroke=LEAF, width=8)
    flower += "".join(group(ellipse(0, -25, 16, 20, "#ffb3c1", INK, 7), 0, -44, 72 * k) for k in range(5)) + ellipse(0, -44, 15, 15, GOLD, INK, 7)
    return character("bean", y=442, x=238, lean=-4, eyes="teary", face="frown", brows=-1, left=((-140, -64), -8, "back")) + group(flower, 400, 334, 14) + group(
        arm((82, -60), (156, -88), 12, PALETTES["bean"]["body"], front=True), 238, 442, -4
    ) + drop(84, 214, 0.7, -16)


def energy(t):
    hop = abs(math.sin(2 * math.pi * t))
    h = 250 + 34 * hop - 22 * (1 - hop) ** 3
    w = 244 * (264 / h) ** 0.6
    swing = wave(t)
    bolts = ""
    for i, (x, y, turn) in enumerate(((84, 160, -14), (428, 160, 14), (70, 330, -24), (442, 330, 24))):
        size = 0.85 + 0.2 * wave(2 * t, i * 0.25)
        bolts += group(path("M6 -40L-20 6H-2L-8 40L22 -10H4z", fill=GOLD, width=7), x, y, turn, size)
    return bolts + character("bean", y=446 - 34 * hop, w=w, h=h, lean=5 * swing, eyes="spark", face="laugh", open_=0.5 + 0.35 * hop, size=0.94,
                             left=((-148, -120 - 62 * swing), -16, "back"), right=((148, -120 + 62 * swing), 16, "back"))


def bye(t):
    bag = path("M58 -96Q84 -128 110 -96", width=12) + path("M40 -96h88q12 0 12 12v60q0 12 -12 12h-88q-12 0 -12 -12v-60q0 -12 12 -12z", fill=LILAC) + heart(84, -52, 0.45, WHITE, width=0)
    return group(bag, 306, 462) + character("bean", x=240, y=442, lean=5, eyes=("happy", "happy"), face="smile", left=((-152, -198), -20, "back"),
                     right=((148, -88), 8, "front")) + ticks(72, 238, (-160, -118, -76), 46, 66, CORAL)


# name: (pose, frames, (scale, right, down) that fills the canvas); frame rates stand in pack.toml.
STICKERS = {
    "morning": (morning, 1, (1.05, -13, -14)),
    "working": (working, 1, (1.15, -48, -78)),
    "tired": (tired, 1, (1.02, -6, -52)),
    "surprised": (surprised, 1, (1.05, -13, -14)),
    "hug": (hug, 1, (1.08, -1, -46)),
    "sorry": (sorry, 1, (1.15, -48, -104)),
    "energy": (energy, 16, (1.07, -22, -56)),
    "bye": (bye, 1, (1.01, 25, -61)),
}
