/**
 * tree: classification and regression trees.
 */
#ifndef DM_TREE_H
#define DM_TREE_H

#include <dm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * CART with exact thresholds, native categories (subset splits), missing
 * values sent the way learned at each node, depth, leaf and cost-complexity
 * limits; ccp-alpha chosen by validation unless it or max-depth is set. A
 * threshold of DBL_MAX asks whether there is a value.
 *
 * Stored tensors (m nodes in preorder, node 0 the root, children after their parent):
 *   feature i32[m] (-1 = leaf)  threshold f64[m] (x <= t goes left; categories: first word of the subset in `subset`)
 *   left, right i32[m] (-1 = leaf)  missing_left u8[m] (bit 0: missing, rare and unseen values go left; bit 1: the node saw missing values and
 *   learned the direction, else it is that of the larger child)  value f64[m, max(k,1)] (class shares, or the mean)
 *   count f64[m]  impurity f64[m]  subset i32[s] (bit words of left-going levels)
 *
 * draw gives {"nodes":[{"id","parent","left","right","feature","test","test_right","count","share":[...]|"value","impurity"}]};
 * trace gives [{"node","feature","test","value","goes":"left"|"right","missing":bool}...,{"node","leaf":true,...}].
 * Source: Breiman, Friedman, Olshen & Stone, 1984.
 */
extern DM_API const dm_learner dm_learner_tree;

#ifdef __cplusplus
}
#endif
#endif
