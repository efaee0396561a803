#!/usr/bin/env python3
"""Writes autoencoder.h: losses of two small autoencoders in PyTorch, from the same weights and rows.

Run with a python3 that has PyTorch (Debian: python3-torch, 1.13.1):
    python3 make_autoencoder.py > autoencoder.h
"""
import numpy as np
import torch

ROWS, STEPS, RATE = 24, 60, 0.02
torch.manual_seed(3)
rng = np.random.default_rng(11)


def table(name, values):
    values = np.asarray(values, np.float32).ravel()
    cells = ['(float)NAN' if np.isnan(v) else f'{float(v):.9g}' for v in values]
    cells = [c if any(x in c for x in '.eN') else c + '.0' for c in cells]
    cells = [c if c.endswith('NAN') else c + 'f' for c in cells]
    print(f'static const float {name}[] = {{' + ', '.join(cells) + '};')


def layers(widths, act):
    stack = []
    for a, b, f in zip(widths, widths[1:], act):
        stack.append(torch.nn.Linear(a, b))
        stack += [f()] if f else []
    return torch.nn.Sequential(*stack)


def block(parts):
    """Our layout: tables as they are, of each layer the weights (inputs, units), then the biases."""
    out = []
    for p in parts:
        out += [p.weight.detach().numpy().ravel()] if isinstance(p, torch.nn.Embedding) else [p.weight.detach().numpy().T.ravel(), p.bias.detach().numpy()]
    return np.concatenate(out)


def run(name, rebuild, parts, loss):
    table(f'golden_{name}_start', block(parts))
    optimizer = torch.optim.Adam([w for p in parts for w in p.parameters()], RATE)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(rebuild())
        value.backward()
        optimizer.step()
        losses.append(value.item())
    table(f'golden_{name}_losses', losses)
    table(f'golden_{name}_end', block(parts))


print(f'/* Written by make_autoencoder.py with torch {torch.__version__}. */')
print('#ifndef DM_TESTS_GOLDEN_AUTOENCODER_H\n#define DM_TESTS_GOLDEN_AUTOENCODER_H\n\n#include <math.h>\n')
print(f'enum {{ GOLDEN_ROWS = {ROWS}, GOLDEN_STEPS = {STEPS} }};')

# 8-4-2-4-8 on numbers
x = torch.tensor(rng.normal(size=(ROWS, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(ROWS, 8)), dtype=torch.float32)
net = layers([8, 4, 2, 4, 8], [torch.nn.Tanh, None, torch.nn.Tanh, None])
table('golden_plain_rows', x)
run('plain', lambda: net(x), [p for p in net if isinstance(p, torch.nn.Linear)], lambda out: ((out - x) ** 2).mean())

# 5 numbers, two of them with missing cells, and a category of 5 codes: 3 = missing, 4 = other
numbers = (rng.normal(size=(ROWS, 2)) @ rng.normal(size=(2, 5))).astype(np.float32)
codes = rng.choice(5, ROWS, p=[.35, .25, .2, .12, .08])
rows = np.column_stack([numbers[:, :2], codes, numbers[:, 2:]]).astype(np.float32)
for column in (1, 4):
    rows[rng.choice(ROWS, 5, replace=False), column] = np.nan
order = [0, 1, 3, 4, 5]                                 # numbers
flagged = [1, 4]
truth = torch.tensor(rows[:, order])
missing = torch.isnan(truth)
fill = torch.nanmean(truth, 0)
seen = torch.cat([torch.where(missing, fill.expand_as(truth), truth), torch.tensor(np.isnan(rows[:, flagged]).astype(np.float32))], 1)
code = torch.tensor(codes)
embedding = torch.nn.Embedding(5, 4)
net2 = layers([7 + 4, 6, 2, 6, 5 + 5], [torch.nn.SiLU, None, torch.nn.SiLU, None])
table('golden_mixed_rows', rows)
table('golden_mixed_fill', np.insert(fill.numpy(), 2, 0))


def cells(out):
    squares = torch.where(missing, torch.zeros_like(truth), (out[:, :5] - torch.where(missing, out[:, :5].detach(), truth)) ** 2)
    entropy = torch.nn.functional.cross_entropy(out[:, 5:], code, reduction='none')[code != 3]
    return (squares.sum() + entropy.sum()) / ((~missing).sum() + (code != 3).sum())


run('mixed', lambda: net2(torch.cat([seen, embedding(code)], 1)), [embedding] + [p for p in net2 if isinstance(p, torch.nn.Linear)], cells)
print('\n#endif')
