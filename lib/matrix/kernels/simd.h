/*
 * Which registers the kernels use. Every kernel has one order of operations,
 * so the level changes its speed only, never its bits.
 */
#ifndef DM_MATRIX_SIMD_H
#define DM_MATRIX_SIMD_H

typedef enum dm_simd { DM_SIMD_SCALAR = 0, DM_SIMD_AVX2, DM_SIMD_AVX512 } dm_simd;

/** The widest that this CPU has, or the one that DM_SIMD=scalar|avx2|avx512 names in the environment when it was first asked for. Thread-safe. */
dm_simd dm_k_simd(void);
/** For tests: what dm_k_simd answers from now on, at most what the CPU has. @return what it is now */
dm_simd dm_k_simd_set(dm_simd level);

/* Functions of a level inline the plain source and are compiled for its registers. */
#define DM_INLINE static inline __attribute__((always_inline))
/* Before a loop of few rounds that must leave no trace, so that arrays become registers. */
#if defined(__clang__)
#define DM_UNROLL /* decides by itself, and warns where it decided otherwise */
#else
#define DM_UNROLL _Pragma("GCC unroll 16")
#endif
#if defined(__x86_64__)
#define DM_HAS_SIMD 1
#define DM_AVX2 __attribute__((target("avx2,fma")))
#define DM_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#else
#define DM_HAS_SIMD 0
#endif

#endif
