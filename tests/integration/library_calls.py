# SPDX-License-Identifier: Apache-2.0
"""The installed library from a language of its own (ctypes), by its documented interface alone: numbers and
types are written here once more, so that a change of the ABI does not pass unseen. ctypes lets go of Python's
lock during a call, so that threads here are threads there."""
import ctypes
from ctypes import c_bool, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint, c_uint32, c_void_p

INVALID, EXHAUSTED, INTERNAL = 3, 8, 13
MODES = {"snp": 1, "tdx": 2, "vtpm": 3, "snp-vtpm": 4, "eat": 5, "tdx-vtpm": 6}
GENUINE_ONLY, REQUIRE_CRL, BEFORE_RUN = 1, 2, 4
INPUTS = {"file": 1, "event_log": 2, "hcl_report": 3, "runtime_data": 4, "id_block": 5, "id_auth": 6,
          "manifest_digest": 7, "td_quote": 8, "report_data": 20, "tee": 21, "vtpm": 22, "nonce": 23}
ENDORSEMENTS = {"vcek": 1, "vlek": 2, "chain": 3, "ask": 4, "ark": 5, "crl": 6, "snp_root": 7,
                "tcb_info.json": 20, "tcb_info_issuer_chain.pem": 21, "qe_identity.json": 22,
                "qe_identity_issuer_chain.pem": 23, "pck_crl.der": 24, "pck_crl_issuer_chain.pem": 25,
                "root_ca_crl.der": 26, "tdx_root": 27,
                "ak": 40, "ak_cert": 41, "ak_root": 42, "ek_cert": 43, "ek_root": 44, "intermediate": 45,
                "key": 60, "corim_key": 61, "corim": 62}


class Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("text", c_char * 512)]


class Bytes(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class Failed(Exception):
    """A call that returned a negative code."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


# Result, then arguments; an error that comes last is left out.
POINTER_TO = ctypes.POINTER(c_void_p)
FALLIBLE = {
    "policy_parse": [ctypes.POINTER(Bytes), c_size_t, POINTER_TO],
    "endorsements_new": [POINTER_TO],
    "endorsements_add": [c_void_p, c_int, c_char_p, c_size_t],
    "credential_make": [c_char_p, c_size_t, c_char_p, c_size_t, POINTER_TO],
    "credential_answer": [c_void_p, c_char_p, c_size_t],
    "request_new": [c_int, POINTER_TO],
    "request_set": [c_void_p, c_int, c_char_p, c_size_t],
    "request_channel": [c_void_p, c_char_p, c_char_p, c_char_p, c_size_t],
    "request_at": [c_void_p, c_int64, c_uint32],
    "request_flags": [c_void_p, c_uint],
    "request_product": [c_void_p, c_char_p],
    "request_credential": [c_void_p, c_void_p],
    "memory_new": [POINTER_TO],
    "request_memory": [c_void_p, c_void_p],
    "verify": [c_void_p, c_void_p, c_void_p, POINTER_TO],
}
OTHERS = {
    "version": (c_char_p, []),
    "policy_free": (None, [c_void_p]),
    "policy_digest": (c_void_p, [c_void_p]),
    "endorsements_free": (None, [c_void_p]),
    "credential_free": (None, [c_void_p]),
    "credential_blob": (Bytes, [c_void_p]),
    "credential_encrypted": (Bytes, [c_void_p]),
    "request_free": (None, [c_void_p]),
    "memory_free": (None, [c_void_p]),
    "verdict_ok": (c_bool, [c_void_p]),
    "verdict_free": (None, [c_void_p]),
    "verdict_word": (c_char_p, [c_void_p]),
    "verdict_is_simulated": (c_bool, [c_void_p]),
    "verdict_reason": (c_char_p, [c_void_p]),
    "verdict_mode": (c_uint, [c_void_p]),
    "verdict_note_count": (c_size_t, [c_void_p]),
    "verdict_note": (c_char_p, [c_void_p, c_size_t]),
    "verdict_check_count": (c_size_t, [c_void_p]),
    "verdict_check": (c_void_p, [c_void_p, c_size_t]),
    "verdict_find": (c_void_p, [c_void_p, c_char_p]),
    "check_name": (c_char_p, [c_void_p]),
    "check_outcome": (c_char_p, [c_void_p]),
    "check_passed": (c_bool, [c_void_p]),
    "check_found": (c_char_p, [c_void_p]),
    "check_wanted": (c_char_p, [c_void_p]),
    "check_section": (c_char_p, [c_void_p]),
    "verdict_identity": (c_void_p, [c_void_p]),
    "verdict_manifest": (c_void_p, [c_void_p]),
    "verdict_tdx_status": (c_char_p, [c_void_p]),
    "verdict_advisory_count": (c_size_t, [c_void_p]),
    "verdict_advisory": (c_char_p, [c_void_p, c_size_t]),
    "verdict_text": (c_void_p, [c_void_p]),
    "verdict_json": (c_void_p, [c_void_p]),
    "text_free": (None, [c_void_p]),
}


class Library:
    """Each cocos_NAME() as NAME(); what fails raises."""

    def __init__(self, path):
        self.handle = ctypes.CDLL(path)
        for name, (result, arguments) in OTHERS.items():
            function = self.handle["cocos_" + name]
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        for name, arguments in FALLIBLE.items():
            function = self.handle["cocos_" + name]
            function.restype, function.argtypes = c_int, arguments + [ctypes.POINTER(Error)]
            setattr(self, name, self.checked(function))

    @staticmethod
    def checked(function):
        def call(*words):
            error = Error()
            code = function(*words, ctypes.byref(error))
            if code:
                assert code < 0 and error.code == -code and error.text, (code, error.code, error.text)
                raise Failed(-code, error.text.decode())
        return call

    def names(self):
        return sorted("cocos_" + name for name in [*FALLIBLE, *OTHERS])

    def text(self, pointer):
        """A text that is ours to free."""
        words = ctypes.string_at(pointer).decode()
        self.text_free(pointer)
        return words

    def digest(self, pointer):
        return ctypes.string_at(pointer, 32) if pointer else None

    def policy(self, *documents):
        made = c_void_p()
        self.policy_parse((Bytes * len(documents))(*[Bytes(d, len(d)) for d in documents]), len(documents), made)
        return Owned(made, self.policy_free)

    def endorsements(self, given=()):
        made = c_void_p()
        self.endorsements_new(made)
        owned = Owned(made, self.endorsements_free)
        for which, data in given:
            self.endorsements_add(made, ENDORSEMENTS[which], data, len(data))
        return owned

    def request(self, mode, at=None, flags=0, skew=0, inputs=()):
        made = c_void_p()
        self.request_new(MODES[mode], made)
        owned = Owned(made, self.request_free)
        for which, data in inputs:
            self.request_set(made, INPUTS[which], data, len(data))
        if at is not None:
            self.request_at(made, at, skew)
        self.request_flags(made, flags)
        return owned

    def judge(self, request, endorsements=None, policy=None):
        made = c_void_p(1)  # to be overwritten, also by a failure
        try:
            self.verify(request.pointer, endorsements and endorsements.pointer, policy and policy.pointer, made)
        except Failed:
            assert made.value is None and not self.verdict_ok(made)
            raise
        return Owned(made, self.verdict_free)


class Owned:
    """A pointer that is given back with the last reference."""

    def __init__(self, pointer, free):
        self.pointer, self.free = pointer, free

    def __del__(self):
        self.free(self.pointer)
