"""Nets against PyTorch, in turn: rows a second while training, and the loss after equal steps.

Both begin with the same weights and take the same rows in the same order.
PyTorch runs with each of a few settings first (threads of its loops and of
its BLAS, Adam over single tensors or over all at once), ours with one and two
threads, and the fastest are the ones that are compared. Wanted: 1.2 times its rate with the MLP, 1.5 times
with the autoencoder, mean losses of the first epoch that differ by less than
1e-3 (later a last bit here and there has grown to more). Run by bench_nn.sh,
which finds a Python that has PyTorch.

usage: bench_nn.py BENCH_NN IMAGES LABELS FOLDER [PAIRS]
       bench_nn.py train NET IMAGES LABELS FOLDER EPOCHS THREADS FOREACH    (what it calls itself with)
"""
import json
import os
import statistics
import subprocess
import sys
import time

EPOCHS = 5
SHAPES = {"mlp": [784, 256, 128, 10], "ae": [784, 256, 64, 256, 784]}
WANTED = {"mlp": 1.2, "ae": 1.5}


def train(net, images, labels, folder, epochs, threads, foreach):
    import numpy as np
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    x = torch.from_numpy(np.fromfile(images, np.uint8)[16:].reshape(-1, 784).astype(np.float32) / np.float32(255))
    y = torch.from_numpy(np.fromfile(labels, np.uint8)[8:].astype(np.int64))
    weights = torch.from_numpy(np.fromfile(os.path.join(folder, "weights.f32"), np.float32))
    orders = torch.from_numpy(np.fromfile(os.path.join(folder, "order.i64"), np.int64).reshape(-1, len(x)))
    shape, layers, at = SHAPES[net], [], 0
    for i, (d, units) in enumerate(zip(shape, shape[1:])):
        layer = nn.Linear(d, units)
        with torch.no_grad():
            layer.weight.copy_(weights[at:at + d * units].reshape(d, units).T)
            layer.bias.copy_(weights[at + d * units:at + d * units + units])
        at += d * units + units
        layers.append(layer)
        if i + 2 < len(shape):
            layers.append(nn.ReLU(inplace=True))
        elif net == "ae":
            layers.append(nn.Sigmoid())
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), foreach=foreach)
    losses, best, batch = [], float("inf"), 64 if net == "mlp" else 128
    for epoch in range(epochs):
        begin = time.perf_counter()
        total = 0.0
        for rows in orders[epoch].split(batch):
            inputs = x[rows]
            out = model(inputs)
            loss = F.cross_entropy(out, y[rows]) if net == "mlp" else F.mse_loss(out, inputs)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        best = min(best, time.perf_counter() - begin)
        losses.append(total / len(x))
    print(json.dumps({"seconds": best, "rate": len(x) / best, "loss": losses[0], "last": losses[-1]}))


def theirs(net, setting, files, folder, epochs):
    threads, blas, foreach = setting
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(blas), OPENBLAS_NUM_THREADS=str(blas),
               MALLOC_TRIM_THRESHOLD_="1000000000", MALLOC_MMAP_THRESHOLD_="1000000000")
    args = [sys.executable, __file__, "train", net, *files, folder, str(epochs), str(threads), str(int(foreach))]
    return json.loads(subprocess.run(args, check=True, capture_output=True, text=True, env=env).stdout)


def ours(bench, net, threads, files, folder, epochs):
    out = subprocess.run([bench, net, *files, str(threads), str(epochs), folder], check=True, capture_output=True, text=True).stdout
    return {k: float(v) for k, v in (part.split("=") for part in out.split())}


def compare(bench, net, files, folder, pairs):
    rates = {t: ours(bench, net, t, files, folder, EPOCHS)["rate"] for t in (1, 2)}  # writes weights and orders, too
    own = max(rates, key=rates.get)
    settings = [(t, b, f) for t in (1, 2) for b in (1, 2) for f in (False, True)]
    tried = {s: theirs(net, s, files, folder, 2)["rate"] for s in settings}
    setting = max(tried, key=tried.get)
    print(f"{net}: PyTorch is fastest with {setting[0]} threads, BLAS with {setting[1]}, foreach={setting[2]}; ours with {own}")
    ratios = []
    for _ in range(pairs):
        a, b = theirs(net, setting, files, folder, EPOCHS), ours(bench, net, own, files, folder, EPOCHS)
        ratios.append(b["rate"] / a["rate"])
        off = abs(a["loss"] - b["loss"]) / a["loss"]
        print(f"{net}: {b['rate']:.0f} rows/s, PyTorch {a['rate']:.0f}, ratio {ratios[-1]:.2f}; "
              f"{1e4 / b['rate']:.3f} s for 10,000; loss {b['loss']:.6f}, PyTorch {a['loss']:.6f}, off by {off:.1e}; "
              f"after {EPOCHS} epochs {b['last']:.6f}, {a['last']:.6f}")
        if not off < 1e-3:
            print(f"{net}: the losses differ")
            return False
    ratio = statistics.median(ratios)
    print(f"{net}: median ratio {ratio:.2f} (wanted >= {WANTED[net]})")
    return ratio >= WANTED[net]


if sys.argv[1] == "train":
    train(*sys.argv[2:6], int(sys.argv[6]), int(sys.argv[7]), sys.argv[8] == "1")
else:
    n_pairs = int(sys.argv[5]) if len(sys.argv) > 5 else 5
    good = [compare(sys.argv[1], net, sys.argv[2:4], sys.argv[4], n_pairs) for net in SHAPES]
    sys.exit(0 if all(good) else 1)
