"""Regions of the body, drawn from solids: each function adds one region to a body, never the same twice.

Points are complex numbers in the body's own units (see `drawing`): up is -1j, the region's middle 0.
"""

import cmath
import math
from collections.abc import Sequence

import numpy as np

from medcls.data.phantoms.drawing import Body, Oval, Ring, Rod

Generator = np.random.Generator

SIDES = (-1, 1)


def chest_front(body: Body, rng: Generator) -> None:
    """Draw dark lungs under sloping ribs, the heart between them to one side, spine, clavicles and arms."""
    broad, breath = rng.normal(1, 0.07), rng.normal(0.72, 0.08)
    shoulders = [Rod(s * 0.4 - 0.65j, s * 0.95 - 0.45j, 0.28) for s in SIDES]
    body.add_tissue(Rod(0.05j, 2j, 0.95 * broad), Rod(-1.3j, -0.7j, 0.28), *shoulders, density=0.65)
    lungs = [Rod(s * 0.3 * broad - 0.45j, s * 0.42 * broad + 0.2j, 0.19, 1.65) for s in SIDES]
    heart, vessels = Oval(0.1 + 0.2j, 0.34 + 0.1j, rng.uniform(0.2, 0.32), 0.42), Rod(-0.6j, 0.2j, 0.11, 1.3)
    diaphragm = [Oval(s * 0.42 + (breath + 0.05 * s) * 1j, 0.48, 0.42, 0.7) for s in SIDES]
    body.add_air(*lungs, density=1.9, but=[heart, vessels, *diaphragm])
    ribs = []
    for level in range(9):
        half = (0.26 + 0.22 * math.sin(0.35 + 0.25 * level)) * broad
        spots = [(s, s * 0.36 * broad + (-0.64 + 0.145 * level) * 1j) for s in SIDES]
        ribs += [Ring(spot, half * (1 + 0.3j * s), 0.1, 0.028, s + 0.2j, 0.67) for s, spot in spots]
    clavicles = [Ring(s * 0.4 - 0.6j, s * 0.36 + 0.07j, 0.1, 0.04, -1j, 0.45) for s in SIDES]
    body.add_bone(*ribs, density=1.7)
    body.add_bone(*clavicles, density=1.3)
    body.add_bone(*_spine(-1.3j, 2j, 0.1, rng), density=0.6)
    body.add_bone(*(Rod(s * 0.78 * broad - 0.5j, s * 0.98 + 0.3j, 0.1, 0.7) for s in SIDES))


def chest_side(body: Body, rng: Generator) -> None:
    """Draw one dark field between the breastbone in front and the spine behind, the heart low in front."""
    broad, breath = rng.normal(1, 0.07), rng.normal(0.78, 0.07)
    arm, neck = Rod(0.05 - 0.75j, -0.6 - 1.1j, 0.24), Rod(-1.2j, -0.6j, 0.28)
    body.add_tissue(Rod(0.05j, 2j, 0.84 * broad), arm, neck, density=0.9)
    lungs = [Rod(0.02 - 0.5j, -0.08 + 0.2j, 0.26, 1.8), Rod(0.2 - 0.45j, 0.26 + 0.4j, 0.22, 1.3)]
    heart = Oval(-0.24 + 0.24j, 0.12 + 0.32j, rng.uniform(0.18, 0.28), 0.5)
    diaphragm = [Oval(complex(x, breath), 0.5 + 0.14j, 0.36, 0.75) for x in (-0.15, 0.1)]
    body.add_air(*lungs, density=1.6, but=[heart, Rod(-0.6j, -0.14 + 0.1j, 0.1), *diaphragm])
    levels = [0.02 + (-0.6 + 0.15 * level) * 1j for level in range(9)]
    ribs = [Ring(level, (0.55 + 0.28j) * broad, 0.12, 0.026, 1 + 1j, 0.62) for level in levels]
    breastbone, shoulder_blade = Rod(-0.5 - 0.5j, -0.66 + 0.25j, 0.045), Rod(0.3 - 0.6j, 0.5 + 0.05j, 0.09, 0.6)
    body.add_bone(*ribs, breastbone, density=1.2)
    body.add_bone(*_spine(0.38 - 1.2j, 0.5 + 1.6j, 0.12, rng, bow=0.14), density=0.8)
    body.add_bone(shoulder_blade, Rod(0.1 - 0.75j, -0.6 - 1.1j, 0.08), density=0.6)


