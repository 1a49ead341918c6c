# SPDX-License-Identifier: Apache-2.0
"""Simulated SEV-SNP and TDX hardware for a test: cocos-teesim, started, asked, told to misbehave.

    with Folder() as folder, Teesim(folder, "snp", product="Genoa") as tee:
        agent = Process([…, "--tsm", tee.mount])
        tee.fault("busy")
        … "--trusted_root", tee.root …

Its file system is below `mount`: report/ as configfs-tsm's, measurements/ as the TDX guest device's.
`endorsements` is the folder of what a vendor's services would serve, `facts` what the hardware knows
of the launch (tests/teesim/facts.h).
"""
import json
import os
import secrets
import shutil
import subprocess

from harness import ROOT, Process, program

TEESIM = os.path.join("tests", "teesim", "cocos-teesim")
MEASUREMENT = "a5" * 48  # what a launch measures unless a test says otherwise
DEFAULTS = {
    "snp": {"measurement": MEASUREMENT},
    "tdx": {"mrtd": MEASUREMENT},
}


def unavailable():
    """Why simulated hardware can't be had here; None if it can."""
    if os.geteuid() != 0:
        return "needs root, to mount"
    return None if os.path.exists("/dev/fuse") else "there is no /dev/fuse"


class Teesim:
    """One machine's hardware. Keyword arguments are launch facts; `keys` is a folder of another
    machine's, whose vendor it then shares."""

    def __init__(self, folder, tee="snp", name="tee", keys=None, **facts):
        self.tee, self.process = tee, None
        self.facts = {"tee": tee, **DEFAULTS[tee], **facts}
        self.mount, self.endorsements = folder(name, "tsm"), folder(name, "endorsements")
        self.launch, self.faults = folder(name, "launch.json"), folder(name, "faults")
        self.keys = keys or folder(name, "keys")
        os.makedirs(self.mount)
        self.seed()

    def seed(self):
        """RSA keys of 4096 bits take seconds to make; these are as good."""
        os.makedirs(self.keys, mode=0o700, exist_ok=True)
        for name, key in (("ark", "root"), ("ask", "ca"), ("asvk", "ca")):
            if not os.path.exists(os.path.join(self.keys, f"{name}.pem")):
                shutil.copy(os.path.join(ROOT, "tests", "data", "snp", f"{key}-key.pem"),
                            os.path.join(self.keys, f"{name}.pem"))

    def start(self):
        with open(self.launch, "w", encoding="ascii") as file:
            json.dump(self.facts, file)
        subprocess.run([program(TEESIM), "endorse", "--launch", self.launch, "--keys", self.keys,
                        self.endorsements], check=True)
        self.process = Process([program(TEESIM), "serve", "--launch", self.launch, "--keys",
                                self.keys, "--faults", self.faults, self.mount])
        self.process.wait_line("SIMULATED hardware, ready")
        return self

    def stop(self):
        if not self.process:
            return
        status, self.process = self.process.stop(), None
        subprocess.run(["umount", "-l", self.mount], check=False, stderr=subprocess.DEVNULL)
        if status != 0:
            raise AssertionError(f"cocos-teesim ended with {status}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def reboot(self):
        """The same machine, started anew: another REPORT_ID, registers as launched."""
        self.stop()
        return self.start()

    def fault(self, *words):
        """From the next report on; none: it behaves again."""
        with open(self.faults + ".new", "w", encoding="ascii") as file:
            file.write("\n".join(words))
        os.rename(self.faults + ".new", self.faults)

    @property
    def root(self):
        return os.path.join(self.endorsements, "root_ca.pem" if self.tee == "tdx" else "ark.pem")

    @property
    def endorsement_options(self):
        """For cocos-cli, but for the root."""
        if self.tee == "tdx":
            return ["--collateral", self.endorsements]
        kind = self.facts.get("signing_key", "vcek")
        return ["--CA_bundles_paths", os.path.join(self.endorsements, "ca_bundle.pem"),
                f"--{kind}", os.path.join(self.endorsements, f"{kind}.der"),
                "--crl", os.path.join(self.endorsements, "crl.der")]

    def collect(self, report_data, privlevel=None):
        """What a guest does: (report or quote, certificate table or b"")."""
        with Entry(self) as entry:
            if privlevel is not None:
                entry.write("privlevel", str(privlevel).encode())
            entry.write("inblob", report_data)
            report = entry.read("outblob")
            return report, b"" if self.tee == "tdx" else entry.read("auxblob")

    def register(self, name):
        return os.path.join(self.mount, "measurements", name)


class Entry:
    """A folder in report/, for a `with`."""

    def __init__(self, tee, name=None):
        self.path = os.path.join(tee.mount, "report", name or secrets.token_hex(8))

    def __enter__(self):
        os.mkdir(self.path)
        return self

    def __exit__(self, *_):
        os.rmdir(self.path)

    def __call__(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content):
        file = os.open(self(name), os.O_WRONLY)
        try:
            assert os.write(file, content) == len(content)
        finally:
            os.close(file)

    def read(self, name):
        with open(self(name), "rb", buffering=0) as file:
            return file.readall()

    @property
    def generation(self):
        return int(self.read("generation"))
