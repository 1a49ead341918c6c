#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sum_patient_data: the sum of all numbers that the nodes before this one encrypted. It has no key to decrypt with."""
import json
import os

import paillier


def main():
    with open("kwargs.json", encoding="utf-8") as file:
        n = paillier.public_read(json.load(file)["paillier-pubkey"])
    total = paillier.encrypt(n, 0)
    for name in sorted(os.listdir("inputs")):
        with open(os.path.join("inputs", name), encoding="ascii") as file:
            for number in paillier.numbers_read(file.read(), n):
                total = paillier.add(n, total, number)
    print(paillier.numbers_text(n, [total]))


if __name__ == "__main__":
    main()
