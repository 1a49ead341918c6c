# SPDX-License-Identifier: Apache-2.0
"""Wheels, the locks that name them, and what packages say of themselves."""
import hashlib

from seeds.boxes import zipped

PURE, BINARY = "x-1.0-py3-none-any.whl", "x-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def locked(name, version, content, *kinds):
    """A line of a lock."""
    kinds = kinds or ("sha256",)
    return f"{name}=={version} " + " ".join(
        f"--hash={kind}:{hashlib.new(kind, content).hexdigest()}" for kind in kinds) + "\n"


def zeros(*texts):
    return b"".join((text.encode() if isinstance(text, str) else text) + b"\0" for text in texts)


def wheel_lock():
    good = locked("x", "1.0", b"x")

    def named(name):
        return zeros(good, name, b"x")

    names = ["x-1.0-py2.py3-none-any.whl", "x-1.0-py311-none-any.whl", "x-1.0-1a-py3-none-any.whl", BINARY,
             "x-1.0-cp311-cp311-manylinux1_x86_64.whl", "x-1.0-cp311-none-linux_x86_64.whl",
             "x-1.0-cp37-abi3-manylinux2010_x86_64.whl", "x-1.0-cp312-abi3-manylinux2010_x86_64.whl",
             "x-1.0-cp311-abi3-linux_x86_64.whl", "x-1.0-py3-none-manylinux_2_28_x86_64.whl",
             "x-1.0-cp311-cp311-manylinux_2_37_x86_64.whl", "x-1.0-cp311-cp311-manylinux_2_17_aarch64.whl",
             "x-1.0-cp311-cp311-manylinux_2__x86_64.whl", "x-1.0-cp311-cp311-manylinux_2_00017_x86_64.whl",
             "x-1.0-cp311-cp311-musllinux_1_1_x86_64.whl", "x-1.0-cp311-cp311-.whl", "x-1.0-py2-none-any.whl",
             "x-1.0-py3-none-" + "p" * 70 + "_x86_64.whl", "x-1.0.whl", "x-1.0-b1-py3-none-any.whl",
             "x-1.0-1-2-py3-none-any.whl", "x-one-py3-none-any.whl", "-1.0-py3-none-any.whl", "x-1.0-py3-none-any.zip",
             "a"]
    found = {f"name-{n:02}": named(name) for n, name in enumerate(names)}
    return found | {
        "good": named(PURE),
        "two": zeros(good + locked("y", "2", b"y", "sha384", "sha512"), PURE, b"x", "Y-2.0-py3-none-any.whl", b"y"),
        "upper": zeros(good.replace(good[-65:], good[-65:].upper()), PURE, b"x"),
        "many-hashes": zeros(locked("x", "1.0", b"z", "sha256", "sha384", "sha512"), PURE, b"x"),
        "last-hash": zeros(locked("x", "1.0", b"z")[:-1] + good[6:], PURE, b"x"),
        "digest": named(PURE)[:-2] + b"y\0",
        "version": zeros(good, "x-1.1-py3-none-any.whl", b"x"),
        "other": zeros(good, "y-1.0-py3-none-any.whl", b"x"),
        "second": zeros(good, PURE, b"x", "x-1.0-py2.py3-none-any.whl", b"x"),
        "missing": zeros(good + locked("y", "2", b"y"), PURE, b"x"),
        "empty": zeros("", PURE, b"x"), "none": zeros(""),
        "range": zeros(good.replace("==", ">=")), "prefix": zeros(good.replace("1.0", "1.*")),
        "extras": zeros("x[a]" + good[1:]), "two-specs": zeros(good.replace("1.0", "1.0,<2")),
        "no-version": zeros("x --hash=sha256:" + "0" * 64), "no-hash": zeros("x==1.0\n"), "option": zeros("-r other\n"),
        "no-end": good.encode(),
    }


def packed(content):
    """{name: content} as a zip."""
    return zipped(*[(name.encode(), text.encode() if isinstance(text, str) else text,
                     {"mode": 0o40755 if name.endswith("/") else 0o100644}) for name, text in content.items()])


def bundled(wheels=None, lock=None, more=()):
    """requirements.txt, the lock and the wheels; `more`: what else is in it, or is not (None)."""
    wheels = {PURE: packed({"x.py": "x = 1\n", "x-1.0.dist-info/METADATA": "Name: x\n"})} if wheels is None else wheels
    if lock is None:
        lock = "".join(locked(*name.split("-")[:2], content) for name, content in wheels.items())
    content = {"requirements.txt": "x\n", "requirements.lock": lock}
    content |= {f"wheels/{name}": wheel for name, wheel in wheels.items()} | dict(more)
    return packed({name: text for name, text in content.items() if text is not None})


