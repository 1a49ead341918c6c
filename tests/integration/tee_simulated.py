# SPDX-License-Identifier: Apache-2.0
"""The simulated hardware itself: the kernel's rules at its files, evidence that our verifier takes
over the simulator's root and no other, and faults that it refuses."""
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import struct
import subprocess
import sys

import tap
import teesim
from harness import NO, Folder, program
from teesim import Entry, Teesim

DATA = bytes(range(64))


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        assert error.errno == code, error
        return
    raise AssertionError(f"not refused with {errno.errorcode[code]}")


def policy_of(folder, tee, **more):
    """A policy that names what the machine was launched with."""
    key = "mrtd" if tee.tee == "tdx" else "measurements"
    own = {key: [tee.facts.get("mrtd") or tee.facts["measurement"]], **more}
    if tee.tee == "tdx":
        for i in range(3):
            own[f"rtmr{i}"] = [tee.facts.get(f"rtmr{i}", "00" * 48)]
    if tee.facts.get("signing_key") == "vlek":
        own.update(allow_vlek=True)
    return folder.write("policy.json", json.dumps(
        {"cocos": 1, tee.tee: own, "run": {"agent": "stock"}}))


def validate(folder, tee, evidence, *options, data=DATA, root=True, **policy):
    words = [program("cocos-cli"), "attestation", "validate", folder.write("evidence", evidence),
             "--mode", tee.tee, "--report_data", data.hex(), "--policy",
             policy_of(folder, tee, **policy), *options]
    if root:
        words += ["--trusted_root", tee.root]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def accepted(done):
    assert done.returncode == 0 and done.stdout.startswith("SIMULATED verified: "), \
        done.stdout + done.stderr


def denied(done, *checks):
    # Whose evidence it is, nobody knows before it is parsed.
    word = "refused: parse" if "parse" in checks else "SIMULATED refused: "
    assert done.returncode in NO and done.stdout.startswith(word), done.stdout + done.stderr
    assert any(check in done.stdout for check in checks), f"{checks}: {done.stdout}"


def entries_come_and_go_as_in_configfs():
    with Folder() as folder, Teesim(folder) as tee:
        report = os.path.join(tee.mount, "report")
        assert sorted(os.listdir(tee.mount)) == ["report", "sev-guest"] and os.listdir(report) == []
        refused(errno.EPERM, os.mkdir, os.path.join(tee.mount, "other"))
        with Entry(tee, "a") as a, Entry(tee, "b"):
            assert sorted(os.listdir(report)) == ["a", "b"]
            assert sorted(os.listdir(a.path)) == sorted(
                ["auxblob", "generation", "inblob", "outblob", "privlevel", "privlevel_floor",
                 "provider"])
            refused(errno.EEXIST, os.mkdir, a.path)
            refused(errno.EPERM, os.mkdir, a("x"))
            refused(errno.EPERM, os.unlink, a("inblob"))
            refused(errno.EACCES, os.open, a("x"), os.O_WRONLY | os.O_CREAT)
            for name, size in (("generation", 4096), ("outblob", 0), ("inblob", 0)):
                assert os.stat(a(name)).st_size == size, name
            assert a.read("provider") == b"sev_guest\n" and a.read("privlevel_floor") == b"0\n"
        assert os.listdir(report) == []
        refused(errno.ENOENT, os.rmdir, a.path)


def an_open_file_outlives_its_entry():
    with Folder() as folder, Teesim(folder) as tee:
        with Entry(tee) as entry:
            entry.write("inblob", DATA)
            file = open(entry("outblob"), "rb", buffering=0)
        assert len(file.readall()) == 1184
        file.close()


def an_entry_is_roots_until_it_is_given_away():
    """Whoever made it: so it is in the kernel, and a user can't make one that he may use."""
    user = 54321
    with Folder() as folder, Teesim(folder) as tee, Entry(tee) as entry:
        os.chmod(folder("."), 0o755)
        os.chmod(os.path.dirname(tee.mount), 0o755)

        def asks():
            return subprocess.run(
                ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "sh", "-c",
                 'cd "$0" && head -c 64 /dev/zero > inblob && wc -c < outblob', entry.path],
                capture_output=True, text=True, check=False)

        assert "Permission denied" in asks().stderr
        for name in os.listdir(entry.path):
            os.chown(entry(name), user, user)
        os.chown(entry.path, user, user)
        done = asks()
        assert done.stdout.strip() == "1184", done
        refused(errno.EPERM, os.chown, tee.mount, user, user)


