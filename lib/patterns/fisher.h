/* Fisher's exact test of a 2 x 2 table, and q-values of many tests. */
#ifndef DM_PATTERNS_FISHER_H
#define DM_PATTERNS_FISHER_H

#include <dm/patterns.h>

/**
 * P(X >= both), X the number of transactions with body and head when their totals stand and body and head are independent:
 *   P(X = x) = C(head, x) C(N - head, body - x) / C(N, body)
 * @param c both <= body, head <= total <= 2^53. @return 0 … 1; 0 only where the truth is below 1e-308.
 * Relative error about 1e-12 times log10(1 / p). Cost: O(standard deviation of X), no table, no memory.
 */
double dm_fisher_greater(const dm_rule_counts *c);

/**
 * Benjamini-Hochberg: q[i] is the smallest share of false discoveries at which test i is one.
 *   q of the r-th smallest p = min over j >= r of tests p_j / j, at most 1
 * @param p [n], each 0 … 1. @param tests >= n: how many were made in all; those that are not in p count as p = 1.
 * @param q [n], may be p. @return DM_EBUDGET; q untouched then.
 * Source: Benjamini & Hochberg, Journal of the Royal Statistical Society B 57, 1995.
 */
dm_status dm_q_values(dm_ctx *ctx, const double *p, size_t n, double tests, double *q, dm_error *err);

#endif