def hand(body: Body, rng: Generator) -> None:
    """Draw five rays of bones, the thumb apart, on two rows of small ones; radius and ulna below."""
    spread, size = rng.uniform(2, 12), rng.normal(1, 0.08)
    thumb = _turned(-1j, -rng.uniform(20, 55))
    rays = _ray(-0.22 + 0.33j, thumb, (0.32, 0.22, 0.16), rng, radius=0.06, size=size)
    for finger, length in enumerate((0.95, 1.06, 1.0, 0.82)):
        root, heading = complex(-0.18 + 0.12 * finger, 0.27), _turned(-1j, spread * (finger - 1.3) + rng.normal(0, 3))
        rays += _ray(root, heading, (0.42, 0.28, 0.18, 0.12), rng, radius=0.056, size=size * length)
    body.add_tissue(Rod(-0.02j, 0.4j, 0.3, 0.85), Rod(0.4j, 2.2j, 0.26, 1.15), *_flesh(rays))
    far, near = (
        [complex(x, 0.36) for x in (-0.18, -0.06, 0.06, 0.18)],
        [complex(x, 0.48) for x in (-0.14, -0.02, 0.1)],
    )
    body.add_bone(*rays, *(Oval(_near(spot, 0.01, rng), 0.075, 0.06, 0.06) for spot in far + near))
    radius = Rod(-0.1 + 0.72j, -0.12 + 2.2j, 0.095), Rod(-0.07 + 0.61j, -0.1 + 0.9j, 0.15, 0.63, blunt=3)
    ulna = Rod(0.16 + 0.63j, 0.15 + 2.2j, 0.075, 0.9, flare=0.2, blunt=2)
    body.add_bone(*radius, ulna, density=0.8)


def foot(body: Body, rng: Generator) -> None:
    """Draw five long rays with short toes, the first one thick, on the blocks of the tarsus and the heel."""
    spread, size = rng.uniform(0, 8), rng.normal(1, 0.08)
    great_toe = _turned(-1j, -rng.uniform(0, 16))
    rays = _ray(-0.22 + 0.22j, great_toe, (0.48, 0.24, 0.17), rng, radius=0.08, size=size)
    for toe, length in enumerate((1.0, 0.95, 0.9, 0.85)):
        root, heading = complex(-0.08 + 0.115 * toe, 0.2), _turned(-1j, spread * (toe - 0.5) + rng.normal(0, 2))
        rays += _ray(root, heading, (0.52, 0.17, 0.09, 0.07), rng, radius=0.05, size=size * length)
    body.add_tissue(Rod(-0.02 - 0.15j, 0.45j, 0.3, 0.85), Rod(0.02 + 0.4j, 0.05 + 0.9j, 0.28), *_flesh(rays))
    cuneiforms = [(-0.21 + 0.28j, 0.08), (-0.09 + 0.27j, 0.07), (0.03 + 0.28j, 0.07)]
    blocks = [*cuneiforms, (0.18 + 0.33j, 0.13), (-0.1 + 0.44j, 0.13)]
    body.add_bone(*rays, *(Oval(_near(spot, 0.01, rng), 1j * tall, 0.9 * tall, 0.07) for spot, tall in blocks))
    body.add_bone(Rod(-0.07 + 0.62j, 0.8j, 0.15, 0.9), density=0.6)
    body.add_bone(Rod(0.1 + 0.62j, 0.08 + 1.0j, 0.12, 1.3), density=0.5)


def knee(body: Body, rng: Generator) -> None:
    """Draw two rounded condyles, the kneecap over them, the flat top of the tibia and the thin fibula."""
    size = rng.normal(1, 0.07)
    down = _turned(1j, rng.normal(0, 6) if rng.random() < 0.7 else -rng.uniform(15, 65))
    aside = -1j * down
    body.add_tissue(Rod(-2.2j, 0j, 0.5, 0.84), Rod(0j, 2.2 * down, 0.42, 0.85))
    condyles = [Oval(s * 0.17 * size - 0.13j, 0.18j, 0.18 * size, 0.2) for s in SIDES]
    body.add_bone(Rod(-2.2j, -0.4j, 0.15), Rod(-0.6j, -0.22j, 0.15, 1.9 * size), *condyles)
    plateau = [Rod(0.17 * down + s * 0.18 * size * aside, 0.35 * down, 0.13) for s in SIDES]
    tibia = Rod(0.16 * down, 0.6 * down, 0.29 * size, 0.5, blunt=5), Rod(0.5 * down, 2.2 * down, 0.14)
    fibula = Rod(0.3 * aside + 0.3 * down, 0.27 * aside + 2.2 * down, 0.06, flare=0.5)
    body.add_bone(*plateau, *tibia)
    body.add_bone(fibula)
    kneecap = complex(rng.normal(0, 0.05), rng.normal(-0.27, 0.04)) + 0.3 * down.real
    body.add_bone(Oval(kneecap, 0.16j, 0.15, 0.1), density=0.7)


