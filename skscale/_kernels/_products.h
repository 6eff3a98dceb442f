/* Products of the deviations of every two columns, in the vector registers of the machine.

A general matrix product is made for large matrices. That of a few columns with themselves has so
many rows that reading them is half of the work, and so few columns that what a library does to
prepare itself is the other half. Here a few hundred rows become deviations, column after column
in the first caches, and SIDE * SIDE products at a time are summed in registers.

The sums are the same, to the last bit, wherever in memory the rows lie. */

#ifndef SKSCALE_PRODUCTS_H
#define SKSCALE_PRODUCTS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Rows of floats (width 4) or doubles (width 8) in pieces: where each column of each piece starts,
piece after piece, and how many rows the pieces have. `stride` numbers lead from one row to the
next. If that is 1 every column is in order; otherwise every row is, and a piece is one array. Of
such a one `picked`, if not NULL, has the numbers of the rows that are meant. */
typedef struct {
    const void *const *starts;
    const ptrdiff_t *lengths;
    const int64_t *picked;
    ptrdiff_t n_pieces, n_columns, stride;
    int width;
} skscale_rows;

enum { SKSCALE_MOST = 8 }; /* lanes of a vector; SIDE is smaller */

/* Rows whose deviations stay in the second cache: a multiple of the lanes. */
static ptrdiff_t skscale_run(ptrdiff_t n_rows, ptrdiff_t n_columns) {
    ptrdiff_t run = 65536 / n_columns;
    run = run < 64 ? 64 : run > 512 ? 512 : run;
    run = run < n_rows ? run : n_rows + SKSCALE_MOST - 1;
    return run / SKSCALE_MOST * SKSCALE_MOST;
}

/* From one column of them to the next: no power of two, which would share lines of a cache. */
static ptrdiff_t skscale_step(ptrdiff_t run) { return run + 24; }

/* Numbers to work with: columns up to a multiple of SIDE, weights and their roots, alignment. */
static ptrdiff_t skscale_work(ptrdiff_t n_rows, ptrdiff_t n_columns) {
    ptrdiff_t run = skscale_run(n_rows, n_columns);
    return (n_columns + SKSCALE_MOST + 1) * skscale_step(run) + SKSCALE_MOST;
}

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define SKSCALE_X86 1
#include <immintrin.h>

#define LANES 8
#define SIDE 5
#define NAME(name) skscale_##name##_8
#define TARGET __attribute__((target("avx512f,avx2,fma")))
#define VECTOR __m512d
#define ZERO _mm512_setzero_pd
#define LOAD_double _mm512_loadu_pd
#define LOAD_float(from) _mm512_cvtps_pd(_mm256_loadu_ps(from))
#define STORE _mm512_storeu_pd
#define FUSED _mm512_fmadd_pd
#define SUM _mm512_reduce_add_pd

TARGET static inline void NAME(turn)(VECTOR *t) {
    VECTOR pair[8], four[8];
    int i;
    for (i = 0; i < 8; i += 2) {
        pair[i / 2] = _mm512_unpacklo_pd(t[i], t[i + 1]);
        pair[i / 2 + 4] = _mm512_unpackhi_pd(t[i], t[i + 1]);
    }
    for (i = 0; i < 8; i += 2) {
        four[i] = _mm512_shuffle_f64x2(pair[i], pair[i + 1], 0x88);
        four[i + 1] = _mm512_shuffle_f64x2(pair[i], pair[i + 1], 0xdd);
    }
    for (i = 0; i < 2; i++) { /* even columns, odd ones */
        t[i] = _mm512_shuffle_f64x2(four[4 * i], four[4 * i + 2], 0x88);
        t[i + 4] = _mm512_shuffle_f64x2(four[4 * i], four[4 * i + 2], 0xdd);
        t[i + 2] = _mm512_shuffle_f64x2(four[4 * i + 1], four[4 * i + 3], 0x88);
        t[i + 6] = _mm512_shuffle_f64x2(four[4 * i + 1], four[4 * i + 3], 0xdd);
    }
}

#include "_products_loops.h"

#define LANES 4
#define SIDE 3
#define NAME(name) skscale_##name##_4
#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR __m256d
#define ZERO _mm256_setzero_pd
#define LOAD_double _mm256_loadu_pd
#define LOAD_float(from) _mm256_cvtps_pd(_mm_loadu_ps(from))
#define STORE _mm256_storeu_pd
#define FUSED _mm256_fmadd_pd
#define SUM skscale_sum_4

TARGET static inline double skscale_sum_4(__m256d x) {
    __m128d half = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
}

TARGET static inline void NAME(turn)(VECTOR *t) {
    VECTOR even = _mm256_unpacklo_pd(t[0], t[1]), odd = _mm256_unpackhi_pd(t[0], t[1]);
    VECTOR even_two = _mm256_unpacklo_pd(t[2], t[3]), odd_two = _mm256_unpackhi_pd(t[2], t[3]);
    t[0] = _mm256_permute2f128_pd(even, even_two, 0x20);
    t[1] = _mm256_permute2f128_pd(odd, odd_two, 0x20);
    t[2] = _mm256_permute2f128_pd(even, even_two, 0x31);
    t[3] = _mm256_permute2f128_pd(odd, odd_two, 0x31);
}

#include "_products_loops.h"

#endif

/* Lanes of the widest vectors that the machine has and there are loops for; 0 for none. */
static int skscale_lanes(void) {
#ifdef SKSCALE_X86
    if (__builtin_cpu_supports("avx512f")) return 8;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 4;
#endif
    return 0;
}

/* Sums over the rows of w z, and of w z z', for deviations z = (x - high) - low and weights w.

`matrix` is whole, both of its triangles; `weights` may be NULL, which stands for ones. Returns 0
where there are no loops for so many lanes. */
static int skscale_products(
    int lanes, skscale_rows rows, const double *high, const double *low,
    const double *weights, double *work, double *sums, double *matrix
) {
#ifdef SKSCALE_X86
    double *aligned = (double *)(((uintptr_t)work + 63) & ~(uintptr_t)63);
    if (lanes == 8) skscale_products_8(rows, high, low, weights, aligned, sums, matrix);
    else if (lanes == 4) skscale_products_4(rows, high, low, weights, aligned, sums, matrix);
    else return 0;
    return 1;
#else
    return 0;
#endif
}

#endif
