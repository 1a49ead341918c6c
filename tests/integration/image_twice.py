# SPDX-License-Identifier: Apache-2.0
"""Two builds of the guest image, as unlike as one machine allows, give the same bytes; and a build
that is locked to a list takes that list or none.

Arguments: the project's folder, a folder for the images.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402

PROJECT, IMAGES = sys.argv[1:3]
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cocos")
FLAVOURS = ("base", "python")


def build(project, flavour, out, *options, kernel="stock", env=None, umask=0o022):
    return subprocess.run([os.path.join(project, "scripts/build-image"), flavour, "--kernel", kernel,
                           "--out", out, *options], capture_output=True, text=True, check=False, umask=umask,
                          env={**os.environ, **(env or {})})


def record_of(out):
    with open(os.path.join(out, "image.json"), encoding="utf-8") as file:
        return json.load(file)


def not_sources(folder, names):
    """What a copy of the project can do without."""
    return [name for name in names if name == ".git" or
            name.startswith("build") and os.path.isdir(os.path.join(folder, name))]


def same(flavour, kernel="stock"):
    first = os.path.join(IMAGES, flavour if kernel == "stock" else flavour + "-own")
    done = build(PROJECT, flavour, first, *sample.of([], ["--refresh"]), kernel=kernel)
    assert done.returncode == 0, done.stderr
    with tempfile.TemporaryDirectory(prefix="cocos-again-") as folder:
        # Another place, another cache (but for the packages, which are checked by their digests),
        # other dates, mask, language, time zone.
        project = os.path.join(folder, "a project elsewhere")
        shutil.copytree(PROJECT, project, copy_function=shutil.copyfile, ignore=not_sources)
        os.chmod(os.path.join(project, "scripts/build-image"), 0o755)
        cache = os.path.join(folder, "cache")
        shutil.copytree(os.path.join(CACHE, "apt"), os.path.join(cache, "apt"), symlinks=True)
        second = os.path.join(folder, "out")
        done = build(project, flavour, second, "--cache", cache,
                     "--lock", os.path.join(first, "image.json"), kernel=kernel, umask=0o077,
                     env={"LC_ALL": "C", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "12345"})
        assert done.returncode == 0, done.stderr
        one, two = record_of(first), record_of(second)
        assert one == two, {key: (one[key], two[key]) for key in one if one[key] != two.get(key)}
        for key in ("kernel", "initrd", "root"):
            if key in one:
                name = one[key]["file"]
                print(f"# {flavour}: {name} {one[key]['size']} bytes, {one[key]['sha256'][:16]}")
                subprocess.run(["cmp", os.path.join(first, name), os.path.join(second, name)],
                               check=True)


def the_base_image_is_small():
    """What an earlier test built is taken, of the image with Python too: it is the same, and has a disk besides."""
    done = build(PROJECT, "base", os.path.join(IMAGES, "base"))
    assert done.returncode == 0, done.stderr
    assert record_of(os.path.join(IMAGES, "base"))["initrd"]["size"] <= 24 << 20


def the_base_image_is_the_same_when_built_twice():
    same("base")


def our_own_kernel_is_the_same_when_compiled_twice():
    """From the source again: the other cache has none of its objects."""
    same("base", "own")
    record = record_of(os.path.join(IMAGES, "base-own"))
    assert record["kernel"]["size"] + record["initrd"]["size"] <= 9 << 20, record
    assert not any("modules" in each["name"] for each in record["packages"]["kernel"]), record["packages"]["kernel"]


def the_python_image_is_the_same_when_built_twice():
    same("python")


def the_torch_image_is_the_same_when_built_twice():
    """It takes minutes, and some gigabytes for a while."""
    same("torch")


def a_list_that_the_archive_cannot_give_is_refused():
    good = record_of(os.path.join(IMAGES, "base"))
    with tempfile.TemporaryDirectory(prefix="cocos-lock-") as folder:
        lock, out = os.path.join(folder, "image.json"), os.path.join(folder, "out")
        for change, says in (({"sha256": "0" * 64}, "is not the one listed"),
                             ({"version": "0.0.1-nobody"}, "0.0.1-nobody")):
            record = json.loads(json.dumps(good))
            record["packages"]["image"][0].update(change)
            with open(lock, "w", encoding="utf-8") as file:
                json.dump(record, file)
            done = build(PROJECT, "base", out, "--lock", lock)
            assert done.returncode == 1 and says in done.stderr, (done.returncode, done.stderr)
            assert not os.path.exists(os.path.join(out, "image.json"))


def an_image_of_this_source_is_not_built_again():
    done = build(PROJECT, "base", os.path.join(IMAGES, "base"))
    assert done.returncode == 0 and "of this source already" in done.stdout, done
    initrd = os.path.join(IMAGES, "base", "initrd.img")
    with open(initrd, "r+b") as file:
        file.write(b"x")
    done = build(PROJECT, "base", os.path.join(IMAGES, "base"))
    assert done.returncode == 0 and "already" not in done.stdout, done


tap.run([
    the_base_image_is_small,
    the_python_image_is_the_same_when_built_twice,
    *sample.of([], [the_base_image_is_the_same_when_built_twice,
                    the_torch_image_is_the_same_when_built_twice,
                    our_own_kernel_is_the_same_when_compiled_twice]),
    a_list_that_the_archive_cannot_give_is_refused,
    an_image_of_this_source_is_not_built_again,
])
