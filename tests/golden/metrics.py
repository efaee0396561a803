#!/usr/bin/python3
"""Writes metrics.h: predictions with many ties and what scikit-learn says of them.

usage: /usr/bin/python3 tests/golden/metrics.py > tests/golden/metrics.h   (made with scikit-learn 1.2.1)
"""
import warnings

import numpy as np
from sklearn import metrics as m

warnings.filterwarnings("ignore")
rng = np.random.RandomState(7)


def array(name, values):
    text = ", ".join(repr(float(v)) for v in np.ravel(values))
    print(f"static const double {name}[] = {{{text}}};")


def classification(name, n, k, digits):
    truth = rng.randint(0, k, n)
    proba = rng.dirichlet(np.ones(k) * 0.7, n)
    proba[np.arange(n), truth] += 0.4
    proba = np.round(proba / proba.sum(1, keepdims=True), digits)  # rounding makes ties, zeros and ones
    proba[:, -1] = 1 - proba[:, :-1].sum(1)
    proba = np.clip(proba, 0, 1)
    proba /= proba.sum(1, keepdims=True)
    value = proba.argmax(1)
    auc = m.roc_auc_score(truth, proba[:, 1]) if k == 2 else m.roc_auc_score(truth, proba, multi_class="ovr", average="macro")
    brier = m.brier_score_loss(truth, proba[:, 1]) if k == 2 else ((proba - np.eye(k)[truth]) ** 2).sum(1).mean()
    array(f"{name}_truth", truth)
    array(f"{name}_value", value)
    array(f"{name}_proba", proba)
    array(f"{name}_wanted", [m.accuracy_score(truth, value), m.balanced_accuracy_score(truth, value), m.f1_score(truth, value, average="macro"),
                             auc, m.log_loss(truth, proba, eps=1e-15), brier])
    if k == 2:
        fpr, tpr, threshold = m.roc_curve(truth, proba[:, 1], drop_intermediate=False)
        array(f"{name}_fpr", fpr)
        array(f"{name}_tpr", tpr)
        array(f"{name}_threshold", threshold[1:])  # the first is a matter of taste


print("/* Made by metrics.py with scikit-learn %s. */" % __import__("sklearn").__version__)
classification("two", 60, 2, 1)
classification("four", 60, 4, 1)
truth, value = rng.normal(10, 3, 40), rng.normal(10, 3, 40)
value = truth * 0.7 + value * 0.3
array("numbers_truth", truth)
array("numbers_value", value)
array("numbers_wanted", [m.mean_squared_error(truth, value, squared=False), m.mean_absolute_error(truth, value), m.r2_score(truth, value)])
