/*
 * Batches read ahead: with two threads or more, one reads and types while the
 * caller writes the batch before. The batches are the same either way.
 */
#ifndef DM_DATA_TYPED_PIPE_H
#define DM_DATA_TYPED_PIPE_H

#include "data/typed.h"

typedef struct dm_typed_pipe dm_typed_pipe;

/** Until dm_typed_pipe_close, t belongs to the pipe. */
dm_status dm_typed_pipe_open(dm_typed *t, dm_typed_pipe **out, dm_error *err);
/** Next batch, in order; the one given before is taken back. After a batch with `end` or `misfit` there is none. */
dm_status dm_typed_pipe_next(dm_typed_pipe *pipe, const dm_rows **batch, dm_error *err);
void dm_typed_pipe_close(dm_typed_pipe *pipe); /* NULL allowed */

#endif
