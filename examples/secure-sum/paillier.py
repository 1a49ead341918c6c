#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Paillier's additive encryption (1999) in the JSON forms of python-paillier (phe), with Python alone.

    paillier.py generate FILE [BITS]      a private key, as pheutil writes it (3072 bits)
    paillier.py public FILE               its public half, as workflows have it in "paillier-pubkey"
    paillier.py decrypt FILE NUMBERS      what numbers encrypted under it are, one in a line

Numbers are {"public_key": {"n": "…"}, "values": [["ciphertext", exponent], …]}, as phe's documentation writes them; a
value is an integer times 16 to its exponent. Only sums of what others encrypted are done to them.
"""
import base64
import json
import math
import os
import secrets
import sys

BITS, BITS_MIN, BITS_MAX, BASE = 3072, 2048, 8192, 16
VALUES_MAX, EXPONENT_MIN = 1024, -64


class Refused(Exception):
    pass


# ---- numbers as text ----

def to_base64(number):
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")


def from_base64(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def decimal(text, below):
    """A number as phe writes it: digits, below that."""
    text = str(text)
    if not text.isascii() or not text.isdigit() or len(text) > BITS_MAX or int(text) >= below:
        raise Refused("a number that is none, or too large")
    return int(text)


def modulus(n):
    if not BITS_MIN <= n.bit_length() <= BITS_MAX or n % 2 == 0:
        raise Refused(f"a public key of {n.bit_length()} bits: it has {BITS_MIN} to {BITS_MAX}")
    return n


# ---- keys ----

def is_prime(number, rounds=40):
    if any(number % small == 0 for small in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(rounds):
        x = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if x in (1, number - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True


def prime(bits):
    while True:
        # Both upper bits, so that the product of two has twice as many.
        number = secrets.randbits(bits) | 3 << bits - 2 | 1
        if is_prime(number):
            return number


def generate(bits=BITS):
    if not BITS_MIN <= bits <= BITS_MAX or bits % 2:
        raise Refused(f"keys have {BITS_MIN} to {BITS_MAX} bits, an even number of them")
    p = q = prime(bits // 2)
    while p == q:
        q = prime(bits // 2)
    public = {"kty": "DAJ", "alg": "PAI-GN1", "key_ops": ["encrypt"], "n": to_base64(p * q), "kid": "secure-sum"}
    return {"kty": "DAJ", "key_ops": ["decrypt"], "p": to_base64(p), "q": to_base64(q), "pub": public,
            "kid": "secure-sum"}


def public_of(private):
    return modulus(from_base64(private["pub"]["n"]))


def public_text(n):
    """As the workflow of the guide has it."""
    return base64.b64encode(json.dumps({"n": str(n)}).encode()).decode()


def public_read(text):
    return modulus(decimal(json.loads(base64.b64decode(text, validate=True))["n"], 1 << BITS_MAX))


# ---- numbers that are encrypted ----

def encrypt(n, value):
    """[ciphertext, exponent] of an integer."""
    if abs(value) > n // 3:
        raise Refused("that number is too large for the key")
    square = n * n
    r = 0
    while math.gcd(r, n) != 1:
        r = secrets.randbelow(n)
    return [str((1 + n * (value % n)) * pow(r, n, square) % square), 0]


def add(n, one, two):
    """The sum of two, which are [ciphertext, exponent]. Nothing of them is known here."""
    square = n * n
    (a, of_a), (b, of_b) = sorted((one, two), key=lambda row: row[1])
    a, b = decimal(a, square), decimal(b, square)
    if not EXPONENT_MIN <= of_a <= of_b <= 0:
        raise Refused("an exponent that sums of integers and measurements do not have")
    return [str(a * pow(b, BASE ** (of_b - of_a), square) % square), of_a]


def decrypt(private, ciphertext, exponent):
    p, q = from_base64(private["p"]), from_base64(private["q"])
    n = p * q
    if n != public_of(private):
        raise Refused("the private key's halves are not of its public key")
    order = math.lcm(p - 1, q - 1)
    value = (pow(decimal(ciphertext, n * n), order, n * n) - 1) // n * pow(order, -1, n) % n
    if n // 3 < value < n - n // 3:
        raise Refused("the sum was too large for the key")
    value = value - n if value > n // 2 else value
    return value if exponent == 0 else value * float(BASE) ** exponent


def numbers_text(n, values):
    return json.dumps({"public_key": {"n": str(n)}, "values": values})


def numbers_read(text, n):
    """[[ciphertext, exponent], …], which have to be under this key."""
    said = json.loads(text)
    if decimal(said["public_key"]["n"], 1 << BITS_MAX) != n:
        raise Refused("numbers under another key")
    values = [[decimal(ciphertext, n * n), int(exponent)] for ciphertext, exponent in said["values"]]
    if not 1 <= len(values) <= VALUES_MAX:
        raise Refused(f"{len(values)} numbers: there are 1 to {VALUES_MAX}")
    return [[str(ciphertext), exponent] for ciphertext, exponent in values]


# ---- at the user's ----

def main(words):
    if len(words) in (2, 3) and words[0] == "generate":
        private = generate(int(words[2]) if len(words) == 3 else BITS)
        with open(os.open(words[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(private, file)
        return 0
    if len(words) not in (2, 3) or words[0] not in ("public", "decrypt") or (words[0] == "decrypt") != (len(words) == 3):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(words[1], encoding="ascii") as file:
        private = json.load(file)
    if words[0] == "public":
        print(public_text(public_of(private)))
        return 0
    with open(words[2], encoding="ascii") as file:
        values = numbers_read(file.read(), public_of(private))
    for ciphertext, exponent in values:
        print(decrypt(private, ciphertext, exponent))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Refused, OSError, KeyError, TypeError, ValueError) as error:
        sys.exit(f"paillier.py: {error}")
