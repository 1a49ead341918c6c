#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what built packages are made of, as an SBOM in SPDX 2.3 JSON, for scripts/package.

  sbom.py FOLDER [IMAGE-SBOM...]
  sbom.py --image IMAGE CACHE VERSION SECONDS DOCUMENTS

FOLDER has the packages and the .buildinfo of one build, which names every package that the build saw; what is
known of the images in it is taken over. With --image, it is the SBOM of a guest image (IMAGE: its folder; CACHE: that of
scripts/build-image), of that version and date, and goes to the folder DOCUMENTS, beside the licences' texts.

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
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../guest")]
import image_parts  # noqa: E402
from recipe import packages  # noqa: E402
from recipe.fail import Failure  # noqa: E402

OURS = "Apache-2.0"
SHORT = re.compile(r"^License:[ \t]*(\S.*)$|/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", re.M)


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def identifier(*parts):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", "-".join(parts))


class Document:
    def __init__(self, name, version, seconds):
        self.name, self.version = name, version
        self.created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(seconds)))
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
            "name": f"{self.name}-{self.version}", "documentNamespace": f"urn:sha256:{digest}",
            "creationInfo": {"created": self.created, "creators": ["Tool: cocos-scripts-package"]},
            **body}, indent=1, ensure_ascii=False) + "\n"

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.text())


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


def take_over(document, path, key):
    """What the SBOM of an image says is in it, or built it."""
    with open(path, encoding="utf-8") as file:
        image = json.load(file)
    name = image["name"].removesuffix("-" + document.version)
    about = identifier("Image", name)
    document.packages.update((part["SPDXID"], part) for part in image["packages"] if part["SPDXID"] != about)
    document.licences.update((one["licenseId"], one) for one in image["hasExtractedLicensingInfos"])
    for row in image["relationships"]:
        if row["relationshipType"] != "DESCRIBES":
            ends = [key[name] if end == about else end for end in (row["spdxElementId"], row["relatedSpdxElement"])]
            document.relate(ends[0], row["relationshipType"], ends[1])


def of_packages(folder, *images):
    path, = glob.glob(os.path.join(folder, "*.buildinfo"))
    with open(path, encoding="utf-8") as file:
        buildinfo = file.read()
    document = Document("cocos", re.search(r"^Version: (\S+)$", buildinfo, re.M)[1],
                        re.search(r'^ SOURCE_DATE_EPOCH="(\d+)"$', buildinfo, re.M)[1])
    found = ours(document, folder)
    what_was_used(document, folder, found, seen_by_the_build(buildinfo))
    for image in images:
        take_over(document, image, found)
    document.write(os.path.join(folder, f"cocos_{document.version}.spdx.json"))


def of_image(image, cache, version, seconds, documents):
    parts = image_parts.Parts(image, cache)
    name = "cocos-image-" + parts.record["flavour"]
    document = Document(name, version, seconds)
    key = document.add(identifier("Image", name), name, version, OURS,
                       packages.sha256_of(os.path.join(image, "image.json")), "OPERATING-SYSTEM")
    document.relate("SPDXRef-DOCUMENT", "DESCRIBES", key)
    os.makedirs(os.path.join(documents, "licenses"))
    for part in parts.inside():
        text = part.copyright(parts.known)
        other = document.add(identifier("Image", part.name, part.entry["version"]), part.name, part.entry["version"],
                             document.licence(text), part.entry["sha256"])
        document.relate(key, "CONTAINS", other)
        with open(os.path.join(documents, "licenses", part.name), "w", encoding="utf-8") as file:
            file.write(text)
    for entry in parts.tools():
        other = document.add(identifier("ImageTool", entry["name"], entry["version"]), entry["name"], entry["version"],
                             "NOASSERTION", entry["sha256"], "APPLICATION")
        document.relate(other, "BUILD_TOOL_OF", key)
    document.write(os.path.join(documents, "image.spdx.json"))


def main():
    try:
        if sys.argv[1] == "--image":
            of_image(*sys.argv[2:])
        else:
            of_packages(*sys.argv[1:])
    except Failure as failure:
        print(f"sbom: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
