#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a classifier on the iris measurements and tells how well it does.

Reads the one CSV file in datasets/ (sepal and petal lengths and widths, species) and writes to
results/: summary.txt for people, model.json with everything needed to classify a flower by hand.
"""
import argparse
import csv
import json
import pathlib
import sys

COLUMNS = ["SepalLengthCm", "SepalWidthCm", "PetalLengthCm", "PetalWidthCm"]


def fail(text):
    print(f"iris: {text}", file=sys.stderr)
    sys.exit(1)


def read_flowers(folder):
    files = sorted(folder.rglob("*.csv"))
    if len(files) != 1:
        fail(f"{len(files)} CSV files in {folder}/: exactly one is expected")
    with files[0].open(newline="", encoding="utf-8") as source:
        rows = csv.DictReader(source)
        missing = [name for name in COLUMNS + ["Species"] if name not in (rows.fieldnames or [])]
        if missing:
            fail(f"{files[0].name}: no column {', '.join(missing)}")
        measured, species = [], []
        for number, row in enumerate(rows, start=2):
            try:
                measured.append([float(row[name]) for name in COLUMNS])
            except (TypeError, ValueError):
                fail(f"{files[0].name}: line {number}: a measurement is not a number")
            species.append(row["Species"])
    if len(set(species)) < 2:
        fail(f"{files[0].name}: fewer than two species: nothing to tell apart")
    return files[0].name, measured, species


def train(measured, species, seed, test_share):
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import accuracy_score, confusion_matrix
        from sklearn.model_selection import train_test_split
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        fail(f"scikit-learn is missing ({error}): run this in the python image, or send a "
             "requirements file")
    learn_x, test_x, learn_y, test_y = train_test_split(
        measured, species, test_size=test_share, random_state=seed, stratify=species)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(learn_x, learn_y)
    guessed = model.predict(test_x)
    scaler, regression = model[0], model[1]
    classes = [str(name) for name in regression.classes_]
    return {
        "algorithm": "logistic regression on standardized measurements",
        "features": COLUMNS,
        "classes": classes,
        "mean": [float(value) for value in scaler.mean_],
        "scale": [float(value) for value in scaler.scale_],
        "coefficients": [[float(value) for value in row] for row in regression.coef_],
        "intercepts": [float(value) for value in regression.intercept_],
        "learned_from": len(learn_x),
        "tested_on": len(test_x),
        "accuracy": float(accuracy_score(test_y, guessed)),
        "confusion": confusion_matrix(test_y, guessed, labels=classes).tolist(),
    }


def summary(name, flowers, model):
    lines = [
        f"Iris classifier, trained on {name} ({flowers} flowers)",
        "",
        f"  method    {model['algorithm']}",
        f"  learned   from {model['learned_from']} flowers",
        f"  tested    on {model['tested_on']} others",
        f"  accuracy  {model['accuracy']:.1%}",
        "",
        "  told as" + "".join(f"{short(c):>14}" for c in model["classes"]),
    ]
    for species, row in zip(model["classes"], model["confusion"]):
        lines.append(f"  {short(species):<10}" + "".join(f"{count:>13}" for count in row))
    return "\n".join(lines) + "\n"


def short(species):
    return species.removeprefix("Iris-")


def main():
    parser = argparse.ArgumentParser(description="train on iris.csv")
    parser.add_argument("--seed", type=int, default=7, help="of the split (default: 7)")
    parser.add_argument("--test-share", type=float, default=0.3, metavar="PART",
                        help="part of the flowers kept for the test (default: 0.3)")
    options = parser.parse_args()
    if not 0 < options.test_share < 1:
        fail("--test-share must lie between 0 and 1")

    name, measured, species = read_flowers(pathlib.Path("datasets"))
    print(f"read {len(measured)} flowers of {len(set(species))} species from {name}", flush=True)
    model = train(measured, species, options.seed, options.test_share)
    print(f"accuracy {model['accuracy']:.3f} on {model['tested_on']} flowers", flush=True)

    results = pathlib.Path("results")
    results.mkdir(exist_ok=True)
    text = summary(name, len(measured), model)
    (results / "summary.txt").write_text(text, encoding="utf-8")
    (results / "model.json").write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
    print("results written: summary.txt, model.json", flush=True)


if __name__ == "__main__":
    main()