def elbow(body: Body, rng: Generator) -> None:
    """Draw the humerus with its epicondyles, the hook of the ulna over it and the round head of the radius."""
    size = rng.normal(1, 0.07)
    down = _turned(1j, rng.normal(0, 8) if rng.random() < 0.5 else -rng.uniform(15, 90))
    aside = -1j * down
    body.add_tissue(Rod(-2.2j, 0j, 0.36, 0.95), Rod(0j, 2.2 * down, 0.36, 0.6))
    condyles = [Oval(s * 0.13 * size - 0.03j, 0.1j, 0.14 * size, 0.14) for s in SIDES]
    body.add_bone(Rod(-2.2j, -0.4j, 0.13), Rod(-0.5j, -0.1j, 0.13, 2 * size, blunt=3), *condyles)
    hook, ulna = -0.12 * aside - 0.22 * down, -0.12 * aside + 0.3 * down
    body.add_bone(Rod(hook, ulna, 0.13, 0.75), Rod(ulna - 0.1 * down, ulna + 2 * down, 0.095, 0.8), density=0.9)
    head = 0.17 * aside + 0.16 * down
    body.add_bone(Rod(head, head + 0.04 * down, 0.12, blunt=2), Rod(head, head + 2 * down, 0.075, 1.3, flare=0.15))


def shoulder(body: Body, rng: Generator) -> None:
    """Draw the head of the humerus in its shallow socket under the acromion, the clavicle, ribs and lung."""
    arm, head = _turned(1j, -rng.uniform(-5, 55)), 0.05 - 0.1j
    trunk = Oval(-0.9 + 0.6j, 1.2j, 0.9, 0.6)
    body.add_tissue(trunk, Rod(-0.7 - 0.4j, head, 0.4, 0.9), Rod(head, head + 2.2 * arm, 0.38, 0.8))
    body.add_air(Rod(-0.75 - 0.1j, -0.8 + 0.8j, 0.26, 1.5), density=1.5)
    levels = [-0.85 + (-0.3 + 0.19 * level) * 1j for level in range(6)]
    body.add_bone(*(Ring(level, 0.42 + 0.1j, 0.13, 0.032, 1 + 0.2j, 0.62) for level in levels), density=1.3)
    neck, shaft = Rod(head + 0.1 * arm, head + 0.45 * arm, 0.23, 0.55), Rod(head + 0.3 * arm, head + 2.2 * arm, 0.13)
    body.add_bone(Oval(head, 0.25 * arm, 0.24, 0.25), neck, shaft)
    body.add_bone(Rod(-0.3 - 0.05j, -0.42 + 0.8j, 0.2, 0.3), wall=0.2, density=0.5)
    body.add_bone(Oval(-0.2 - 0.02j, 0.2j, 0.07, 0.12), density=0.9)
    clavicle, acromion = Ring(-0.5 - 0.38j, 0.55 - 0.05j, 0.14, 0.065, -1j, 0.45), Rod(-0.48j, 0.22 - 0.34j, 0.09, 0.8)
    body.add_bone(clavicle, acromion)


def hip(body: Body, rng: Generator) -> None:
    """Draw the head of the femur deep in its socket, a slanting neck, the trochanter and half the pelvis."""
    leg, head = _turned(1j, rng.normal(-4, 9)), -0.1 - 0.12j
    neck = head + 0.34 * _turned(1, rng.normal(28, 6))
    body.add_tissue(Oval(-0.7 - 0.3j, 1.3j, 1.0, 0.6), Rod(0.1 + 0.1j, 0.2 + 2.2 * leg, 0.55, 0.9))
    socket, roof = Ring(head, 0.28, 0.28, 0.06, -1 - 0.6j, 0.49), Rod(-0.3 - 0.45j, -0.36 - 0.1j, 0.2, 0.8)
    body.add_bone(Oval(-0.42 - 0.72j, 0.42 + 0.3j, 0.42, 0.2), wall=0.12, density=0.8)
    body.add_bone(socket, roof, density=0.8)
    body.add_bone(Ring(-0.45 + 0.3j, 0.26 + 0.12j, 0.19, 0.08), density=0.9)
    trochanter, shaft = Rod(neck - 0.08j, neck + 0.35 * leg, 0.18, 0.75), Rod(neck + 0.2 * leg, neck + 2.2 * leg, 0.14)
    body.add_bone(Oval(head, 0.24j, 0.23, 0.24), Rod(head, neck, 0.16, 1.05), trochanter, shaft)
    body.add_bone(*_spine(-0.95 - 1.3j, -0.95 + 0.1j, 0.14, rng), density=0.7)


def skull(body: Body, rng: Generator) -> None:
    """Draw the vault as a bright line, orbits, nose, teeth, jaw and neck; from the front or from the side."""
    if rng.random() < 0.5:
        _skull_front(body, rng)
    else:
        _skull_side(body, rng)


