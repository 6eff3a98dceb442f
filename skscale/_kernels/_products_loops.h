/* Loops over vectors of LANES numbers: _products.h says for which machine, and includes this. */

/* Add to a square of the matrix the products of two groups of SIDE columns over some rows. */
TARGET static void NAME(square)(
    const double *first, const double *second, ptrdiff_t step, ptrdiff_t n_rows,
    double *matrix, ptrdiff_t n_columns, ptrdiff_t height, ptrdiff_t width
) {
    VECTOR sum[SIDE][SIDE], x, y[SIDE];
    ptrdiff_t i, j, k;
    for (i = 0; i < SIDE; i++)
        for (j = 0; j < SIDE; j++) sum[i][j] = ZERO();
    for (k = 0; k < n_rows; k += LANES) {
        for (j = 0; j < SIDE; j++) y[j] = LOAD_double(second + j * step + k);
        for (i = 0; i < SIDE; i++) {
            x = LOAD_double(first + i * step + k);
            for (j = 0; j < SIDE; j++) sum[i][j] = FUSED(x, y[j], sum[i][j]);
        }
    }
    for (i = 0; i < SIDE; i++)
        for (j = 0; j < SIDE; j++)
            if (i < height && j < width) matrix[i * n_columns + j] += SUM(sum[i][j]);
}

/* Weigh the deviations of a column, which gets zeros up to a multiple of LANES. Returns their sum. */
TARGET static double NAME(weigh)(
    double *z, ptrdiff_t n_rows, const double *weights, const double *roots
) {
    VECTOR sum = ZERO();
    ptrdiff_t i;
    for (i = n_rows; i % LANES; i++) z[i] = 0.0;
    if (weights == NULL)
        for (i = 0; i < n_rows; i += LANES) sum = sum + LOAD_double(z + i);
    else
        for (i = 0; i < n_rows; i += LANES) {
            sum = FUSED(LOAD_double(z + i), LOAD_double(weights + i), sum);
            STORE(z + i, LOAD_double(z + i) * LOAD_double(roots + i));
        }
    return SUM(sum);
}

#define FETCH(place) __builtin_prefetch(place, 0, 2) /* what comes next, into the second cache */

#define ROW(number) ((picked ? picked[number] : (number)) * rows.stride)

/* Deviations of some rows of a piece, the first of which has this number. */
#define DEVIATIONS(real)                                                                           \
    TARGET static void NAME(deviations_##real)(                                                    \
        skscale_rows rows, ptrdiff_t piece, ptrdiff_t first, ptrdiff_t n_rows,                     \
        const double *high, const double *low, double *z, ptrdiff_t step                           \
    ) {                                                                                            \
        const real *const *starts = (const real *const *)rows.starts + piece * rows.n_columns;     \
        const int64_t *picked = rows.picked;                                                       \
        ptrdiff_t p = rows.n_columns, last = rows.lengths[piece] - 1, done = 0, i, j, k, l;        \
        if (rows.stride == 1 && picked == NULL) {                                                  \
            for (j = 0; j < p; j++) {                                                              \
                const real *x = starts[j] + first;                                                 \
                for (i = 0; i + LANES <= n_rows; i += LANES) {                                     \
                    FETCH(x + i + step);                                                           \
                    STORE(z + j * step + i, (LOAD_##real(x + i) - high[j]) - low[j]);              \
                }                                                                                  \
                for (; i < n_rows; i++) z[j * step + i] = ((double)x[i] - high[j]) - low[j];       \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (; p >= LANES && done + LANES <= n_rows; done += LANES) {                              \
            const real *row[LANES], *later[LANES];                                                 \
            for (l = 0; l < LANES; l++) {                                                          \
                i = first + done + l;                                                              \
                row[l] = starts[0] + ROW(i);                                                       \
                i = i + step < last ? i + step : last;                                             \
                later[l] = starts[0] + ROW(i);                                                     \
            }                                                                                      \
            for (k = 0; k < p; k += LANES) {                                                       \
                VECTOR t[LANES];                                                                   \
                j = k < p - LANES ? k : p - LANES; /* the last ones may overlap */                 \
                for (l = 0; l < LANES; l++) {                                                      \
                    FETCH(later[l] + j);                                                           \
                    t[l] = LOAD_##real(row[l] + j);                                                \
                }                                                                                  \
                NAME(turn)(t);                                                                     \
                for (l = 0; l < LANES; l++, j++)                                                   \
                    STORE(z + j * step + done, (t[l] - high[j]) - low[j]);                         \
            }                                                                                      \
        }                                                                                          \
        for (i = done; i < n_rows; i++) {                                                          \
            const real *x = starts[0] + ROW(first + i);                                            \
            for (j = 0; j < p; j++) z[j * step + i] = ((double)x[j] - high[j]) - low[j];           \
        }                                                                                          \
    }

DEVIATIONS(float)
DEVIATIONS(double)

#undef DEVIATIONS
#undef ROW
#undef FETCH

TARGET static void NAME(products)(
    skscale_rows rows, const double *high, const double *low, const double *weights,
    double *z, double *sums, double *matrix
) {
    ptrdiff_t p = rows.n_columns, padded = (p + SIDE - 1) / SIDE * SIDE, left = 0, i, j;
    for (i = 0; i < rows.n_pieces; i++) left += rows.lengths[i];
    ptrdiff_t run = skscale_run(left, p), step = skscale_step(run), piece = 0, first = 0;
    double *roots = z + padded * step, *heavy = roots + step;
    memset(sums, 0, p * sizeof(double));
    memset(matrix, 0, p * p * sizeof(double));
    memset(z + p * step, 0, (padded - p) * step * sizeof(double));
    while (left > 0) {
        ptrdiff_t n_rows = left < run ? left : run, filled = 0;
        while (filled < n_rows) {
            ptrdiff_t some = rows.lengths[piece] - first;
            some = some < n_rows - filled ? some : n_rows - filled;
            if (rows.width == 4)
                NAME(deviations_float)(rows, piece, first, some, high, low, z + filled, step);
            else
                NAME(deviations_double)(rows, piece, first, some, high, low, z + filled, step);
            filled += some;
            first += some;
            if (first == rows.lengths[piece]) piece++, first = 0;
        }
        if (weights != NULL) {
            for (i = 0; i < (n_rows + LANES - 1) / LANES * LANES; i++) {
                heavy[i] = i < n_rows ? weights[i] : 0.0;
                roots[i] = sqrt(heavy[i]);
            }
            weights += n_rows;
        }
        for (j = 0; j < p; j++)
            sums[j] += NAME(weigh)(z + j * step, n_rows, weights ? heavy : NULL, roots);
        for (i = 0; i < p; i += SIDE)
            for (j = i; j < p; j += SIDE)
                NAME(square)(
                    z + i * step, z + j * step, step, (n_rows + LANES - 1) / LANES * LANES,
                    matrix + i * p + j, p, p - i, p - j
                );
        left -= n_rows;
    }
    for (i = 0; i < p; i++)
        for (j = 0; j < i; j++) matrix[i * p + j] = matrix[j * p + i];
}

#undef LANES
#undef SIDE
#undef NAME
#undef TARGET
#undef VECTOR
#undef ZERO
#undef LOAD_double
#undef LOAD_float
#undef STORE
#undef FUSED
#undef SUM