def nobody_reads_or_writes_what_the_kernel_does_not_offer():
    with Folder() as folder, Teesim(folder) as tee, Entry(tee) as entry:
        for name in ("inblob", "privlevel"):
            refused(errno.EACCES, os.open, entry(name), os.O_RDONLY)
        for name in ("outblob", "auxblob", "generation", "provider", "privlevel_floor"):
            refused(errno.EACCES, os.open, entry(name), os.O_WRONLY)
        refused(errno.ENOENT, os.open, entry("manifestblob"), os.O_RDONLY)


def a_report_wants_exactly_64_bytes():
    with Folder() as folder, Teesim(folder) as tee, Entry(tee) as entry:
        refused(errno.EINVAL, entry.read, "outblob")
        for length in (1, 63):
            entry.write("inblob", DATA[:length])
            refused(errno.EINVAL, entry.read, "outblob")
        refused(errno.EFBIG, entry.write, "inblob", DATA + b"x")
        refused(errno.EINVAL, entry.read, "outblob")
        entry.write("inblob", DATA)
        assert len(entry.read("outblob")) == 1184


def generation_counts_every_write_and_nothing_else():
    with Folder() as folder, Teesim(folder) as tee, Entry(tee) as entry:
        assert entry.generation == 0
        entry.write("inblob", DATA)
        first = entry.read("outblob")
        assert entry.read("outblob") == first and entry.generation == 1
        entry.write("privlevel", b"2\n")
        assert entry.generation == 2
        second = entry.read("outblob")
        assert second != first and second[0x30] == 2 and second[0x50:0x90] == DATA
        for bad in (b"4", b"", b"-1", b"1x", b" 1", b"99999999999999999999"):
            if bad:
                try:
                    entry.write("privlevel", bad)
                except OSError as error:
                    assert error.errno in (errno.EINVAL, errno.ERANGE)
                    continue
                raise AssertionError(f"{bad} is taken")
        assert entry.generation == 2
        tee.fault("stale-generation")
        entry.write("inblob", DATA)
        entry.read("outblob")
        assert entry.generation == 4


def evidence_of_every_kind_verifies_over_the_named_root_alone():
    rows = [("snp", {"product": product, "signing_key": key, "report_version": version})
            for product, version in (("Milan", 2), ("Genoa", 3), ("Turin", 5))
            for key in ("vcek", "vlek")]
    rows += [("tdx", facts) for facts in ({"quote_version": 4}, {"quote_version": 5},
                                          {"quote_version": 5, "body": "1.0"})]
    for kind, facts in rows:
        with Folder() as folder, Teesim(folder, kind, **facts) as tee:
            report, table = tee.collect(DATA)
            accepted(validate(folder, tee, report, *tee.endorsement_options))
            if kind == "snp":
                accepted(validate(folder, tee, report + table, "--check_crl", "--crl",
                                  os.path.join(tee.endorsements, "crl.der")))
            denied(validate(folder, tee, report, *tee.endorsement_options, root=False),
                   "chain.root", "chain.pck")
            denied(validate(folder, tee, report, *tee.endorsement_options, data=bytes(64)),
                   "report_data", "reportdata", "binding")


def another_vendor_is_not_trusted():
    with Folder() as folder, Teesim(folder) as tee, \
            Teesim(folder, name="other") as other:
        os.unlink(os.path.join(other.keys, "ark.pem"))
        subprocess.run(["openssl", "genrsa", "-out", os.path.join(other.keys, "ark.pem"), "4096"],
                       check=True, capture_output=True)
        other.reboot()
        report, table = other.collect(DATA)
        accepted(validate(folder, other, report + table))
        denied(validate(folder, tee, report + table), "chain.root")


FAULTS = {
    "wrong-signature": ("signature",),
    "wrong-key": ("signature", "quote"),
    "wrong-report-data": ("report_data", "reportdata", "binding"),
    "other-measurement": ("measurement", "mrtd"),
    "other-host-data": ("host_data", "mrconfigid"),
    "debug": ("debug", "policy", "tdattributes", "attributes"),
    "truncated": ("parse",),
    "trailing": ("parse",),
}
SNP_FAULTS = {
    "tcb-claim": ("tcb", "binding"),
    "other-vmpl": ("vmpl",),
    "no-certificates": ("chain.vek",),
}


