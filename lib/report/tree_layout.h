/* Where the nodes of a tree stand: no two boxes of a level nearer than one row, parents midway between their children. */
#ifndef DM_REPORT_TREE_LAYOUT_H
#define DM_REPORT_TREE_LAYOUT_H

#include "report/chart.h"

typedef struct dm_tree_place {
  size_t level;  /* 0 = root */
  double row;    /* from 0, fractions allowed */
  bool drawn;
  size_t hidden; /* nodes below this one that are not drawn */
} dm_tree_place;

/** @param places [tree->n]. @param levels,rows extent of what is drawn. */
void dm_tree_layout(const dm_tree_view *tree, dm_tree_place *places, size_t *levels, double *rows);

#endif
