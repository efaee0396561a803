/**
 * patterns: frequent itemsets and association rules on transactions.
 */
#ifndef DM_PATTERNS_H
#define DM_PATTERNS_H

#include <dm/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which sets are searched for; see lib/patterns/miner.h. The empty set is none of them. */
typedef enum dm_itemset_kind { DM_FREQUENT = 0, DM_CLOSED, DM_MAXIMAL, DM_GENERATORS } dm_itemset_kind;

/** Sets kept in memory: set i is items[start[i]] … items[start[i + 1] - 1], codes of the transactions, ascending. */
typedef struct dm_itemsets {
  size_t n;
  const size_t *start;   /* [n + 1] */
  const uint32_t *items;
  const uint64_t *support; /* [n] transactions that hold the set */
} dm_itemsets;

/** What a rule body -> head is counted from; every measure is a function of these four. */
typedef struct dm_rule_counts {
  uint64_t both, body, head, total; /* transactions with both, with the body, with the head; N */
} dm_rule_counts;

/** Measures, in the order in which tables and documents show them; names as arules and the literature have them. */
typedef enum dm_measure {
  DM_SUPPORT = 0, /* P(B, H): share of the transactions with body and head */
  DM_COVERAGE,    /* P(B): what Borgelt's programs call the support of a rule */
  DM_CONFIDENCE,  /* P(H | B) */
  DM_LIFT,        /* P(B, H) / (P(B) P(H)) */
  DM_LEVERAGE,    /* P(B, H) - P(B) P(H) */
  DM_CONVICTION,  /* P(B) P(not H) / P(B, not H); infinite when the rule never fails */
  DM_COSINE,      /* P(B, H) / sqrt(P(B) P(H)) */
  DM_JACCARD,     /* P(B, H) / (P(B) + P(H) - P(B, H)) */
  DM_KULCZYNSKI,  /* (P(H | B) + P(B | H)) / 2 */
  DM_IMBALANCE,   /* |P(B) - P(H)| / (P(B) + P(H) - P(B, H)) */
  DM_ZHANG,       /* Zhang's metric, -1 … 1 */
  DM_ADDED_VALUE, /* P(H | B) - P(H) */
  DM_CHI_SQUARE,  /* Pearson's, of the 2 x 2 table, without correction */
  DM_FISHER_P,    /* one-sided exact p: so many or more with both, were body and head independent */
  DM_Q_VALUE,     /* Benjamini-Hochberg over all rules that were tested */
  DM_N_MEASURES
} dm_measure;

/** Rules kept in memory; the head has one item unless more were asked for. */
typedef struct dm_rule {
  const uint32_t *body, *head; /* codes of the transactions, ascending */
  uint32_t n_body, n_head;
  dm_rule_counts counts;
  double q; /* DM_Q_VALUE; NaN unless computed */
} dm_rule;

#ifdef __cplusplus
}
#endif
#endif
