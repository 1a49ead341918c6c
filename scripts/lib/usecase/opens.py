# SPDX-License-Identifier: Apache-2.0
"""Whether what a use case made is what it should be: each file is opened by what it is for.

    opens.py FILE...     prints a line for each; exit status 1 at the first that is no such thing
"""
import json
import os
import re
import sys


def model(path):
    """torch's own loader, which builds nothing but tensors; every number of it is one."""
    import torch  # pylint: disable=import-outside-toplevel
    state = torch.load(path, weights_only=True)
    assert state and all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
    if "fc.weight" in state and "conv1.weight" in state:
        import torchvision  # pylint: disable=import-outside-toplevel
        network = torchvision.models.resnet18(weights=None)
        network.fc = torch.nn.Linear(512, state["fc.weight"].shape[0])
        network.load_state_dict(state)
        network.eval()
        answer = network(torch.zeros(1, 3, 224, 224)).shape
        return f"a ResNet-18 of {answer[1]} classes, which answers"
    return f"{len(state)} tensors, {sum(tensor.numel() for tensor in state.values())} numbers"


def scaler(path):
    import joblib  # pylint: disable=import-outside-toplevel
    made = joblib.load(path)
    return f"{type(made).__name__} of {made.n_features_in_} columns"


def picture(path):
    from PIL import Image  # pylint: disable=import-outside-toplevel
    with Image.open(path) as opened:
        opened.load()
        return "a picture of %d by %d" % opened.size


def trees(path):
    """XGBoost's model in UBJSON: the parts that its documents name, without a need for XGBoost."""
    with open(path, "rb") as file:
        content = file.read()
    names = set(re.findall(rb"learner|gradient_booster|num_trees|tree_info|version", content))
    assert content[:1] == b"{" and len(names) == 5, names
    return f"XGBoost's, {len(content)} bytes"


KINDS = {".pth": model, ".pkl": scaler, ".png": picture, ".ubj": trees}


def main(paths):
    for path in paths:
        try:
            print(f"{os.path.basename(path)}: {KINDS[os.path.splitext(path)[1]](path)}")
        except Exception as failure:  # whatever a loader raises: the file is not what it should be
            print(f"opens: {json.dumps(path)}: {type(failure).__name__}: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