def requirement_bundle():
    data = {"x-1.0.data/purelib/x/a.py": "a", "x-1.0.data/platlib/y.so": "y", "x-1.0.data/scripts/s": "s"}
    return {
        "good": bundled(),
        "two": bundled({PURE: packed({"x.py": "x"}), "y-2-py3-none-any.whl": packed({"y/": "", "y/z.py": "y"})}),
        "data": bundled({PURE: packed(data)}),
        "data-both": bundled({PURE: packed(data | {"x-1.0.data/platlib/x": "again"})}),
        "data-there": bundled({PURE: packed(data | {"y.so": "before"})}),
        "data-file": bundled({PURE: packed({"x-1.0.data/purelib": "a file"})}),
        "same-path": bundled({PURE: packed({"x.py": "x"}), "y-2-py3-none-any.whl": packed({"x.py": "y"})}),
        "same-folder": bundled({PURE: packed({"x/a.py": "x"}), "y-2-py3-none-any.whl": packed({"x/b.py": "y"})}),
        "wheel-no-zip": bundled({PURE: b"no zip"}),
        "wheel-up": bundled({PURE: packed({"../x.py": "x"})}),
        "wheel-other": bundled({"x-1.0-cp312-cp312-linux_x86_64.whl": b""}, locked("x", "1.0", b"")),
        "wheel-folder": bundled({PURE + "/": b""}, locked("x", "1.0", b"")),
        "more-wheels": bundled(lock=""),
        "fewer-wheels": bundled({}, locked("x", "1.0", b"")),
        "no-wheels": bundled({}, ""),
        "wheels-file": bundled({}, "", {"wheels": "a file"}),
        "no-lock": bundled(more={"requirements.lock": None}),
        "lock-bad": bundled(lock="x\n"),
        "else": bundled(more={"other.txt": "x"}),
        "empty": packed({}),
        "no-zip": b"x==1.0\n",
    }


def python_judge():
    provides = "Metadata-Version: 2.1\nProvides-Extra: a\nProvides-Extra: B_c\n"
    deep = "Provides-Extra: a\nRequires-Dist: {}[a]; extra == 'a'\n"

    def one(wants, metadata, **more):
        return zeros(wants, "0x-1.0.dist-info", metadata, *[t for pair in more.items() for t in pair])

    return {
        "there": one("x>=1\n", ""), "older": one("x>=2\n", ""), "none": zeros("x\ny --hash=sha256:" + "0" * 64 + "\n"),
        "places": zeros("x\ny\nz\nsix\n", "1x-1.0.dist-info", "", "2y-2-py3.11.egg-info", "", "3z.egg-info", "",
                        "1six-1.dist-info", "", "2six-2.dist-info", "", "3six-3.dist-info", ""),
        "both-infos": zeros("z==1\n", "2z.egg-info", "", "2z-1.egg-info", ""),
        "no-version": zeros("z>=1\n", "2z.egg-info", ""),
        "version-long": zeros("z>=1\n", "2z-" + "1" * 99 + ".egg-info", ""),
        "entries": zeros("x\n", "0x", "", "0x.py", "", "0-1.dist-info", "", "0.dist-info", ""),
        "extra": one("x[a]\n", provides + "Requires-Dist: y; extra == 'a'\nRequires-Dist: always\n\nRequires-Dist: z\n"),
        "extra-two": one("x[a,b-c]\n", provides + "Requires-Dist: y; extra == 'a'\r\nRequires-Dist: z (>2); extra=='b-c'\r\n"),
        "extra-none": one("x[d]\n", provides), "extra-no-end": one("x[a]\n", "Provides-Extra: a"),
        "extra-bad": one("x[a]\n", provides + "Requires-Dist: @; extra == 'a'\n"),
        "extra-unread": one("x[a]\n", ""), "extra-egg": zeros("z[a]\n", "2z-1.egg-info", ""),
        "extra-self": one("x[a]\n", deep.format("x")),
        "extra-ring": zeros("x[a]\n", "0x-1.0.dist-info", deep.format("y"), "0y-1.dist-info", deep.format("x")),
        "extra-always": one("x[a]\n", provides + "Requires-Dist: y\nRequires-Dist: y>=1; python_version > '3'\n"),
        "extra-much": one("x[a]\n", provides + ("Requires-Dist: x[a]; extra == 'a'\n" * 30)),
        "missing-much": zeros("".join(f"package-{n}>={n}\n" for n in range(60))),
    }


TARGETS = [wheel_lock, requirement_bundle, python_judge]
