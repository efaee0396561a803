/*
 * Measures of a rule, functions of four counts.
 *
 * What is compared is a difference of products of counts, both N - body head:
 * it is taken in 128 bits, so that independence gives exactly 0 (or 1) and
 * nothing is lost where N is large. Where a count of 0 or of N leaves a
 * measure without a value, it has the one of independence, for such a rule
 * says nothing; only the conviction of a rule that never fails is infinite.
 *
 * Sources: Agrawal, Imielinski & Swami 1993 (support, confidence); Brin, Motwani, Ullman & Tsur 1997 (lift as interest,
 * conviction, chi-square); Piatetsky-Shapiro 1991 (leverage); Tan, Kumar & Srivastava 2002 (cosine, Jaccard, added value);
 * Wu, Chen & Han 2010 (Kulczynski, imbalance); Zhang 2000.
 */
#include "patterns/fisher.h"

#include <dm/text.h>

#include <math.h>
#include <string.h>

typedef struct measure {
  const char *name;
  bool falling; /* the smaller, the better */
} measure;

static const measure measures[DM_N_MEASURES] = {
    [DM_SUPPORT] = {"share", false},         [DM_COVERAGE] = {"coverage", false},     [DM_CONFIDENCE] = {"confidence", false},
    [DM_LIFT] = {"lift", false},             [DM_LEVERAGE] = {"leverage", false},     [DM_CONVICTION] = {"conviction", false},
    [DM_COSINE] = {"cosine", false},         [DM_JACCARD] = {"jaccard", false},       [DM_KULCZYNSKI] = {"kulczynski", false},
    [DM_IMBALANCE] = {"imbalance", true},    [DM_ZHANG] = {"zhang", false},           [DM_ADDED_VALUE] = {"added_value", false},
    [DM_CHI_SQUARE] = {"chi_square", false}, [DM_FISHER_P] = {"fisher_p", true},      [DM_Q_VALUE] = {"q_value", true},
};

/* both N - body head, exactly, then rounded once. */
static double excess(const dm_rule_counts *c) {
  return (double)((__int128)c->both * (__int128)c->total - (__int128)c->body * (__int128)c->head);
}

static double ratio(double a, double b, double otherwise) { return b > 0 ? a / b : otherwise; }

static double conviction(double both, double body, double head, double total) {
  if (body <= 0 || head >= total) return 1;
  return both >= body ? (double)INFINITY : body * (total - head) / (total * (body - both));
}

/* (P(H | B) - P(H | not B)) / the larger of the two */
static double zhang(const dm_rule_counts *c, double both, double body, double head, double total) {
  double with = both * (total - body), without = body * (head - both);
  return ratio(excess(c), with > without ? with : without, 0);
}

static double chi_square(const dm_rule_counts *c, double body, double head, double total) {
  double margins = ratio(excess(c), body * (total - body), 0);
  return margins * ratio(excess(c), head * (total - head), 0) * total;
}

double dm_measure_value(const dm_rule_counts *c, dm_measure m) {
  double both = (double)c->both, body = (double)c->body, head = (double)c->head, total = (double)c->total;
  switch (m) {
  case DM_SUPPORT: return ratio(both, total, 0);
  case DM_COVERAGE: return ratio(body, total, 0);
  case DM_CONFIDENCE: return ratio(both, body, 0);
  case DM_LIFT: return ratio(both * total, body * head, 1);
  case DM_LEVERAGE: return ratio(excess(c), total * total, 0);
  case DM_CONVICTION: return conviction(both, body, head, total);
  case DM_COSINE: return ratio(both, sqrt(body * head), 0);
  case DM_JACCARD: return ratio(both, body + head - both, 0);
  case DM_KULCZYNSKI: return (ratio(both, body, 0) + ratio(both, head, 0)) / 2;
  case DM_IMBALANCE: return ratio(fabs(body - head), body + head - both, 0);
  case DM_ZHANG: return zhang(c, both, body, head, total);
  case DM_ADDED_VALUE: return ratio(excess(c), body * total, 0);
  case DM_CHI_SQUARE: return chi_square(c, body, head, total);
  case DM_FISHER_P: return dm_fisher_greater(c);
  case DM_Q_VALUE:
  case DM_N_MEASURES: break;
  }
  return (double)NAN;
}

const char *dm_measure_name(dm_measure m) { return (unsigned)m < DM_N_MEASURES ? measures[m].name : NULL; }
bool dm_measure_is_falling(dm_measure m) { return (unsigned)m < DM_N_MEASURES && measures[m].falling; }

dm_status dm_measure_parse(const char *name, dm_measure *out, dm_error *err) {
  const char *names[DM_N_MEASURES];
  for (size_t i = 0; i < DM_N_MEASURES; i++) {
    size_t k = 0;
    names[i] = measures[i].name;
    while (names[i][k] && (names[i][k] == name[k] || (names[i][k] == '_' && name[k] == '-'))) k++;
    if (names[i][k] || name[k]) continue;
    *out = (dm_measure)i;
    return DM_OK;
  }
  if (strcmp(name, "support") == 0) {
    *out = DM_SUPPORT;
    return DM_OK;
  }
  const char *near = dm_text_nearest(name, names, DM_N_MEASURES);
  (void)dm_fail(err, DM_EUSAGE, "rules: unknown measure '%.64s'", name);
  if (near)
    dm_error_hint(err, "did you mean '%s'?", near);
  else
    dm_error_hint(err, "share (or support), coverage, confidence, lift, leverage, conviction, cosine, jaccard, kulczynski, imbalance, zhang, "
                       "added_value, chi_square, fisher_p, q_value");
  return DM_EUSAGE;
}
