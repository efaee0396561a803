/* From scores to probabilities and the class that is predicted, in one order of operations. */
#ifndef DM_MODEL_PROBA_H
#define DM_MODEL_PROBA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Probabilities of the two classes from the score of the second. */
void dm_proba_of_score(double z, double p[2]);
/** Scores to probabilities, in place: exp(z - max) / sum. */
void dm_proba_of_scores(double *z, size_t k);
/** From the places of fitted classes (codes ascending) to their codes, in place; other classes get 0. @param p [k], the first `fitted` are set */
void dm_proba_spread(const uint32_t *classes, size_t fitted, double *p, size_t k);
/** The first class with the largest probability. */
size_t dm_proba_best(const double *p, size_t k);

#endif
