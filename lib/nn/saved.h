/* Reading models of nets, which may be forged: what all of them check alike. */
#ifndef DM_NN_SAVED_H
#define DM_NN_SAVED_H

#include <dm/model.h>

/** A count of the scalars. @param v NULL allowed. @return false: it is no whole number from 0 to max */
bool nn_saved_count(const dm_json *v, size_t max, size_t *out);
/**
 * A tensor of exactly n finite floats; nothing is read when n is 0. @param out written: borrowed from the reader.
 * @return DM_EINPUT with the learner's name: another size, or a number that is not finite; what the reader returns
 */
dm_status nn_saved_floats(dm_model_reader *r, const char *learner, const char *name, size_t n, const float **out, dm_error *err);

#endif
