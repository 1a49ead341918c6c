# SPDX-License-Identifier: Apache-2.0
"""The TPM with the authority's key: words of an operator, and what record_ca_tpm recorded, with an answer changed."""
import os

from seeds.parts import CORPUS, u16, u32

FILE, AUTH, LONG_AUTH, THERE, SIGNS, RESTS, SHA384, WORDS = (1 << bit for bit in range(8))


def recorded(name):
    """(how, file, answers)"""
    with open(os.path.join(CORPUS, "ca_tpm", name), "rb") as file:
        whole = file.read()
    size = int.from_bytes(whole[1:3], "big")
    blob, rest, answers = whole[3:3 + size], whole[3 + size:], []
    while rest:
        size = int.from_bytes(rest[:2], "big")
        answers.append(rest[2:2 + size])
        rest = rest[2 + size:]
    return whole[0], blob, answers


def written(how, blob, answers):
    return bytes([how]) + u16(len(blob)) + blob + b"".join(u16(len(answer)) + answer for answer in answers)


def refusal(code):
    return b"\x80\x01" + u32(10) + u32(code)


def public_of(area):
    """An answer to TPM2_ReadPublic, without names."""
    body = u16(len(area)) + area + u16(0) + u16(0)
    return b"\x80\x01" + u32(10 + len(body)) + u32(0) + body


def ca_tpm():
    words = {
        "handle": b"0x81010001", "handle-first": b"0x81000000", "handle-before": b"0x80ffffff", "handle-last": b"0x817fffff",
        "handle-behind": b"0x81800000", "handle-upper": b"0x81ABCDEF", "handle-short": b"0x8101000", "handle-long": b"0x810100010",
        "handle-sign": b"0x-1010001", "handle-letter": b"0x8101000g", "path": b"/key", "path-root": b"/", "relative": b"key",
        "empty": b"", "auth": b"/key?auth-source=/auth", "both": b"0x81010001?auth-source=/a&tcti=swtpm:path=/s",
        "twice": b"/key?tcti=a&tcti=b", "relative-auth": b"/key?auth-source=auth", "option": b"/key?pin=1", "no-value": b"/key?tcti=",
        "no-option": b"/key?", "last-empty": b"/key?tcti=a&", "more": b"/key?tcti=a?b", "long": b"/" + b"k" * 1023,
    }
    how, blob, answers = recorded("file-there")
    made = recorded("handle-new")
    last = max(i for i, answer in enumerate(answers) if len(answer) > 10)

    def with_answer(at, answer):
        return written(how, blob, answers[:at] + [answer] + answers[at + 1:])

    def edited(old, new):
        return written(how, blob, [answer.replace(old, new) for answer in answers])

    public = min(i for i, answer in enumerate(answers) if b"\x00\x23\x00\x0b\x00\x04\x00\x72" in answer)
    signed = max(i for i, answer in enumerate(answers) if b"\x00\x18\x00\x0b\x00\x20" in answer)
    seeds = {
        **{"words-" + name: bytes([WORDS]) + text for name, text in words.items()},
        "auth-fail": with_answer(signed, refusal(0x98E)),
        "bad-auth": with_answer(signed, refusal(0x9A2)),
        "lockout": with_answer(signed, refusal(0x921)),
        "sign-fails": with_answer(signed, refusal(0x2D2)),
        "other-signature": with_answer(signed, answers[signed].replace(b"\x00\x18\x00\x0b\x00\x20", b"\x00\x1a\x00\x0b\x00\x20")),
        "no-sign": edited(b"\x00\x23\x00\x0b\x00\x04\x00\x72", b"\x00\x23\x00\x0b\x00\x00\x00\x72"),
        "restricted": edited(b"\x00\x23\x00\x0b\x00\x04\x00\x72", b"\x00\x23\x00\x0b\x00\x05\x00\x72"),
        "other-curve": edited(b"\x00\x03\x00\x10\x00\x20", b"\x00\x05\x00\x10\x00\x20"),
        "p384": edited(b"\x00\x03\x00\x10\x00\x20", b"\x00\x04\x00\x10\x00\x20"),
        "other-type": with_answer(public, public_of(b"\x00\x08\x00\x0b\x00\x04\x00\x72\x00\x00\x00\x10\x00\x00")),
        "long-auth": written(how | LONG_AUTH, blob, answers),
        "sha384": written(how | SHA384, blob, answers),
        "file-cut": written(how, blob[:-1], answers),
        "file-more": written(how, blob + b"\0", answers),
        "file-empty": written(how, b"", answers),
        "last-cut": with_answer(last, answers[last][:-1]),
        "handle-long-auth": written(made[0] | AUTH | LONG_AUTH, *made[1:]),
    }
    for number in range(len(answers)):
        seeds[f"file-ends-{number}"] = written(how, blob, answers[:number])
        seeds[f"file-refused-{number}"] = with_answer(number, refusal(0x101))
    for name in ("handle-new", "file-new"):
        how_made, none, all_ = recorded(name)
        for number in range(len(all_)):
            seeds[f"{name}-refused-{number}"] = written(how_made, none, all_[:number] + [refusal(0x101)] + all_[number + 1:])
    return seeds


TARGETS = [ca_tpm]
