#!/usr/bin/python3
"""Writes net_steps.h: mean losses of a small net over 60 steps by PyTorch's Adam, AdamW and SGD with momentum.

Weights, rows and batches are those of make_net.py's formula, which
test_train_golden.c holds, too.

usage: /usr/bin/python3 tests/golden/make_net_steps.py > tests/golden/net_steps.h   (made with PyTorch 1.13)
"""
import torch

ROWS, D, CLASSES, BATCH, STEPS = 40, 5, 3, 8, 60
UNITS = [9, 6, CLASSES]


def number(i):
    v = (i + 1) * 2654435761 % 2 ** 32
    return ((v >> 8) % 257 - 128) / 256


def net():
    layers, at, width = [], 0, D
    for units in UNITS:
        layer = torch.nn.Linear(width, units)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([[number(at + i * units + u) for i in range(width)] for u in range(units)]))
            layer.bias.copy_(torch.tensor([number(at + width * units + u) for u in range(units)]))
        layers += [layer, torch.nn.Tanh()]
        at += width * units + units
        width = units
    return torch.nn.Sequential(*layers[:-1])


def losses(make):
    x = torch.tensor([[4 * number(i * D + j) for j in range(D)] for i in range(ROWS)])
    y = torch.tensor([(i * 7 + i // 5) % CLASSES for i in range(ROWS)])
    model = net()
    optimizer, out = make(model.parameters()), []
    for step in range(STEPS):
        rows = [(step * 11 + i * 3) % ROWS for i in range(BATCH)]
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        out.append(loss.item())
    return out


print(f"/* Made by make_net_steps.py with PyTorch {torch.__version__}. */")
for name, make in (("adam", lambda p: torch.optim.Adam(p, lr=0.01)), ("adamw", lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)),
                   ("momentum", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9))):
    print(f"static const double golden_steps_{name}[] = {{{', '.join(repr(v) for v in losses(make))}}};")
