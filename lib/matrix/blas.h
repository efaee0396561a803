/* The number of threads of the CBLAS that is linked is one number of the whole process: taken down while we call, put back after. */
#ifndef DM_MATRIX_BLAS_H
#define DM_MATRIX_BLAS_H

/** Sets BLAS to one thread, so that its sums have one order. @return what to give to dm_blas_restore. */
int dm_blas_one_thread(void);
void dm_blas_restore(int threads);

#endif
