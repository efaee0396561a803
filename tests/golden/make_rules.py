#!/usr/bin/env python3
"""Writes rules.h: measures of rules from their four counts.

Fisher's p is summed with 50 digits and held against scipy's fisher_exact;
chi-square is scipy's chi2_contingency; the other measures are exact fractions,
rounded once; q-values are Benjamini and Hochberg's definition, written out.
Run with a python3 that has scipy (Debian: python3-scipy, python3-mpmath):
    python3 make_rules.py > rules.h
"""
import random
from fractions import Fraction as F
from math import inf, isinf, sqrt

import mpmath as mp
import scipy
from scipy.stats import chi2_contingency, fisher_exact


mp.mp.dps = 50


def fisher_p(both, body, head, total):
    def log_ways(n, k):
        return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
    term = mp.exp(log_ways(head, both) + log_ways(total - head, body - both) - log_ways(total, body))
    p = mp.mpf(0)
    for x in range(both, min(body, head) + 1):
        p += term
        term *= mp.mpf((body - x) * (head - x)) / ((x + 1) * (total - body - head + x + 1))
    return float(p) if p > 1e-300 else 0.0


def measures(both, body, head, total):
    pb, ph, p = F(body, total), F(head, total), F(both, total)
    lift = p / (pb * ph)
    conviction = 1 if head == total else inf if both == body else pb * (1 - ph) / (pb - p)
    low = max(p * (1 - pb), pb * (ph - p))
    zhang = (p - pb * ph) / low if low else 0
    table = [[both, body - both], [head - both, total - body - head + both]]
    chi2 = chi2_contingency(table, correction=False)[0] if 0 < body < total and 0 < head < total else 0
    fisher = fisher_p(both, body, head, total)
    peer = fisher_exact(table, alternative='greater')[1]
    # scipy has no answer for billions of transactions
    assert total > 2**31 or abs(peer - fisher) <= 1e-6 * fisher + 1e-290, (table, peer, fisher)
    return [p, pb, F(both, body), lift, p - pb * ph, conviction, both / sqrt(body * head), F(both, body + head - both),
            (F(both, body) + F(both, head)) / 2, F(abs(body - head), body + head - both), zhang, F(both, body) - ph, chi2, fisher]


def number(v):
    return 'INFINITY' if isinf(v) else repr(float(v))


rng = random.Random(5)
cases = [(12, 20, 30, 100), (6, 20, 30, 100), (0, 20, 30, 100), (20, 20, 20, 100), (20, 20, 30, 100), (30, 30, 100, 100),
         (30, 100, 30, 100), (100, 100, 100, 100), (1, 1, 1, 1), (60, 80, 70, 100), (50, 80, 70, 100), (1, 1, 500000, 1000000),
         (9, 10, 1000, 88162), (9, 9, 9, 88162), (4000, 5000, 4100, 8124), (300, 10000, 30000, 1000000), (350, 10000, 30000, 1000000),
         (250, 10000, 30000, 1000000), (50200, 100000, 500000, 1000000), (2, 2, 3, 9007199254740992 // 2**20)]
for _ in range(60):
    total = rng.choice([10, 50, 500, 8124, 100000])
    body, head = rng.randint(1, total), rng.randint(1, total)
    cases.append((rng.randint(max(0, body + head - total), min(body, head)), body, head, total))

print(f'/* Made by make_rules.py with scipy {scipy.__version__}. */')
print('#ifndef TESTS_GOLDEN_RULES_H\n#define TESTS_GOLDEN_RULES_H\n')
print('/* Values in the order of dm_measure. */')
print('static const struct {\n  dm_rule_counts counts;\n  double values[DM_Q_VALUE];\n} rule_cases[] = {')
for c in cases:
    print(f'    {{{{{", ".join(map(str, c))}}}, {{{", ".join(number(v) for v in measures(*c))}}}}},')
print('};\n')

p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04, 1.0, 0.0, 0.2, 0.9]
for tests in (10, 25):
    order = sorted(range(len(p)), key=lambda i: p[i])
    q, least = [0.0] * len(p), 1.0
    for rank in range(len(p), 0, -1):
        least = min(least, p[order[rank - 1]] * tests / rank)
        q[order[rank - 1]] = least
    print(f'static const double rule_q_{tests}[] = {{{", ".join(map(repr, q))}}};')
print(f'static const double rule_p[] = {{{", ".join(map(repr, p))}}};\n\n#endif')
