#!/usr/bin/python3
"""Writes nn.h: outputs and gradients of PyTorch's layers in double, for the ops of nets.

Inputs are multiples of 1/64, made by the integer formula that test_ops.c
holds, too. The loss is the sum of outputs times such numbers.

usage: /usr/bin/python3 tests/golden/make_nn.py > tests/golden/nn.h   (made with PyTorch 1.13)
"""
import numpy as np
import torch

ROWS, D, LEVELS, UNITS = 11, 5, 4, 3


def number(i):
    i = (i + 1) * 2654435761 % 2 ** 32
    return ((i >> 8) % 257 - 128) / 64


def numbers(start, *shape):
    return torch.tensor([number(start + i) for i in range(int(np.prod(shape)))], dtype=torch.float64).reshape(shape)


def array(name, values):
    print(f"static const double golden_{name}[] = {{{', '.join(repr(float(v)) for v in np.ravel(values.detach().numpy()))}}};")


def show(name, layer, x, y, parameters):
    y.backward(numbers(2000, *y.shape))
    array(name, y)
    if x.grad is not None:
        array(f"{name}_g_x", x.grad)
    for what, p in parameters:
        array(f"{name}_g_{what}", p.grad)


def norm(name, layer):
    layer = layer.double()
    with torch.no_grad():
        layer.weight.copy_(numbers(3000, D))
        layer.bias.copy_(numbers(4000, D))
    for step in range(2):  # two batches, so that running figures move twice
        layer.zero_grad()
        x = (numbers(1000 * step, ROWS, D) * torch.tensor([1, 64, 1 / 64, 1, 0]) + torch.tensor([0, 8192, 0, -3, 7])).requires_grad_()
        show(f"{name}{step}", layer, x, layer(x), [("gamma", layer.weight), ("beta", layer.bias)])
    return layer


print(f"/* Made by make_nn.py with PyTorch {torch.__version__}. */")
bn = norm("batch_norm", torch.nn.BatchNorm1d(D))
array("batch_norm_mean", bn.running_mean)
array("batch_norm_variance", bn.running_var)
bn.eval()
array("batch_norm_scoring", bn(numbers(500, ROWS, D)))
norm("layer_norm", torch.nn.LayerNorm(D))

table = torch.nn.Embedding(LEVELS, UNITS).double()
with torch.no_grad():
    table.weight.copy_(numbers(3000, LEVELS, UNITS))
codes = torch.tensor([(i * i + 1) % LEVELS for i in range(ROWS)])
show("embedding", table, codes, table(codes), [("table", table.weight)])

x = (numbers(0, ROWS, D) * 4).requires_grad_()
show("gelu", None, x, torch.nn.functional.gelu(x, approximate="tanh"), [])