def _skull_front(body: Body, rng: Generator) -> None:
    body.add_tissue(Oval(-0.2j, 0.76j, 0.62, 0.4), Oval(0.4j, 0.5j, 0.4, 0.35), Rod(0.5j, 2.2j, 0.28))
    orbits = [Oval(s * 0.22 + 0.02j, 0.12, 0.1, 0.2) for s in SIDES]
    sinuses = [Oval(s * 0.2 + 0.27j, 0.1, 0.08, 0.15) for s in SIDES]
    body.add_air(*orbits, *sinuses, Oval(0.24j, 0.15j, 0.07, 0.25))
    body.add_bone(Oval(-0.22j, 0.66j, 0.54, 0.35), wall=0.11, spongy=0.1)
    body.add_bone(Oval(0.2j, 0.26j, 0.4, 0.2), density=0.8)
    body.add_bone(*(Ring(s * 0.22 + 0.02j, 0.14, 0.12, 0.03) for s in SIDES), density=1.2)
    body.add_bone(Ring(0.28j, 0.5j, 0.37, 0.08, 1j, 0.55), density=1.6)
    body.add_bone(*_teeth(-0.18 + 0.5j, 0.18 + 0.5j), density=2.5)
    body.add_bone(*_spine(0.45j, 2.2j, 0.12, rng), density=0.7)


def _skull_side(body: Body, rng: Generator) -> None:
    brow, chin = -0.42 + 0.02j, -0.48 + 0.53j
    face, neck = (
        [Rod(brow, chin, 0.26, 0.75), Rod(-0.1 + 0.1j, -0.2 + 0.42j, 0.3, 0.7)],
        Rod(0.15 + 0.2j, 0.2 + 2.2j, 0.34),
    )
    body.add_tissue(Oval(0.12 - 0.2j, 0.73 + 0.15j, 0.58, 0.4), *face, neck)
    body.add_air(Oval(-0.34 + 0.2j, 0.12, 0.09, 0.2), Rod(-0.03 + 0.3j, 0.04 + 0.8j, 0.06))
    body.add_bone(Oval(0.12 - 0.2j, 0.65 + 0.14j, 0.5, 0.3), wall=0.11, spongy=0.1)
    body.add_bone(Rod(-0.44 + 0.03j, 0.1 + 0.16j, 0.07), Oval(0.14 + 0.16j, 0.14, 0.11, 0.14), density=0.8)
    body.add_bone(Rod(-0.36 + 0.08j, -0.4 + 0.32j, 0.17))
    body.add_bone(Ring(-0.47 + 0.06j, 0.12j, 0.1, 0.04), density=1.2)
    body.add_bone(Rod(-0.04 + 0.18j, -0.1 + 0.46j, 0.09), Rod(-0.12 + 0.48j, chin, 0.09), density=1.5)
    body.add_bone(*_teeth(-0.58 + 0.37j, -0.26 + 0.35j), density=2.5)
    body.add_bone(*_spine(0.16 + 0.3j, 0.24 + 2.2j, 0.12, rng, bow=-0.08))


def _ray(
    root: complex, heading: complex, parts: Sequence[float], rng: Generator, *, radius: float, size: float
) -> list[Rod]:
    """Return the bones of a finger or toe: end to end with gaps for joints, each thinner and a little bent."""
    bones = []
    for part in parts:
        tip = root + size * part * heading
        bones.append(Rod(root + radius * heading, tip - 0.6 * radius * heading, radius, 0.85, flare=0.35, blunt=2))
        root, radius, heading = tip, 0.88 * radius, _turned(heading, rng.normal(0, 5))
    return bones


def _flesh(bones: Sequence[Rod]) -> list[Rod]:
    return [Rod(bone.start, bone.end, 2.1 * bone.radius) for bone in bones]


def _spine(top: complex, bottom: complex, width: float, rng: Generator, bow: float = 0.0) -> list[Rod]:
    """Return a column of vertebrae, bowed sideways by at most `bow`."""
    count = round(abs(bottom - top) / (1.45 * width))
    step = (bottom - top) / count
    bones = []
    for level in range(count):
        start = top + level * step + bow * math.sin(math.pi * level / count) + rng.normal(0, 0.004)
        bones.append(Rod(start + 0.3 * step, start + 0.7 * step, width, flare=0.15, blunt=3))
    return bones


def _teeth(first: complex, last: complex) -> list[Rod]:
    """Return an upper and a lower row of teeth."""
    crowns = [first + (last - first) * k / 6 for k in range(7)]
    return [Rod(crown + y, crown + y + 0.06j, 0.024) for crown in crowns for y in (-0.06j, 0.04j)]


def _turned(direction: complex, degrees: float) -> complex:
    return direction * cmath.rect(1, math.radians(degrees))


def _near(spot: complex, spread: float, rng: Generator) -> complex:
    return spot + complex(*rng.normal(0, spread, 2))