def faults_are_refused_and_end():
    for kind in ("snp", "tdx"):
        with Folder() as folder, Teesim(folder, kind) as tee:
            for fault, checks in {**FAULTS, **(SNP_FAULTS if kind == "snp" else {})}.items():
                tee.fault(fault)
                report, table = tee.collect(DATA)
                options = [] if kind == "snp" else tee.endorsement_options
                done = validate(folder, tee, report + table, *options)
                try:
                    denied(done, *checks)
                except AssertionError as error:
                    raise AssertionError(f"{kind}: {fault}: {error}") from None
            tee.fault("stale-report")
            report, table = tee.collect(bytes(64))
            assert bytes(64) not in report[0x50:0x90] and DATA[1:] in report
            tee.fault("tcb-change")
            if kind == "tdx":
                denied(validate(folder, tee, tee.collect(DATA)[0], *tee.endorsement_options), "tcb")
            for fault, code in (("busy", errno.EBUSY), ("timeout", errno.ETIMEDOUT),
                                ("io", errno.EIO)):
                tee.fault(fault)
                refused(code, tee.collect, DATA)
            tee.fault()
            report, table = tee.collect(DATA)
            accepted(validate(folder, tee, report + table, *tee.endorsement_options))


def another_chip_and_a_lower_tcb_are_genuine_but_no_longer_what_was_asked_for():
    with Folder() as folder, Teesim(folder) as tee:
        tee.fault("other-chip")
        report, table = tee.collect(DATA)
        accepted(validate(folder, tee, report + table))
        denied(validate(folder, tee, report + table, chip_ids=["c4" * 64]), "chip")
        tee.fault("tcb-change")
        report, table = tee.collect(DATA)
        accepted(validate(folder, tee, report + table))
        denied(validate(folder, tee, report + table, min_tcb={"snp": 24}), "tcb")


def report_id_lasts_for_one_boot():
    with Folder() as folder, Teesim(folder) as tee:
        ids = [tee.collect(DATA)[0][0x140:0x160] for _ in range(2)]
        tee.reboot()
        ids.append(tee.collect(DATA)[0][0x140:0x160])
        assert ids[0] == ids[1] != ids[2]


def registers_extend_and_are_quoted():
    with Folder() as folder, Teesim(folder, "tdx", rtmr1="11" * 48) as tee:
        names = sorted(os.listdir(os.path.join(tee.mount, "measurements")))
        assert names == sorted(["mrconfigid", "mrowner", "mrownerconfig", "mrtd:sha384",
                                *(f"rtmr{i}:sha384" for i in range(4))])
        path = tee.register("rtmr3:sha384")
        assert os.stat(path).st_size == 48

        def extend(value, at=path):
            file = os.open(at, os.O_WRONLY)
            try:
                return os.write(file, value)
            finally:
                os.close(file)
        for bad in (bytes(47), bytes(49), b"\0"):
            refused(errno.EINVAL, extend, bad)
        refused(errno.EACCES, extend, bytes(48), tee.register("mrtd:sha384"))
        wanted = bytes(48)
        for value in (b"\1" * 48, b"\2" * 48):
            assert extend(value) == 48
            wanted = hashlib.sha384(wanted + value).digest()
            with open(path, "rb") as file:
                assert file.read() == wanted
        quote, _ = tee.collect(DATA)
        assert wanted in quote and b"\x11" * 48 in quote
        denied(validate(folder, tee, quote, *tee.endorsement_options), "rtmr3")
        accepted(validate(folder, tee, quote, *tee.endorsement_options, rtmr3=[wanted.hex()]))


def sev_guest_call(tee, number, room=None, version=1):
    """linux/sev-guest.h by hand: (report's response, table's room, its length, exitinfo2)."""
    request = ctypes.create_string_buffer(DATA + bytes(32), 96 if room is None else 112)
    table = ctypes.create_string_buffer(max(room or 0, 1))
    response = ctypes.create_string_buffer(4000)
    if room is not None:
        struct.pack_into("<QI", request, 96, ctypes.addressof(table), room)
    call = ctypes.create_string_buffer(struct.pack(
        "<B7xQQQ", version, ctypes.addressof(request), ctypes.addressof(response), 0xff), 32)
    device = os.open(os.path.join(tee.mount, "sev-guest"), os.O_RDWR)
    try:
        fcntl.ioctl(device, 3 << 30 | 32 << 16 | ord("S") << 8 | number, call, True)
        code = 0
    except OSError as error:
        code = error.errno
    finally:
        os.close(device)
    wanted = struct.unpack_from("<I", request, 104)[0] if room is not None else 0
    return code, response.raw, table.raw, wanted, struct.unpack_from("<Q", call, 24)[0]


