#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""get_patient_data: the number of patients in patients.txt beside this file, encrypted under the workflow's key."""
import json
import os

import paillier


def main():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "patients.txt"), encoding="ascii") as file:
        patients = int(file.read())
    with open("kwargs.json", encoding="utf-8") as file:
        n = paillier.public_read(json.load(file)["paillier-pubkey"])
    print(paillier.numbers_text(n, [paillier.encrypt(n, patients)]))


if __name__ == "__main__":
    main()
