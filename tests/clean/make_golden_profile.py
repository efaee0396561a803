"""Numbers of tests/clean/test_profile.c: figures of a formula's values by NumPy. Run: python3 make_golden_profile.py"""
import numpy as np

i = np.arange(1, 1001)
x = ((i * 7919) % 1000) / 8.0 - 20.0
x = x[i % 7 != 0]
k = ((i * i) % 97 - 40)[i % 11 != 0]
for name, v in (("x", x), ("k", k)):
    print(name, len(v), len(np.unique(v)), repr(v.min()), repr(v.max()), repr(v.mean()), repr(v.std(ddof=1)), (v == 0).sum(), (v < 0).sum())
    print([float(q) for q in np.quantile(v, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])])
values, counts = np.unique(k, return_counts=True)
order = np.lexsort((values, -counts))[:10]
print([(int(values[j]), int(counts[j])) for j in order])
print(np.histogram(x, bins=np.arange(-20, 120, 10))[0].tolist())
print(np.histogram(k, bins=np.arange(-40, 65, 5))[0].tolist())