def the_older_device_takes_the_drivers_calls():
    with Folder() as folder, Teesim(folder) as tee:
        code, response, *_ = sev_guest_call(tee, 0)
        assert code == 0 and struct.unpack_from("<II", response) == (0, 1184)
        accepted(validate(folder, tee, response[32:32 + 1184], *tee.endorsement_options))
        code, response, table, *_ = sev_guest_call(tee, 2, 16384)
        given = tee.collect(DATA)[1]
        assert code == 0 and table[:len(given)] == given
        accepted(validate(folder, tee, response[32:32 + 1184] + given))
        code, _, _, wanted, info = sev_guest_call(tee, 2, 4096)
        assert (code, wanted, info) == (errno.EIO, 8192, 1 << 32), (code, wanted, info)
        assert sev_guest_call(tee, 2, 100)[0] == errno.EINVAL
        assert sev_guest_call(tee, 0, version=0)[0] == errno.EINVAL
        assert sev_guest_call(tee, 1)[0] == errno.ENOTTY
        tee.fault("busy")
        code, *_, info = sev_guest_call(tee, 0)
        assert (code, info) == (errno.EBUSY, 2 << 32)


def our_provider_asks_the_older_device():
    with Folder() as folder, Teesim(folder) as tee:
        def ask():
            return subprocess.run([program(os.path.join("tests", "integration", "sev_guest_ask")),
                                   os.path.join(tee.mount, "sev-guest")], capture_output=True,
                                  check=False)
        done = ask()
        assert done.returncode == 0, done.stderr
        accepted(validate(folder, tee, done.stdout))
        tee.fault("no-certificates")
        assert len(ask().stdout) == 1184
        for fault, says in (("busy", b"busy"), ("io", b"Input/output"),
                            ("wrong-report-data", b"another request"),
                            ("truncated", b"of 592 bytes")):
            tee.fault(fault)
            done = ask()
            assert done.returncode == 1 and says in done.stderr and not done.stdout, (fault, done)


def facts_that_are_none_are_refused():
    with Folder() as folder:
        for text in ("{}", '{"tee":"sgx"}', '{"tee":"snp"}', '{"tee":"tdx"}',
                     '{"tee":"snp","measurement":"00"}',
                     '{"tee":"snp","measurement":"%s","measured":1}' % ("00" * 48),
                     '{"tee":"snp","measurement":"%s","report_version":4}' % ("00" * 48),
                     '{"tee":"snp","measurement":"%s","tcb":{"snp":256}}' % ("00" * 48),
                     '{"tee":"snp","measurement":"%s","signing_key":"vlek","chip_id":"%s"}'
                     % ("00" * 48, "01" * 64),
                     '{"tee":"tdx","mrtd":"%s","quote_version":4,"body":"1.5"}' % ("00" * 48)):
            done = subprocess.run([program(teesim.TEESIM), "serve", "--launch",
                                   folder.write("launch", text), "--keys", folder("keys"),
                                   folder("keys")], capture_output=True, text=True, check=False)
            assert done.returncode == 1 and "launch facts" in done.stderr, (text, done)


def main():
    reason = teesim.unavailable()
    if reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit(0)
    tap.run([entries_come_and_go_as_in_configfs, an_open_file_outlives_its_entry,
             an_entry_is_roots_until_it_is_given_away,
             nobody_reads_or_writes_what_the_kernel_does_not_offer,
             a_report_wants_exactly_64_bytes, generation_counts_every_write_and_nothing_else,
             evidence_of_every_kind_verifies_over_the_named_root_alone,
             another_vendor_is_not_trusted, faults_are_refused_and_end,
             another_chip_and_a_lower_tcb_are_genuine_but_no_longer_what_was_asked_for,
             report_id_lasts_for_one_boot, registers_extend_and_are_quoted,
             the_older_device_takes_the_drivers_calls, our_provider_asks_the_older_device,
             facts_that_are_none_are_refused])


main()
