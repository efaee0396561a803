#!/usr/bin/python3
"""Write the four sets that scikit-learn carries (Debian: python3-sklearn).

usage: make-sklearn.py DIR

One number format per column: the shortest decimal text that reads back to the
same double, without a trailing ".0" and without an exponent.
"""
import os
import re
import sys

from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine


def number(x):
    text = repr(float(x))
    if text.endswith(".0"):
        text = text[:-2]
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) or float(text) != x:
        raise ValueError(f"cannot print {x!r} as a plain decimal")
    return text


def name(published):
    """'sepal length (cm)' -> 'sepal_length', 'od280/od315_of...' -> 'od280_od315_of...'"""
    return re.sub(r"[ /]", "_", published.removesuffix(" (cm)"))


def write(folder, file, features, target, bunch):
    with open(os.path.join(folder, file), "w", encoding="utf-8", newline="\n") as out:
        print(*features, target, sep=",", file=out)
        for row, k in zip(bunch.data, bunch.target):
            print(*map(number, row), bunch.target_names[k], sep=",", file=out)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make-sklearn.py DIR")
    folder = sys.argv[1]
    for file, target, load in (("iris.csv", "species", load_iris),
                               ("wine.csv", "class", load_wine),
                               ("breast-cancer.csv", "diagnosis", load_breast_cancer),
                               ("digits.csv", "digit", load_digits)):
        bunch = load()
        write(folder, file, [name(f) for f in bunch.feature_names], target, bunch)


main()
