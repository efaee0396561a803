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

DM_API const char *dm_itemset_kind_name(dm_itemset_kind kind); /* "frequent" … "generators" */
DM_API bool dm_itemset_kind_parse(const char *name, dm_itemset_kind *out); /* false and *out untouched for another text */

typedef struct dm_mine_options {
  dm_itemset_kind kind;
  const char *algorithm;     /* "apriori", "eclat", …; NULL or "auto": the one that is fast for the kind */
  uint64_t min_support;      /* transactions, >= 1 */
  size_t min_size, max_size; /* others are left out (a closed set that is longer has no shorter one in its place); 0 = 1 and no limit */
  uint64_t limit;            /* more sets than this are an error; 0 = none */
} dm_mine_options;

/** How many sets there are. @param stop_at 0, or a number of sets at which counting may end: *n is at most that. @return DM_EINPUT: more than 64 bits hold. */
DM_API dm_status dm_itemsets_count(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, uint64_t stop_at, uint64_t *n, dm_error *err);
/** The smallest support above o->min_support with at most so many sets; N + 1 when there is none. Each step counts `most` sets at most. */
DM_API dm_status dm_itemsets_support_for(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, uint64_t most, uint64_t *support,
                                         dm_error *err);
/** Before sets are written where they would not fit: counts. @return DM_EBUDGET: more than o->limit; says how many and a support that fits. */
DM_API dm_status dm_itemsets_check_limit(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, uint64_t *n, dm_error *err);
/** All sets in memory. @return DM_EBUDGET also beyond o->limit. */
DM_API dm_status dm_itemsets_mine(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_arena *arena, dm_itemsets *out,
                                  dm_error *err);
/** @param items [n] codes of the transactions, in any order */
typedef dm_status dm_itemset_visitor(void *user, const uint32_t *items, size_t n, uint64_t support, dm_error *err);
/** Calls visitor for each set as it is found, one after the other; memory stays the same however many there are. */
DM_API dm_status dm_itemsets_visit(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_itemset_visitor *visitor, void *user,
                                   uint64_t *n, dm_error *err);
typedef enum dm_itemsets_format { DM_ITEMSETS_TEXT = 0, DM_ITEMSETS_CSV, DM_ITEMSETS_TSV, DM_ITEMSETS_JSONL } dm_itemsets_format;
/**
 * Writes them as they are found; memory stays the same however many there are.
 *   text "a b (12)" · CSV and TSV: items as a JSON array in one cell, support · JSONL {"items":["a","b"],"support":12}
 */
DM_API dm_status dm_itemsets_write(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_itemsets_format format, dm_outfile *f,
                                   uint64_t *n, dm_error *err);
/** What the algorithm of the options is called: never "auto". */
DM_API const char *dm_itemsets_algorithm(const dm_mine_options *o);

/** What a rule body -> head is counted from; every measure is a function of these four. */
typedef struct dm_rule_counts {
  uint64_t both, body, head, total; /* transactions with both, with the body, with the head; N */
} dm_rule_counts;

/** Measures, in the order in which tables and documents show them; names as arules and the literature have them. */
typedef enum dm_measure {
  DM_SUPPORT = 0, /* P(B, H): share of the transactions with body and head; its name is "share", for "support" is the number of them */
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
  DM_Q_VALUE,     /* Benjamini-Hochberg over all rules that were tested, see dm_rules_make */
  DM_N_MEASURES
} dm_measure;

/**
 * A measure from counts: both <= body, head <= total <= 2^53, body + head - both <= total. Where a count of 0 or of N leaves it
 * without a value it is that of independence (lift 1, zhang 0, chi-square 0, p 1); conviction is infinite when a rule never
 * fails, but 1 when every transaction has the head. Never NaN, but for DM_Q_VALUE, which hangs on other rules: see dm_rule.
 */
DM_API double dm_measure_value(const dm_rule_counts *c, dm_measure m);
DM_API const char *dm_measure_name(dm_measure m); /* as the columns are called; NULL for none */
/** Whether small values are the good ones: imbalance, p and q. */
DM_API bool dm_measure_is_falling(dm_measure m);
/** Name with '_' or '-'; "support" is the share. DM_EUSAGE with "did you mean". */
DM_API dm_status dm_measure_parse(const char *name, dm_measure *out, dm_error *err);

