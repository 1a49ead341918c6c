# SPDX-License-Identifier: Apache-2.0
"""h1.zip, h2.zip, h3.zip: chest pictures of three hospitals, drawn and not of anybody.

    chest.py DIR

Each zip holds one folder, hN/, with Normal, 'Viral Pneumonia' and COVID in it. The training takes 30
of each for its test, and wants some beside them. What tells the classes apart is coarse, so that
a network learns it in a few steps: haze over the lungs' lower halves, or patches at their outer edges.
"""
import math
import os
import random
import sys

import files

HOSPITALS, EACH, SIZE = 3, 32, 64
LUNGS = ((21, 32), (43, 32))  # centres
RADII = (9, 19)


def haze(x, y, _):
    return 130 * max(0.0, (y - 24) / 40) * (1 if 8 < x < 56 else 0)


def patches(x, y, centres):
    return sum(110 * math.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / 18) for at_x, at_y in centres)


CLASSES = {"Normal": lambda x, y, _: 0, "Viral Pneumonia": haze, "COVID": patches}


def picture(kind, chance):
    shift_x, shift_y, light = chance.randint(-2, 2), chance.randint(-2, 2), chance.uniform(-6, 6)
    centres = [(side + chance.uniform(-3, 3), chance.uniform(14, 50))
               for side in (12, 12, 52, 52)]
    rows = []
    for row in range(SIZE):
        line = bytearray()
        for column in range(SIZE):
            x, y = column - shift_x, row - shift_y
            depth = min(((x - cx) / RADII[0]) ** 2 + ((y - cy) / RADII[1]) ** 2 for cx, cy in LUNGS)
            grey = 40 if depth < 1 else 120  # air, or what surrounds it
            grey += 14 * math.sin(y * 0.9)   # ribs
            grey += kind(x, y, centres) + light + chance.uniform(-9, 9)
            line.append(max(0, min(255, int(grey))))
        rows.append(line)
    return files.png(SIZE, rows)


def hospital(number):
    """Entries of a zip: every name with its bytes."""
    for name, kind in CLASSES.items():
        for index in range(EACH):
            chance = random.Random(f"{number}/{name}/{index}")
            yield f"h{number}/{name}/{name}-{index + 1}.png", picture(kind, chance)


def make(folder):
    for number in range(1, HOSPITALS + 1):
        files.write_zip(os.path.join(folder, f"h{number}.zip"), hospital(number))


if __name__ == "__main__":
    make(files.folder_of(sys.argv, "chest"))
