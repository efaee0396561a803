#include "nn/ops/per_column.h"

#include <string.h>

void per_column_forward(const nn_call *call, const per_column *map, const dm_real *z, dm_real *out, size_t out_row) {
  call->gemm(&(dm_gemm){.m = call->n, .n = map->units, .k = map->features, .a = z, .a_row = map->features, .a_col = 1, .b = map->w,
                        .b_row = map->units, .c = out, .c_row = out_row, .bias = map->bias, .accumulate = !map->bias});
}

void per_column_g_w(const nn_call *call, const per_column *map, const dm_real *z, const dm_real *g, size_t g_row, dm_real *g_w) {
  call->gemm(&(dm_gemm){.m = map->features, .n = map->units, .k = call->n, .a = z, .a_row = 1, .a_col = map->features, .b = g,
                        .b_row = g_row, .c = g_w, .c_row = map->units});
}

void per_column_g_bias(const nn_call *call, const per_column *map, const dm_real *g, size_t g_row, dm_real *g_bias) {
  memset(g_bias, 0, map->units * sizeof *g_bias);
  for (size_t i = 0; i < call->n; i++) dm_k_add(g + i * g_row, map->units, g_bias);
}

void per_column_g_z(const nn_call *call, const per_column *map, const dm_real *g, size_t g_row, dm_real *turned, dm_real *g_z) {
  dm_k_transpose(map->w, map->features, map->units, map->units, turned, map->features);
  call->gemm(&(dm_gemm){.m = call->n, .n = map->features, .k = map->units, .a = g, .a_row = g_row, .a_col = 1, .b = turned,
                        .b_row = map->features, .c = g_z, .c_row = map->features});
}

dm_status per_column_check(const nn_graph *g, const nn_node *node, dm_error *err) {
  const nn_node *in = &g->nodes[node->in[0]];
  if (in->shape.rank != 1) return nn_fail_rank(&in->shape, 1, err);
  if (node->a.n_columns < 1) return dm_fail(err, DM_EUSAGE, "no columns, want 1 or more");
  for (size_t j = 0; j < node->a.n_columns; j++)
    if (node->a.columns[j] >= in->size) return dm_fail(err, DM_EUSAGE, "column %zu of %zu", node->a.columns[j] + 1, in->size);
  return DM_OK;
}