/** Rules kept in memory; the head has one item unless more were asked for. */
typedef struct dm_rule {
  const uint32_t *body, *head; /* codes of the transactions, ascending */
  uint32_t n_body, n_head;
  dm_rule_counts counts;
  double q; /* DM_Q_VALUE; NaN unless computed */
} dm_rule;

/* what dm_rule_options.appear allows an item */
enum { DM_APPEAR_BODY = 1, DM_APPEAR_HEAD = 2 };

/** All zero is: every rule with one item in the head. */
typedef struct dm_rule_options {
  double min_confidence;  /* 0 … 1; both / body, rounded once, is compared: 4 of 5 reach 0.8 */
  size_t max_head;        /* items in a head; 0 = 1. SIZE_MAX: any */
  const uint8_t *appear;  /* [codes] where an item may stand; NULL: anywhere */
  dm_measure measure;     /* what `top` and min_measure look at */
  bool has_min_measure;
  double min_measure;     /* at least, of falling measures at most */
  size_t top;             /* only so many, the best by `measure`; 0 = all */
  double max_q;           /* only rules with q <= it (1 = all, with their q); 0 = q is not computed unless `measure` is q */
  bool drop_redundant;    /* not those with a shorter body, the same head and at least the same confidence */
  double min_improvement; /* > 0: confidence at least so much above that of every shorter body, the empty one too (Bayardo 1999) */
} dm_rule_options;

/**
 * Rules from frequent sets, by confidence, support (both falling), number of items, body and head; with `top` by the measure first.
 * q is that of Fisher's p. Tests are all rules whose body and head are frequent (dm_rules_tests), although most of them never
 * come to be: their sets are rare. Those, and what other options leave out, count as p = 1, for leaving out what looks bad and then
 * counting the rest only would make chance look significant.
 * @param sets all frequent sets, with all their subsets, as a search for DM_FREQUENT without a smallest size gives them; must outlive the rules.
 * @param total N. @param rules [n], in the arena; bodies and heads are borrowed from sets.
 * @return DM_EUSAGE: a subset is not there, an option out of range; DM_EBUDGET; DM_ECANCEL.
 * Cost: O(items of all sets) look-ups; with longer heads O(rules). Threads over the sets, the same rules for any number.
 * Source: Agrawal & Srikant, VLDB 1994, section 3.1 (ap-genrules); q: Webb, Machine Learning 68, 2007, on what is to be counted as a test.
 */
DM_API dm_status dm_rules_make(dm_ctx *ctx, const dm_itemsets *sets, uint64_t total, const dm_rule_options *options, dm_arena *arena,
                               dm_rule **rules, size_t *n, dm_error *err);
/** Rules that q counts as tests: pairs of a frequent body and a frequent head (of heads with several items also those that share one). */
DM_API double dm_rules_tests(const dm_itemsets *sets, const dm_rule_options *options);

/* ---- sets that compress ------------------------------------------------------------------ */

/**
 * Sets that together describe the transactions in the fewest bits: each transaction is written as the sets that cover it, and often
 * used sets have short codes. What is in `sets` is used; sets of two and more items come first, by falling usage, then single items.
 */
typedef struct dm_code_table {
  dm_itemsets sets;
  size_t n_patterns;      /* of them, how many have two items or more */
  const uint64_t *usage;  /* [sets.n] transactions that it covers a part of */
  const double *bits;     /* [sets.n] length of its code, -log2(usage / sum of usages) */
  double data_bits;       /* L(D | CT): all transactions, by the codes */
  double table_bits;      /* L(CT | D): the sets, by codes of their single items, and the codes */
  double total_bits;      /* L(D, CT), the two together: what is made small */
  double standard_bits;   /* L(D, ST): the same with single items only; total_bits / standard_bits is the compression */
  size_t tried, pruned;   /* sets that were tried; sets that were taken in and, later, out */
} dm_code_table;

/**
 * KRIMP: candidates are tried one by one, the most frequent first (then the longest), and stay when the whole becomes shorter; each that
 * stays makes others superfluous, which go (post-acceptance pruning).
 * @param candidates closed or all frequent sets, in any order; single items among them are passed over. Borrowed.
 * @param arena holds the result.
 * @return DM_EUSAGE: an item that the transactions do not have; DM_EBUDGET; DM_ECANCEL.
 * Cost: for each candidate O(its transactions * (their items + sets of the table)). Memory: about three times the transactions.
 * Source: Vreeken, van Leeuwen & Siebes, Data Mining and Knowledge Discovery 23, 2011, algorithms 1-3.
 */
