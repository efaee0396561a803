"""What learned features are worth: 10,000 digits without labels, 1,000 with.

Logistic regression and a tree, trained by the commands with default
parameters on 1,000 labelled digits (drawn anew each time), tested on 10,000
others; their columns are the pixels, 64 principal components (computed here),
or the 64 features of an autoencoder, plain or denoising (as it is without
options), that saw the 10,000 digits; components and features go into the
regression unscaled (not whitened). Nothing is chosen by the test part. Wanted:
features of an autoencoder not below the components for logistic regression.
Run by bench_features.sh, which finds a Python that has NumPy.

usage: bench_features.py TOOLS IMAGES [DRAWS]
"""
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

tools, images = sys.argv[1:3]
draws = int(sys.argv[3]) if len(sys.argv) > 3 else 3
WIDTH, LABELLED = 64, 1000
ENCODERS = {"autoencoder": ["--noise", "0"], "denoising autoencoder": []}


def read_idx(name):
    with gzip.open(os.path.join(images, name)) as f:
        data = f.read()
    shape = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def load(kind):
    x = read_idx(f"{kind}-images.idx3.gz").reshape(-1, 784) / 255.0
    return x, read_idx(f"{kind}-labels.idx1.gz")


def write_csv(path, x, y, form):
    names = [f"x{i + 1}" for i in range(x.shape[1])] + ["label"]
    np.savetxt(path, np.column_stack([x, y]), delimiter=",", fmt=[form] * x.shape[1] + ["%d"], header=",".join(names), comments="")


def dm(program, *arguments):
    out = subprocess.run([os.path.join(tools, program), *arguments, "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def accuracy(db, method, source, test, options):
    dm("dm-mine", "train", method, db, source, "--target", "label", "--model", "m", *options)
    return dm("dm-mine", "evaluate", db, "m", test)["metrics"]["accuracy"]


with tempfile.TemporaryDirectory() as folder:
    db = os.path.join(folder, "digits.db")
    (x, y), (x_test, y_test) = load("mnist10k-train"), load("mnist-t10k")
    mean = x.mean(axis=0)
    components = np.linalg.svd(x - mean, full_matrices=False)[2][:WIDTH].T
    tables = {"train": (x, y, "%.6g"), "test": (x_test, y_test, "%.6g"),
              "train_pca": ((x - mean) @ components, y, "%.7g"), "test_pca": ((x_test - mean) @ components, y_test, "%.7g")}
    for name, (values, labels, form) in tables.items():
        path = os.path.join(folder, name + ".csv")
        write_csv(path, values, labels, form)
        dm("dm-clean", "import", db, path, "--table", name)
    rows = {"pixels": ("train", "test", []), f"PCA-{WIDTH}": ("train_pca", "test_pca", ["--scale", "none"])}
    for name, options in ENCODERS.items():
        begin = time.perf_counter()
        dm("dm-mine", "train", "autoencoder", db, "train", "--ignore", "label", "--model", name.replace(" ", "_"), "--latent", str(WIDTH), *options)
        print(f"{name}: trained in {time.perf_counter() - begin:.1f} s")
        rows[name] = ("train", "test", ["--features-from", name.replace(" ", "_"), "--scale", "none"])
    print(f"{'columns':24} {'logistic':>18} {'tree':>18}   accuracy on {len(y_test)} digits, {LABELLED} labels, mean (least - most) of {draws} draws")
    result = {}
    for name, (train, test, options) in rows.items():
        cells = []
        for method in ("logistic", "tree"):
            got = []
            for draw in range(draws):
                chosen = np.random.default_rng(draw).choice(len(y), LABELLED, replace=False) + 1
                source = f"SELECT * FROM {train} WHERE dm_id IN ({','.join(map(str, sorted(chosen)))})"
                given = [o for o in options if method == "logistic" or o not in ("--scale", "none")]
                got.append(accuracy(db, method, source, test, given))
            result[name, method] = statistics.mean(got)
            cells.append(f"{result[name, method]:.3f} ({min(got):.3f} - {max(got):.3f})")
        print(f"{name:24} {cells[0]:>18} {cells[1]:>18}")
    best = max(result[name, "logistic"] for name in ENCODERS)
    components = result[f"PCA-{WIDTH}", "logistic"]
    print(f"best learned features {best:.3f}, components {components:.3f} (wanted: not below them)")
    sys.exit(1 if best < components else 0)
