# SPDX-License-Identifier: Apache-2.0
"""creditcard.csv: payments that nobody made, with the columns of the public data set.

    cards.py DIR

Few of them are frauds, and a few of the 28 components tell which: enough to find, not all of them.
"""
import os
import random
import sys

import files

ROWS, FRAUDS = 6000, 150
COMPONENTS = 28
TELLING = {1: -2.2, 4: 2.0, 10: -1.8, 14: -3.0, 17: -2.4}  # component: how far frauds lie off


def rows():
    chance = random.Random("cards")
    frauds = set(chance.sample(range(ROWS), FRAUDS))
    yield ",".join(["Time", *(f"V{n}" for n in range(1, COMPONENTS + 1)), "Amount", "Class"])
    for index in range(ROWS):
        fraud = index in frauds
        parts = [chance.gauss(TELLING.get(n, 0) if fraud else 0, 1)
                 for n in range(1, COMPONENTS + 1)]
        amount = chance.lognormvariate(4.2 if fraud else 3.2, 1.1)
        yield ",".join([str(index * 28), *(f"{part:.6f}" for part in parts), f"{amount:.2f}",
                        str(int(fraud))])


def make(folder):
    files.write_lines(os.path.join(folder, "creditcard.csv"), rows())


if __name__ == "__main__":
    make(files.folder_of(sys.argv, "cards"))
