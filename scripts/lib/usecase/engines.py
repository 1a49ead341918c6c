# SPDX-License-Identifier: Apache-2.0
"""train_FD001.txt, test_FD001.txt, RUL_FD001.txt: engines that wear out, in the form of the public set.

    engines.py DIR

26 columns with blanks between: engine, cycle, three settings, 21 sensors, some of which drift the faster
the nearer the end. The training looks at 50 cycles at a time, so each engine has a few more of them, and it
wants a batch of 32 such windows for its test, a fifth of all. There are hardly more than that: it starts
eight processes in each of up to a hundred rounds.
"""
import os
import random
import sys

import files

ENGINES, SENSORS, WINDOW = 4, 21, 50
DRIFT = {2: 0.9, 3: 6.0, 4: 9.0, 7: -1.4, 11: 0.4, 12: -1.1, 15: 0.06, 17: 2.0, 20: -0.3, 21: -0.2}


def engine(number, cycles, last, chance):
    """Lines of one engine that is seen up to the cycle `last` of its `cycles`."""
    for cycle in range(1, last + 1):
        worn = (cycle / cycles) ** 2
        settings = (chance.gauss(0, 0.002), chance.gauss(0, 0.0003), 100.0)
        sensors = (100 + 10 * n + DRIFT.get(n, 0) * (worn + chance.gauss(0, 0.03))
                   for n in range(1, SENSORS + 1))
        yield " ".join([str(number), str(cycle), *(f"{value:.4f}" for value in settings),
                        *(f"{value:.4f}" for value in sensors)]) + "  "


def make(folder):
    chance = random.Random("engines")
    train, test, left = [], [], []
    for number in range(1, ENGINES + 1):
        cycles = WINDOW + 3 + number % 2
        train += engine(number, cycles, cycles, chance)
        last = cycles - chance.randint(1, 3)
        test += engine(number, cycles, last, chance)
        left.append(f"{cycles - last} ")
    for name, lines in (("train", train), ("test", test), ("RUL", left)):
        files.write_lines(os.path.join(folder, f"{name}_FD001.txt"), lines)


if __name__ == "__main__":
    make(files.folder_of(sys.argv, "engines"))