DM_API dm_status dm_code_table_krimp(dm_ctx *ctx, const dm_transactions *t, const dm_itemsets *candidates, dm_arena *arena, dm_code_table *out,
                                     dm_error *err);
/**
 * SLIM: no candidates are needed; always the union of those two sets of the table is tried next that promises to save the most bits.
 * @param min_support of the sets, >= 1
 * Cost: for each set taken in O(pairs of sets that stand together in a cover). Memory: 24 to 48 bytes for each such pair besides.
 * Source: Smets & Vreeken, SIAM International Conference on Data Mining, 2012.
 */
DM_API dm_status dm_code_table_slim(dm_ctx *ctx, const dm_transactions *t, uint64_t min_support, dm_arena *arena, dm_code_table *out,
                                    dm_error *err);

/* ---- rules as a model ------------------------------------------------------------ */

/**
 * Rules with the names of their items: what is kept in the database, drawn, and recommended from. All in one arena. Its items are
 * those that are frequent, the most frequent first; that order is their codes.
 */
typedef struct dm_rule_model {
  uint64_t total;          /* N */
  size_t n_items;
  const dm_str *names;     /* [n_items], each another */
  const uint64_t *support; /* [n_items] of the items alone, falling */
  size_t n;
  const dm_rule *rules;    /* [n] as they were made; bodies and heads are codes of names */
  bool tested;             /* rules have q */
  double tests;            /* what q counted */
  char delimiter[8];       /* how a basket's text is cut into items: at this character, or, when it is empty, at blanks and tabs */
  const uint32_t *by_name; /* [n_items] codes in the order of their names */
  const uint32_t *start, *rule; /* rules whose body has code i as its rarest: rule[start[i]] … rule[start[i + 1] - 1] */
} dm_rule_model;

/** What a model is made of; codes are those of the transactions. */
typedef struct dm_rule_model_parts {
  const dm_str *names;     /* [codes] */
  uint64_t total;
  const dm_itemsets *sets; /* frequent sets: those of one item are the items of the model. NULL: none, and no rules */
  const dm_rule *rules;    /* [n] */
  size_t n;
  double tests;            /* of dm_rules_tests; 0 when q was not computed */
  const char *delimiter;   /* one character; NULL or "": items stand between blanks and tabs */
} dm_rule_model_parts;

/** @param out in the arena; names are copied. @return DM_EUSAGE: a rule has an item that is not among the sets; DM_EBUDGET. */
DM_API dm_status dm_rule_model_make(const dm_rule_model_parts *parts, dm_arena *arena, dm_rule_model **out, dm_error *err);
/**
 * Writes model and rows of dm_rule, rule i as id i + 1, into the open transaction. Rows of dm_itemset are the caller's.
 * @param meta name, params_json and what is known of the source; as of dm_registry_save.
 */
DM_API dm_status dm_rule_model_save(dm_store *store, const dm_rule_model *m, dm_model_meta *meta, const dm_model_metric *metrics,
                                    size_t n_metrics, dm_arena *arena, dm_error *err);
/**
 * Loads 'name' or 'name@3' from its tensors (rows of dm_rule are for people; nothing is read from them): hash verified, everything
 * bounded. @param meta NULL allowed.
 * @return DM_EUSAGE: no such model, or one of another method; DM_EINPUT: changed, or what it says cannot be.
 */
DM_API dm_status dm_rule_model_load(dm_store *store, const char *reference, dm_arena *arena, dm_rule_model **out, dm_model_meta *meta,
                                    dm_error *err);
/** Code of an item, or SIZE_MAX. */
DM_API size_t dm_rule_model_find(const dm_rule_model *m, dm_str name);

/** Text to items: a JSON array of texts and numbers when it begins with '[', else cut at m->delimiter. @param items [n], in the arena. DM_EINPUT: no such array. */
DM_API dm_status dm_rule_model_basket(const dm_rule_model *m, const char *p, size_t n, dm_arena *arena, dm_str **items, size_t *n_items,
                                      dm_error *err);

/** An item, and the rule that speaks for it best. */
typedef struct dm_recommendation {
  size_t item, rule;
  double confidence, lift;
} dm_recommendation;
/**
 * Items not in the basket that a rule whose body is in the basket has in its head, each with the best of its rules: by confidence,
 * lift and support, then the first of them; in the same order. Items that the model does not know are passed over.
 * @param top at most so many, 0 = all. @param out [n], in the arena.
 * Cost: O(rules whose rarest item is in the basket), 4 bytes an item of the model. Thread-safe for different arenas.
 */
