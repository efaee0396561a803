#!/usr/bin/env python3
"""Writes encoder.h: what scikit-learn makes of one small table.

Run with a python3 that has scikit-learn (Debian: python3-sklearn, 1.2.1):
    python3 make_encoder.py > encoder.h
"""
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (FunctionTransformer, KBinsDiscretizer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, QuantileTransformer,
                                   RobustScaler, StandardScaler)

ROWS, TRAIN = 60, 45
rng = np.random.default_rng(7)
numbers = np.column_stack([
    rng.normal(20, 5, ROWS).round(2),
    1e9 + rng.normal(0, 1e-3, ROWS),               # a large offset takes digits away
    np.full(ROWS, 0.1),                            # constant
    rng.integers(0, 6, ROWS).astype(float),        # ties
    np.exp(rng.normal(0, 30, ROWS)),               # many magnitudes
])
for column in (0, 3, 4):
    numbers[rng.choice(ROWS, 9, replace=False), column] = np.nan
levels = np.array(['a', 'b', 'c', 'd', 'e'])
codes = rng.choice(4, ROWS, p=[.4, .3, .2, .1])
codes[TRAIN:TRAIN + 3] = 4                         # 'e' is not among the training rows
missing = np.zeros(ROWS, bool)
missing[rng.choice(ROWS, 8, replace=False)] = True
text = levels[codes].astype(object)
text[missing] = np.nan
text = text.reshape(-1, 1)


def table(name, values):
    values = np.asarray(values, float)
    print(f'static const double {name}[{values.shape[0]}][{values.shape[1]}] = {{')
    for row in values:
        print('    {' + ', '.join('(double)NAN' if np.isnan(v) else repr(float(v)) for v in row) + '},')
    print('};')


def numeric(name, pipeline, columns=slice(None)):
    table(name, pipeline.fit(numbers[:TRAIN, columns]).transform(numbers[:, columns]))


def moments(column):
    """Mean and standard deviation, rounded once from exact arithmetic."""
    getcontext().prec = 60
    x = [Fraction(float(v)) for v in column if not np.isnan(v)]
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    return float(mean), float((Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt())


def category(name, pipeline):
    encoded = pipeline.fit(text[:TRAIN]).transform(text)
    table(name, encoded.toarray() if hasattr(encoded, 'toarray') else encoded)


print(f'/* Written by make_encoder.py with scikit-learn {sklearn.__version__}, numpy {np.__version__}. */')
print('#ifndef DM_TESTS_GOLDEN_ENCODER_H\n#define DM_TESTS_GOLDEN_ENCODER_H\n\n#include <math.h>\n')
print(f'enum {{ GOLDEN_ROWS = {ROWS}, GOLDEN_TRAIN = {TRAIN}, GOLDEN_NUMBERS = {numbers.shape[1]} }};')
table('golden_numbers', numbers)
print('static const char *const golden_text[] = {' + ', '.join('0' if m else f'"{levels[c]}"' for c, m in zip(codes, missing)) + '};')
numeric('golden_mean_standard', make_pipeline(SimpleImputer(strategy='mean'), StandardScaler()))
numeric('golden_median_minmax', make_pipeline(SimpleImputer(strategy='median'), MinMaxScaler()))
numeric('golden_mode', SimpleImputer(strategy='most_frequent'))
numeric('golden_constant_standard', make_pipeline(SimpleImputer(strategy='constant', fill_value=-1.5), StandardScaler()))
numeric('golden_standard', StandardScaler())
numeric('golden_median_bins', make_pipeline(SimpleImputer(strategy='median'),
                                            KBinsDiscretizer(5, encode='ordinal', strategy='quantile', subsample=None)),
        slice(0, 4))  # the last column's bins are narrower than the 1e-8 that scikit-learn still takes for bins
clip = FunctionTransformer(lambda x: x / np.sqrt(1 + (x / 3) ** 2))
numeric('golden_median_robust', make_pipeline(SimpleImputer(strategy='median'), RobustScaler(), clip))
normal = QuantileTransformer(n_quantiles=TRAIN, output_distribution='normal')
numeric('golden_median_quantile', make_pipeline(SimpleImputer(strategy='median'), normal))
table('golden_exact_moments', [moments(column) for column in numbers[:TRAIN].T])
category('golden_one_hot', make_pipeline(SimpleImputer(strategy='most_frequent', missing_values=np.nan), OneHotEncoder(handle_unknown='ignore')))
category('golden_one_hot_missing', make_pipeline(SimpleImputer(strategy='constant', fill_value='~', missing_values=np.nan),
                                                 OneHotEncoder(handle_unknown='ignore')))
category('golden_ordinal', make_pipeline(SimpleImputer(strategy='most_frequent', missing_values=np.nan),
                                         OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1)))
print('\n#endif')
