#!/usr/bin/python3
"""Writes net.h: outputs, loss and gradients of a net of three layers by PyTorch.

Rows and parameters are multiples of 1/256, made by the integer formula that
test_net_golden.c holds, too.

usage: /usr/bin/python3 tests/golden/make_net.py > tests/golden/net.h   (made with PyTorch 1.13)
"""
import torch

ROWS, SIZES = 40, [5, 9, 6, 3]


def number(i):
    i = (i + 1) * 2654435761 % 2 ** 32
    return ((i >> 8) % 257 - 128) / 256


def array(name, values):
    print(f"static const double {name}[] = {{{', '.join(f'{float(v):.9g}' for v in values.flatten())}}};")


x = torch.tensor([[4 * number(i * SIZES[0] + j) for j in range(SIZES[0])] for i in range(ROWS)], dtype=torch.float64)
y = torch.tensor([(i * 7 + i // 5) % SIZES[-1] for i in range(ROWS)])
weight = torch.tensor([1 + number(9000 + i) for i in range(ROWS)], dtype=torch.float64)
print(f"/* Made by make_net.py with PyTorch {torch.__version__}. */")
for name, f in (("relu", torch.relu), ("tanh", torch.tanh), ("gelu", lambda z: torch.nn.functional.gelu(z, approximate="tanh"))):
    at, parameters, h = 100000, [], x
    for layer, (d, units) in enumerate(zip(SIZES, SIZES[1:])):
        w = torch.tensor([number(at + i) for i in range(d * units)], dtype=torch.float64).reshape(d, units).requires_grad_()
        b = torch.tensor([number(at + d * units + i) for i in range(units)], dtype=torch.float64).requires_grad_()
        at += (d + 1) * units
        parameters += [w, b]
        h = h @ w + b
        if layer + 2 < len(SIZES):
            h = f(h)
    losses = torch.nn.functional.cross_entropy(h, y, reduction="none")
    loss = (losses * weight).sum() / weight.sum()
    loss.backward()
    array(f"golden_{name}_out", h)
    array(f"golden_{name}_loss", loss)
    array(f"golden_{name}_gradient", torch.cat([p.grad.flatten() for p in parameters]))
