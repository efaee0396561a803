#!/usr/bin/python3
"""Writes optim.h: 100 steps of PyTorch's optimizers, its schedules and clipping, and minima by SciPy's L-BFGS-B.

Starts and gradients are multiples of 1/64, made by the integer formula that
test_optimizer.c holds, too.

usage: /usr/bin/python3 tests/golden/make_optim.py > tests/golden/optim.h   (made with PyTorch 1.13, SciPy 1.10.1)
"""
import numpy as np
import scipy
import torch
from scipy.optimize import minimize, rosen, rosen_der

N, STEPS = 8, 100


def number(i):
    i = (i + 1) * 2654435761 % 2 ** 32
    return ((i >> 8) % 257 - 128) / 64


def array(name, values):
    print(f"static const double {name}[] = {{{', '.join(repr(float(v)) for v in np.ravel(values))}}};")


def steps(make):
    w = torch.nn.Parameter(torch.tensor([number(i) for i in range(N)], dtype=torch.float32))
    optimizer = make([w])
    for t in range(STEPS):
        w.grad = torch.tensor([number(1000 + t * N + i) * (1 if i % 4 else 1 / 64) for i in range(N)], dtype=torch.float32)
        optimizer.step()
    return w.detach().numpy()


o = torch.optim
cases = {
    "sgd": lambda p: o.SGD(p, lr=0.01),
    "sgd_decay": lambda p: o.SGD(p, lr=0.01, weight_decay=0.1),
    "momentum": lambda p: o.SGD(p, lr=0.01, momentum=0.9),
    "momentum_decay": lambda p: o.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda p: o.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "nesterov_decay": lambda p: o.SGD(p, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
    "adagrad": lambda p: o.Adagrad(p),
    "adagrad_decay": lambda p: o.Adagrad(p, weight_decay=0.1),
    "rmsprop": lambda p: o.RMSprop(p),
    "rmsprop_decay": lambda p: o.RMSprop(p, weight_decay=0.1),
    "adam": lambda p: o.Adam(p),
    "adam_decay": lambda p: o.Adam(p, weight_decay=0.1),
    "adamw": lambda p: o.AdamW(p),
    "adamw_decay": lambda p: o.AdamW(p, weight_decay=0.1),
}
print(f"/* Made by make_optim.py with PyTorch {torch.__version__} and SciPy {scipy.__version__}. */")
for name, make in cases.items():
    array("golden_" + name, steps(make))


def rates(make, losses=None):
    optimizer = o.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = make(optimizer)
    out = []
    for t in range(40):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(losses[t]) if losses else schedule.step()
    return out


s = o.lr_scheduler
losses = [2 - min(t, 12) / 10 + (t % 3) / 50 for t in range(40)]
array("golden_step", rates(lambda x: s.StepLR(x, 7, 0.3)))
array("golden_exponential", rates(lambda x: s.ExponentialLR(x, 0.9)))
array("golden_cosine", rates(lambda x: s.CosineAnnealingLR(x, 40, 0.01)))
array("golden_losses", losses)
array("golden_plateau", rates(lambda x: s.ReduceLROnPlateau(x, factor=0.1, patience=3, threshold=1e-4, min_lr=1e-4, eps=0), losses))

g = torch.nn.Parameter(torch.zeros(N))
g.grad = torch.tensor([number(i) for i in range(N)], dtype=torch.float32)
array("golden_norm", [float(torch.nn.utils.clip_grad_norm_([g], 0.75))])
array("golden_clipped", g.grad.numpy())


def beale(x):
    return (1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2 + (2.625 - x[0] + x[0] * x[1] ** 3) ** 2


def beale_der(x):
    a, b, c = 1.5 - x[0] + x[0] * x[1], 2.25 - x[0] + x[0] * x[1] ** 2, 2.625 - x[0] + x[0] * x[1] ** 3
    return np.array([2 * a * (x[1] - 1) + 2 * b * (x[1] ** 2 - 1) + 2 * c * (x[1] ** 3 - 1),
                     2 * a * x[0] + 4 * b * x[0] * x[1] + 6 * c * x[0] * x[1] ** 2])


def booth(x):
    return (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2


def booth_der(x):
    a, b = x[0] + 2 * x[1] - 7, 2 * x[0] + x[1] - 5
    return np.array([2 * a + 4 * b, 4 * a + 2 * b])


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def himmelblau_der(x):
    a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return np.array([4 * a * x[0] + 2 * b, 2 * a + 4 * b * x[1]])


c = 10.0 ** (np.arange(10) * 5 / 9)


def quadratic(x):
    return 0.5 * np.sum(c * (x - 1) ** 2)


def quadratic_der(x):
    return c * (x - 1)


for name, f, df, start in (
    ("rosenbrock2", rosen, rosen_der, [-1.2, 1]),
    ("rosenbrock10", rosen, rosen_der, [-1.2, 1] * 5),
    ("beale", beale, beale_der, [1, 1]),
    ("booth", booth, booth_der, [0, 0]),
    ("himmelblau", himmelblau, himmelblau_der, [0, 0]),
    ("quadratic", quadratic, quadratic_der, [-2.0] * 10),
):
    r = minimize(f, start, jac=df, method="L-BFGS-B", options={"gtol": 1e-8, "ftol": 0, "maxiter": 10000})
    array("golden_" + name, r.x)
    array(f"golden_{name}_iterations", [r.nit])
