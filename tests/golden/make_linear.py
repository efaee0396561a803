#!/usr/bin/python3
"""Writes linear.h: coefficients of scikit-learn's LogisticRegression, Ridge and LinearRegression on the project's datasets.

Columns are rounded to float, as the learners see them. Newton's method finds
the minimum to more than the 1e-4 that the test asks for; lbfgs, the default,
ends where the value falls by less than 2e-9 and its coefficients are off by
about 1e-4.

usage: /usr/bin/python3 tests/golden/make_linear.py > tests/golden/linear.h   (made with scikit-learn 1.2.1)
"""
import os

import numpy as np
import sklearn
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

here = os.path.dirname(os.path.abspath(__file__))


def read(name, target):
    with open(os.path.join(here, "..", "..", "datasets", name + ".csv")) as f:
        head = f.readline().strip().split(",")
        rows = [line.strip().split(",") for line in f]
    at = head.index(target)
    rows = [row for row in rows if "NA" not in row and "" not in row]
    x = np.array([[float(v) for i, v in enumerate(row) if i != at] for row in rows])
    return x, [row[at] for row in rows]


def array(name, values):
    print(f"static const double {name}[] = {{{', '.join(repr(float(v)) for v in np.ravel(values))}}};")


cases = []


def case(name, data, target, model, scale=False, weights=False, penalty=1.0):
    x, y = read(data, target)
    classify = isinstance(model, LogisticRegression)
    y = np.array(y if classify else [float(v) for v in y])
    if scale:
        x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    x = x.astype(np.float32).astype(float)
    w = np.array([1.0 + i % 3 for i in range(len(y))]) if weights else None
    model.fit(x, y, sample_weight=w)
    array(f"golden_{name}_coef", model.coef_)
    array(f"golden_{name}_intercept", model.intercept_)
    if classify:
        array(f"golden_{name}_proba", model.predict_proba(x[:5]))
    cases.append(f'    {{"{data}", "{target}", {str(classify).lower()}, {str(scale).lower()}, {str(weights).lower()}, {penalty!r}, '
                 f'golden_{name}_coef, golden_{name}_intercept, {f"golden_{name}_proba" if classify else "NULL"}, {np.size(model.coef_)}}},')


def logistic(solver="newton-cholesky", C=1.0):
    return LogisticRegression(C=C, solver=solver, tol=1e-10, max_iter=100000)


print(f"/* Made by make_linear.py with scikit-learn {sklearn.__version__}. */")
case("breast_none", "breast-cancer", "diagnosis", logistic())
case("breast_standard", "breast-cancer", "diagnosis", logistic(), scale=True)
case("breast_weak", "breast-cancer", "diagnosis", logistic(C=100.0), scale=True, penalty=100.0)
case("breast_weights", "breast-cancer", "diagnosis", logistic(C=0.1), scale=True, weights=True, penalty=0.1)
case("iris", "iris", "species", logistic("newton-cg"))
case("wine", "wine", "class", logistic("newton-cg"))
case("ridge", "airquality", "Ozone", Ridge(alpha=1.0, solver="svd"))
case("ridge_strong", "airquality", "Ozone", Ridge(alpha=1000.0, solver="svd"), scale=True, penalty=1000.0)
case("least_squares", "airquality", "Ozone", LinearRegression(), penalty=0.0)
case("least_squares_weights", "airquality", "Ozone", LinearRegression(), weights=True, penalty=0.0)
print("static const struct linear_case {\n  const char *data, *target;\n  bool classify, scale, weights;\n  double penalty;\n"
      "  const double *coef, *intercept, *proba;\n  size_t n_coef;\n} golden_cases[] = {")
print("\n".join(cases))
print("};")
