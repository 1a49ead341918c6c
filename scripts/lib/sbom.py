#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what built packages are made of, as an SBOM in SPDX 2.3 JSON, for scripts/package.

  sbom.py FOLDER [IMAGE CACHE]

FOLDER has the packages and the .buildinfo of one build, which names every package that the build saw.
IMAGE is the folder of the guest image that was packaged, CACHE that of scripts/build-image: which of its
packages have files in the image is seen from the files.

Licences are those of each package's own copyright file, word for word. The SBOM of the same packages is the
same bytes."""
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../guest"))
from recipe import packages  # noqa: E402

OURS = "Apache-2.0"
# Built for the guest with these, which a library's name does not tell: init is static.
STATIC = ("libc6-dev",)
SHORT = re.compile(r"^License:[ \t]*(\S.*)$|/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", re.M)


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def identifier(*parts):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", "-".join(parts))


class Document:
    def __init__(self, version, created):
        self.version, self.created = version, created
        self.packages, self.relations, self.licences = {}, set(), {}

    def add(self, key, name, version, licence, digest=None, purpose="LIBRARY"):
        self.packages[key] = {
            "SPDXID": key, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", "primaryPackagePurpose": purpose,
            **({"checksums": [{"algorithm": "SHA256", "checksumValue": digest}]} if digest else {})}
        return key

    def relate(self, one, how, other):
        self.relations.add((one, how, other))

    def licence(self, text):
        """An id for the words of a copyright file."""
        if not text:
            return "NOASSERTION"
        key = "LicenseRef-" + hashlib.sha256(text.encode()).hexdigest()[:16]
        names = sorted({one or other for one, other in SHORT.findall(text)})
        self.licences[key] = {"licenseId": key, "name": ", ".join(names) or "as its text says", "extractedText": text}
        return key

    def text(self):
        body = {"packages": [self.packages[key] for key in sorted(self.packages)],
                "hasExtractedLicensingInfos": [self.licences[key] for key in sorted(self.licences)],
                "relationships": [{"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}
                                  for one, how, other in sorted(self.relations)]}
        digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        return json.dumps({
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"cocos-{self.version}", "documentNamespace": f"urn:sha256:{digest}",
            "creationInfo": {"created": self.created, "creators": ["Tool: cocos-scripts-package"]},
            **body}, indent=1, ensure_ascii=False) + "\n"


def seen_by_the_build(buildinfo):
    """{package: version}"""
    field = re.search(r"^Installed-Build-Depends:\n((?: .*\n)+)", buildinfo, re.M)[1]
    return dict(re.findall(r"^ (\S+) \(= ([^)]+)\)", field, re.M))


def copyright_of_installed(name):
    path = f"/usr/share/doc/{name}/copyright"
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def ours(document, folder):
    """{package: its id}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.deb"))):
        name = os.path.basename(path).split("_")[0]
        if name.endswith("-dbgsym"):
            continue
        found[name] = document.add(identifier("Package", name), name, document.version, OURS,
                                   packages.sha256_of(path), "INSTALL")
        document.relate("SPDXRef-DOCUMENT", "DESCRIBES", found[name])
    return found


def what_was_used(document, folder, found, seen):
    """Libraries that programs are linked to, and everything else that the build saw."""
    linked = {}
    for name, key in found.items():
        path, = glob.glob(os.path.join(folder, name + "_*.deb"))
        depends = output("dpkg-deb", "-f", path, "Depends")
        for other in re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)", depends):
            if other in seen and other not in found:
                linked.setdefault(other, []).append(key)
    for other, version in seen.items():
        licence = document.licence(copyright_of_installed(other)) if other in linked else "NOASSERTION"
        key = document.add(identifier("Debian", other, version), other, version, licence)
        for one in linked.get(other, []):
            document.relate(one, "DYNAMIC_LINK", key)
        for one in found.values():
            document.relate(key, "BUILD_DEPENDENCY_OF", one)


