#!/usr/bin/env python3
"""Writes pca.h: principal components by scikit-learn of a few small matrices.

Run with a python3 that has scikit-learn (Debian: python3-sklearn, 1.2.1):
    python3 make_pca.py > pca.h
"""
import numpy as np
import sklearn
from sklearn.decomposition import PCA

rng = np.random.default_rng(11)


def matrix(n, d):
    """Correlated columns of different scales; variances well apart, so that directions are sharp."""
    latent = rng.normal(size=(n, min(n, d))) * np.geomspace(8, 0.5, min(n, d))
    mix = np.linalg.qr(rng.normal(size=(d, d)))[0][:min(n, d)]
    return (latent @ mix + rng.normal(3, 20, d)).round(6)


def fix_sign(v):
    """The first entry as large as the largest, but for 1e-6, is positive."""
    first = np.argmax(np.abs(v) >= (1 - 1e-6) * np.abs(v).max())
    return v if v[first] > 0 else -v


def numbers(values):
    return ', '.join(repr(float(v)) for v in np.ravel(values))


tall = matrix(40, 5)
constant = tall.copy()
constant[:, 1] = 0.1
constant[:, 4] = -7e9
offset = tall + 1e8
cases = [('tall', tall, 3), ('wide', matrix(6, 9), 4), ('square', matrix(5, 5), 4),
         ('constant columns', constant, 3), ('large offset', offset, 2), ('one column', matrix(12, 1), 1)]
print(f'/* Made by make_pca.py with scikit-learn {sklearn.__version__}. */')
print('#ifndef TESTS_GOLDEN_PCA_H\n#define TESTS_GOLDEN_PCA_H\n')
for i, (name, x, k) in enumerate(cases):
    p = PCA(k, svd_solver='full').fit(x)
    v = np.array([fix_sign(row) for row in p.components_])
    for what, values in (('x', x), ('mean', p.mean_), ('components', v), ('variance', p.explained_variance_),
                         ('share', p.explained_variance_ratio_), ('projected', (x - p.mean_) @ v.T)):
        print(f'static const double pca_{what}_{i}[] = {{{numbers(values)}}};')
print('\nstatic const struct {\n  const char *name;\n  size_t n, d, k;')
print('  const double *x, *mean, *components, *variance, *share, *projected;\n} pca_cases[] = {')
for i, (name, x, k) in enumerate(cases):
    print(f'    {{"{name}", {x.shape[0]}, {x.shape[1]}, {k}, pca_x_{i}, pca_mean_{i}, pca_components_{i}, pca_variance_{i},'
          f' pca_share_{i}, pca_projected_{i}}},')
print('};\n\n#endif')