DM_API dm_status dm_rule_model_recommend(const dm_rule_model *m, const dm_str *basket, size_t n_basket, size_t top, dm_arena *arena,
                                         dm_recommendation **out, size_t *n, dm_error *err);

/** Names of items as a JSON array. */
DM_API void dm_rule_model_items(const dm_rule_model *m, const uint32_t *codes, size_t n, dm_json_out *out);
/** The first rules as lines for a terminal, after a heading: {bread, milk} => {butter}, support, confidence, lift, and q when they have it. */
DM_API void dm_rule_model_text(const dm_rule_model *m, size_t first, dm_buf *out);
/* ---- sets that tell two groups apart ------------------------------------------------------ */

/** A set that is more frequent in one group of transactions than in the other. */
typedef struct dm_emerging {
  const uint32_t *items; /* [n] codes of the transactions, ascending; borrowed from the sets */
  uint32_t n;
  unsigned group;        /* 0 or 1: where its share is larger */
  uint64_t support[2];   /* in group 0 and 1 */
  double growth;         /* share there / share in the other group; infinite (a jumping one) when the other has none */
  double p, q;           /* Fisher's one-sided exact p of the larger share; Benjamini-Hochberg, two tests a set */
} dm_emerging;

typedef struct dm_emerging_options {
  double min_growth;     /* >= 1 */
  bool jumping;          /* only those that the other group does not have at all */
  bool all;              /* also sets with a proper subset that grows at least as much in the same group: minimal ones only otherwise */
  uint64_t min_support;  /* in the group where it is more frequent; 0 = 1 */
  double max_q;          /* 0 = no limit */
  size_t top;            /* 0 = all of them, in the order: growth falling, p, fewer items, items */
} dm_emerging_options;

/**
 * Emerging patterns among frequent sets. With the groups' totals n0 and n1,
 *   growth = (support1 / n1) / (support0 / n0), or the other way round
 * @param group [rows of t] 0 or 1 for each transaction that is not empty. @param total [2] transactions of the groups, empty ones too;
 *   NULL: those that are not.
 * @param sets all frequent sets of t, with all their subsets. @param out [n], in the arena.
 * @return DM_EUSAGE: an option out of range, a group that is empty, sets that are not of t or lack a subset; DM_EBUDGET; DM_ECANCEL.
 * Cost: one walk over the sets as a tree of prefixes, for each a pass over the prefix's rows. Memory: 8 bytes an item of t, 40 bytes a set.
 * Source: Dong & Li, Efficient mining of emerging patterns, KDD 1999.
 */
DM_API dm_status dm_emerging_find(dm_ctx *ctx, const dm_transactions *t, const uint8_t *group, const uint64_t *total, const dm_itemsets *sets,
                                  const dm_emerging_options *options, dm_arena *arena, dm_emerging **out, size_t *n, dm_error *err);

/* ---- classes by rules ----------------------------------------------------------------------- */

/**
 * CBA: association rules whose head is a class, by confidence, support (both
 * falling), fewer conditions, columns; of these the ones that classify some
 * training row right that none before has, up to where the fewest errors are
 * made, and a default. The first rule whose conditions all hold decides.
 *
 * A condition is a level of a category or an interval of a number; a missing or
 * unseen value fulfils none. Numbers are cut by the classes (Fayyad & Irani), in
 * quarters where these give no cut. Probabilities are those of the rows of the
 * training that have the body of the rule, whichever rule decided them then:
 *   p_c = (rows of class c + 1) / (rows + k)
 * For the default they are the rows that no rule has.
 *
 * Stored tensors (r rules, m conditions, k classes):
 *   cut_start i32[d + 1]  cut f64[…] (ascending in a column: bin b has cut[b - 1] < x <= cut[b])
 *   start i32[r + 1]  feature i32[m] (ascending in a rule)  code i32[m] (bin or level)  count f64[r + 1, k] (last the default)
 *
 * trace gives [{"feature","test","value"}… for the conditions, {"rule","default":bool,"class","rows","confidence"}].
 * Source: Liu, Hsu & Ma, Integrating classification and association rule mining, KDD 1998.
 */
extern DM_API const dm_learner dm_learner_cba;

#ifdef __cplusplus
}
#endif
#endif