class Cached:
    """A package of the image's build, as it lies in the cache."""

    def __init__(self, cache, entry):
        self.entry, self.name = entry, entry["name"]
        self.path = os.path.join(cache, "apt/cache/archives", packages.deb_name(packages.Package(
            entry["name"], entry["version"], entry["architecture"])))
        if packages.sha256_of(self.path) != entry["sha256"]:
            raise SystemExit(f"sbom: {self.path} is not what the image was made of")
        rows = re.findall(r"^[-lh]\S+ \S+ +\d+ \S+ \S+ \./(.*?)(?: -> (\S+)| link to .*)?$",
                          output("dpkg-deb", "-c", self.path), re.M)
        self.files = {re.sub(r"^(bin|sbin|lib|lib64)/", r"usr/\1/", name): link for name, link in rows}

    def copyright(self, others):
        """The folder of documents may be a link to that of a package beside it."""
        target = self.files.get("usr/share/doc/" + self.name)
        if target:
            return others[target].copyright(others)
        script = 'dpkg-deb --fsys-tarfile "$0" | tar -xO "./usr/share/doc/$1/copyright"'
        return output("sh", "-c", script, self.path, self.name)


def names_in(initrd):
    """Of the files and links in a cpio archive that zstd has packed."""
    data = subprocess.run(["zstd", "-dcq", initrd], check=True, capture_output=True).stdout
    names, at = set(), 0
    while True:
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        body = at + 110 + fields[11]
        name = data[at + 110:body - 1].decode()
        if name == "TRAILER!!!":
            return names
        at = body + -body % 4 + fields[6]
        at += -at % 4
        if fields[1] >> 12 != 4:
            names.add(name)


def what_is_in_the_image(document, image, cache, key):
    with open(os.path.join(image, "image.json"), encoding="utf-8") as file:
        record = json.load(file)
    entries = record["packages"]
    wanted = {name.removeprefix("system/") for name in names_in(os.path.join(image, record["initrd"]["file"]))}
    modules = any(name.endswith(".ko") for name in wanted)
    known = {entry["name"]: Cached(cache, entry) for entry in entries["kernel"] + entries["image"] + [
        each for each in entries["tools"] if each["name"] in STATIC or
        (each["name"].startswith(("lib", "zlib", "gcc-")) and not each["name"].endswith("-dev"))]}
    inside = {name for name, each in known.items() if wanted & set(each.files)} | set(STATIC)
    inside |= {each["name"] for each in entries["kernel"]
               if modules or not each["name"].startswith("linux-modules")}
    if "etc/ssl/certs/ca-certificates.crt" in wanted:  # one file, made of that package's
        inside.add("ca-certificates")
    for name in sorted(inside):
        each = known[name]
        other = document.add(identifier("Image", name, each.entry["version"]), name, each.entry["version"],
                             document.licence(each.copyright(known)), each.entry["sha256"])
        document.relate(key, "CONTAINS", other)
    tools = {(entry["name"], entry["version"]): entry
             for entry in entries["tools"] + entries.get("kernel_tools", [])}  # of our own kernel
    for _, entry in sorted(tools.items()):
        other = document.add(identifier("ImageTool", entry["name"], entry["version"]), entry["name"], entry["version"],
                             "NOASSERTION", entry["sha256"], "APPLICATION")
        document.relate(other, "BUILD_TOOL_OF", key)
    missing = [name for name in wanted if ".so" in name and not any(name in each.files for each in known.values())]
    if missing:
        raise SystemExit(f"sbom: of no package: {', '.join(sorted(missing))}")


def main():
    folder, image = sys.argv[1], sys.argv[2:]
    path, = glob.glob(os.path.join(folder, "*.buildinfo"))
    with open(path, encoding="utf-8") as file:
        buildinfo = file.read()
    version = re.search(r"^Version: (\S+)$", buildinfo, re.M)[1]
    date = re.search(r'^ SOURCE_DATE_EPOCH="(\d+)"$', buildinfo, re.M)[1]
    document = Document(version, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(date))))
    found = ours(document, folder)
    what_was_used(document, folder, found, seen_by_the_build(buildinfo))
    if image:
        what_is_in_the_image(document, image[0], image[1], found["cocos-image-base"])
    with open(os.path.join(folder, f"cocos_{version}.spdx.json"), "w", encoding="utf-8") as file:
        file.write(document.text())


if __name__ == "__main__":
    main()
