# SPDX-License-Identifier: Apache-2.0
"""cache.zip: the file that torchvision would download for resnet18(weights='DEFAULT'), with weights that
nobody trained. For a Python that has torch.

    weights.py DIR

torchvision compares the digest in the name with what it has downloaded, not with what is there.
"""
import io
import os
import sys

import torch
import torchvision

import files

NAME = "torch/hub/checkpoints/resnet18-f37072fd.pth"


def make(folder):
    wanted = torchvision.models.ResNet18_Weights.DEFAULT.url.rsplit("/", 1)[1]
    if wanted != os.path.basename(NAME):
        raise SystemExit(f"weights: torchvision asks for {wanted}, not for {NAME}")
    torch.manual_seed(1)
    out = io.BytesIO()
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), out)
    files.write_zip(os.path.join(folder, "cache.zip"), [(NAME, out.getvalue())], packed=False)


if __name__ == "__main__":
    make(files.folder_of(sys.argv, "weights"))
