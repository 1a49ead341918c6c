#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges an SEV-SNP report from Python, with the installed library and nothing else:

    verify.py REPORT VCEK CHAIN POLICY.json REPORT_DATA [2026-06-15T00:00:00Z]

As verify.c: CHAIN is the ASK and the ARK as PEM, in that order; REPORT_DATA 128 hexadecimal digits. Exit status:
0 verified, 1 refused, 2 called wrongly or an input that can't be read. What is called has to be declared to
ctypes in no other way than here: pointers, lengths and times are not of an int's size."""
import calendar
import ctypes
import pathlib
import sys
import time
from ctypes import byref, c_char_p, c_int64, c_size_t, c_uint32, c_void_p


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 512)]


class Bytes(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class Library:
    """Calls that raise what the library says is wrong; objects are kept as long as the process runs."""
    # enum cocos_mode, cocos_endorsement and cocos_input of cocos/attestation.h
    SNP, VCEK, CHAIN, EVIDENCE, REPORT_DATA = 1, 1, 3, 1, 20

    def __init__(self):
        self.so = ctypes.CDLL("libcocos-attestation.so.0")
        self.so.cocos_verdict_text.restype = c_char_p
        self.so.cocos_verdict_ok.restype = ctypes.c_bool

    def call(self, name, *words):
        error = Error()
        if getattr(self.so, "cocos_" + name)(*words, byref(error)) != 0:
            raise ValueError(f"{name}: {error.text.decode(errors='replace')}")

    def make(self, name, *words):
        made = c_void_p()
        self.call(name, *words, byref(made))
        return made


def verify(report, vcek, chain, policy, report_data, at):
    """Whether the report is verified, and the verdict as text."""
    lib = Library()
    wanted = lib.make("policy_parse", byref(Bytes(policy, len(policy))), c_size_t(1))
    trusted, request = lib.make("endorsements_new"), lib.make("request_new", lib.SNP)
    for number, value in ((lib.VCEK, vcek), (lib.CHAIN, chain)):
        lib.call("endorsements_add", trusted, number, value, c_size_t(len(value)))
    for number, value in ((lib.EVIDENCE, report), (lib.REPORT_DATA, report_data)):
        lib.call("request_set", request, number, value, c_size_t(len(value)))
    lib.call("request_at", request, c_int64(at), c_uint32(0))
    verdict = lib.make("verify", request, trusted, wanted)
    return lib.so.cocos_verdict_ok(verdict), lib.so.cocos_verdict_text(verdict).decode()


def main(words):
    if len(words) not in (5, 6):
        raise ValueError("usage: verify.py REPORT VCEK CHAIN POLICY.json REPORT_DATA [AT]")
    files = [pathlib.Path(name).read_bytes() for name in words[:4]]
    at = calendar.timegm(time.strptime(words[5], "%Y-%m-%dT%H:%M:%SZ")) if words[5:] else int(time.time())
    yes, text = verify(*files, bytes.fromhex(words[4]), at)
    print(text, end="")
    return 0 if yes else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError) as trouble:
        print(f"no verdict: {trouble}", file=sys.stderr)
        sys.exit(2)
