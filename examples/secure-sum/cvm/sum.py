# SPDX-License-Identifier: Apache-2.0
"""The algorithm: the sum of all inputs and nothing else of them, whatever its arguments. Each input is a line of salt, and
then what a hospital printed."""
import os
import sys


def main():
    total = 0
    for name in sorted(os.listdir("datasets")):
        with open(os.path.join("datasets", name), encoding="ascii") as file:
            file.readline()
            total += int(file.read())
    with open(os.path.join("results", "sum.txt"), "w", encoding="ascii") as file:
        file.write(f"{total}\n")


if __name__ == "__main__":
    try:
        main()
    except ValueError:
        # Python's own words quote the input, and the submitter is shown what is written here.
        sys.exit("an input is no number")
