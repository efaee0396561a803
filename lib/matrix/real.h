/*
 * The number that nets and their kernels compute with: float, and double where
 * the same source is compiled a second time to check gradients.
 */
#ifndef DM_MATRIX_REAL_H
#define DM_MATRIX_REAL_H

#ifdef DM_REAL_IS_DOUBLE
typedef double dm_real;
#else
typedef float dm_real;
#endif

#endif
