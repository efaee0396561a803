#!/usr/bin/python3
"""Writes tree.h: trees and pruning paths of scikit-learn on the project's datasets.

scikit-learn takes one of several equally good splits by chance; columns that
tie are left out until 40 random states agree on one tree.

usage: /usr/bin/python3 tests/golden/tree.py > tests/golden/tree.h   (made with scikit-learn 1.2.1)
"""
import os

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

here = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(here, "..", "..", "datasets", name + ".csv")) as f:
        f.readline()
        rows = [line.strip().split(",") for line in f]
    return rows


def array(name, values, kind="double"):
    text = ", ".join(repr(float(v)) if kind == "double" else str(int(v)) for v in np.ravel(values))
    print(f"static const {kind} {name}[] = {{{text}}};")


def disagreement(trees):
    """A feature that ties with another one, None when all trees are the same."""
    first = trees[0]
    for other in trees[1:]:
        for i in range(min(first.node_count, other.node_count)):
            if first.feature[i] != other.feature[i]:
                return max(first.feature[i], other.feature[i])
        assert np.array_equal(first.threshold, other.threshold)
    return None


def case(name, data, target, classify, criterion, max_depth, min_leaf=1, weights=False):
    rows = read(data)
    d = len(rows[0])
    target %= d
    y = np.array([r[target] for r in rows])
    y = np.unique(y, return_inverse=True)[1] if classify else y.astype(float)
    w = 1.0 + np.arange(len(y)) % 3 if weights else None
    make = DecisionTreeClassifier if classify else DecisionTreeRegressor
    columns = [j for j in range(d) if j != target and (classify or j != d - 1)]
    while True:
        X = np.array([[float(r[j]) for j in columns] for r in rows])
        models = [make(criterion=criterion, max_depth=max_depth, min_samples_leaf=min_leaf, random_state=s) for s in range(40)]
        trees = [m.fit(X, y, sample_weight=w).tree_ for m in models]
        tied = disagreement(trees)
        if tied is None:
            break
        del columns[tied]
    paths = [models[0].cost_complexity_pruning_path(X, y, sample_weight=w).ccp_alphas]
    t = trees[0]
    if not all(np.array_equal(t.feature, o.feature) and np.array_equal(t.threshold, o.threshold) for o in trees):
        return False
    alphas = [0.0]
    for a in sorted(paths[0]):
        if a > alphas[-1] + 1e-9:
            alphas.append(a)
    array(f"{name}_columns", columns, "int")
    array(f"{name}_feature", np.where(t.children_left < 0, -1, t.feature), "int")
    array(f"{name}_left", t.children_left, "int")
    array(f"{name}_right", t.children_right, "int")
    array(f"{name}_threshold", np.where(t.children_left < 0, 0, t.threshold))
    array(f"{name}_impurity", t.impurity)
    array(f"{name}_count", t.weighted_n_node_samples)
    array(f"{name}_value", t.value[:, 0, :] / t.value[:, 0, :].sum(1, keepdims=True) if classify else t.value[:, 0, :])
    array(f"{name}_alphas", alphas)
    cases.append(f'    {{"{data}", {target}, {int(classify)}, "{criterion}", {max_depth}, {min_leaf}, {int(weights)}, N({name}_columns), N({name}_feature), N({name}_alphas), '
                 f"{name}_columns, {name}_feature, {name}_left, {name}_right, {name}_threshold, {name}_impurity, {name}_count, {name}_value, {name}_alphas}},")


cases = []
print("/* Made by tree.py with scikit-learn %s. */" % __import__("sklearn").__version__)
print("#define N(a) (sizeof(a) / sizeof *(a))")
case("iris_gini", "iris", -1, True, "gini", 6, 5)
case("wine_gini", "wine", -1, True, "gini", 6, 8)
case("wine_entropy", "wine", -1, True, "entropy", 6)
case("breast_gini", "breast-cancer", -1, True, "gini", 8, 5)
case("breast_entropy", "breast-cancer", -1, True, "entropy", 8, 5)
case("breast_weights", "breast-cancer", -1, True, "gini", 8, 3, True)
case("digits_gini", "digits", -1, True, "gini", 8, 5)
case("wine_alcohol", "wine", 0, False, "squared_error", 8, 3)
case("breast_area", "breast-cancer", 3, False, "squared_error", 8, 2)
case("breast_smooth", "breast-cancer", 4, False, "squared_error", 8, 4, True)
print("static const struct tree_case {")
print("  const char *data;\n  size_t target;\n  int classify;\n  const char *criterion;\n  int max_depth, min_leaf, weights;\n  size_t d, m, n_alphas;")
print("  const int *columns, *feature, *left, *right;\n  const double *threshold, *impurity, *count, *value, *alphas;\n} tree_cases[] = {")
print("\n".join(cases))
print("};")
