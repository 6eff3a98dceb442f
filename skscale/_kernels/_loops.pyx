# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
"""The inner loops of the scalers, compiled.

Rows lie in memory row after row, or column after column; either way they are read once, at most
`TILE` columns and `RUN` rows at a time. Narrow rows are folded: several of them side by side are
one long row, and a column is a table of one column. Sums of a run are plain, sums of runs carry
their rounding errors along.

What is not ordinary is not dealt with here: the functions say so, and their twins in numpy look
closer.
"""

from libc.math cimport INFINITY, fabs, nextafter, sqrt
from libc.stdint cimport int64_t, uintptr_t
from libc.string cimport memcpy

cdef extern from "_products.h" nogil:
    ctypedef struct skscale_rows:
        const void *const *starts
        const Py_ssize_t *lengths
        const int64_t *picked
        Py_ssize_t n_pieces, n_columns, stride
        int width

    Py_ssize_t skscale_work(Py_ssize_t n_rows, Py_ssize_t n_columns)
    int skscale_lanes()
    int skscale_products(
        int lanes, skscale_rows rows, const double *high, const double *low,
        const double *weights, double *work, double *sums, double *matrix,
    )

cdef enum:
    TILE = 256  # columns whose sums stay in the first cache together with the rows
    RUN = 128  # rows whose sums are plain, a quarter of them in each
    CAREFUL_RUN = 16  # the same, where there is one sum of all
    FOLDED = 32  # length of a folded row
    SAMPLE = 32  # rows that give the first centre
    AHEAD = 24  # rows that are asked for before they are needed
    FETCHED = 1024  # bytes of each; the processor foresees the rest
    HASHED = 1024  # rows whose hashes stay in the first cache
    NARROW = 8  # columns that are hashed one by one
    LONG = 64  # numbers of a row whose sums are plain
    LINE = 8  # rows of which a line each stays in the first cache
    _ABREAST = 32  # rows that are normalized side by side

cdef double CLOSE = 0.5  # largest (centre - mean)**2, in mean squares, that is taken off
cdef double SMALLEST = 2.0**-800  # sums of squares in this range have lost nothing
cdef double LARGEST = 2.0**800
cdef double SPACING = 2.0**-52  # of floats, relative to them, at most

cdef double ORDINARY_MEAN = 2.0**400  # means, and distances of means, in this range
cdef double SMALLEST_DISTANCE = 2.0**-400  # are squared as they are

cdef enum:
    _ORDINARY
    _INFINITE
    _UNUSUAL
    _SHARED

ORDINARY, INFINITE, UNUSUAL, SHARED = _ORDINARY, _INFINITE, _UNUSUAL, _SHARED
ABREAST = _ABREAST

ctypedef fused real:
    float
    double

ctypedef fused written:
    float
    double


cdef inline void add_to(double *high, double *low, double term) noexcept nogil:
    """Add to an unevaluated sum of two floats (Knuth's two_sum)."""
    cdef double total = high[0] + term
    cdef double part = total - high[0]
    low[0] += (high[0] - (total - part)) + (term - part)
    high[0] = total


cdef inline Py_ssize_t fold_of(
    Py_ssize_t n_rows, Py_ssize_t n_columns, Py_ssize_t stride
) noexcept nogil:
    """Number of rows that lie side by side as one."""
    if stride != n_columns:
        return 1
    return max(1, min(n_rows, FOLDED // n_columns))


# Moments ------------------------------------------------------------------------------------


cdef inline void add_row(
    const real *x, Py_ssize_t width, const double *centre, double *sums, double *squares
) noexcept nogil:
    cdef Py_ssize_t j
    cdef double a
    for j in range(width):
        a = x[j] - centre[j]
        sums[j] += a
        squares[j] += a * a


cdef bint plain_run(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t width, Py_ssize_t stride,
    const double *centre, double *sums, double *squares,
) noexcept nogil:
    """Sums of deviations from a centre and of their squares; whether all of them are finite.

    Rows are dealt out to four running sums. They are read one after the other: to read four at a
    time would be less work, and memory would come more slowly.
    """
    cdef double s[TILE]
    cdef double s_two[TILE]
    cdef double s_three[TILE]
    cdef double s_four[TILE]
    cdef double q[TILE]
    cdef double q_two[TILE]
    cdef double q_three[TILE]
    cdef double q_four[TILE]
    cdef Py_ssize_t i = 0, j
    cdef double everything = 0.0
    cdef const real *x
    for j in range(width):
        s[j] = s_two[j] = s_three[j] = s_four[j] = 0.0
        q[j] = q_two[j] = q_three[j] = q_four[j] = 0.0
    while i + 4 <= n_rows:
        x = rows + i * stride
        add_row(x, width, centre, s, q)
        add_row(x + stride, width, centre, s_two, q_two)
        add_row(x + 2 * stride, width, centre, s_three, q_three)
        add_row(x + 3 * stride, width, centre, s_four, q_four)
        i += 4
    while i < n_rows:
        add_row(rows + i * stride, width, centre, s, q)
        i += 1
    for j in range(width):
        sums[j] = (s[j] + s_two[j]) + (s_three[j] + s_four[j])
        squares[j] = (q[j] + q_two[j]) + (q_three[j] + q_four[j])
    for j in range(width):
        everything += sums[j] + squares[j]
    return everything - everything == 0.0


cdef bint careful_run(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t width, Py_ssize_t stride,
    const double *weights, Py_ssize_t fold,
    const double *centre, double *sums, double *squares, double *count,
) noexcept nogil:
    """As `plain_run`, with a weight for each of the rows folded into one, and without NaN."""
    cdef double s[TILE]
    cdef double q[TILE]
    cdef double n[TILE]
    cdef double weight[TILE]
    cdef Py_ssize_t i, j, k, n_columns = width // fold
    cdef double a, b, w, everything = 0.0
    cdef const real *x
    for j in range(width):
        s[j] = q[j] = n[j] = 0.0
        weight[j] = 1.0
    for i in range(n_rows):
        x = rows + i * stride
        if weights != NULL:
            for k in range(fold):
                w = weights[i * fold + k]
                for j in range(k * n_columns, (k + 1) * n_columns):
                    weight[j] = w
        for j in range(width):
            a = x[j] - centre[j] if x[j] == x[j] else 0.0
            w = weight[j] if x[j] == x[j] else 0.0
            b = a * w
            n[j] += w
            s[j] += b
            q[j] += a * b
    for j in range(width):
        everything += s[j] + q[j]
        sums[j] = s[j]
        squares[j] = q[j]
        count[j] = n[j]
    return everything - everything == 0.0


cdef bint sum_tile(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t n_columns, Py_ssize_t stride,
    const double *weights, const double *centre,
    double *sums, double *squares, double *count,
) noexcept nogil:
    """Sums over all rows of at most `TILE` columns; whether they are finite."""
    cdef double c[TILE]
    cdef double s[TILE]
    cdef double s_low[TILE]
    cdef double q[TILE]
    cdef double q_low[TILE]
    cdef double n[TILE]
    cdef double run_sum[TILE]
    cdef double run_square[TILE]
    cdef double run_count[TILE]
    cdef Py_ssize_t fold = fold_of(n_rows, n_columns, stride)
    cdef Py_ssize_t n_long = n_rows // fold, left = n_rows - n_long * fold
    cdef Py_ssize_t i, j, height, side = fold, width
    cdef bint careful = weights != NULL, finite
    cdef const double *of_run = NULL
    for i in range(fold):
        for j in range(n_columns):
            c[i * n_columns + j] = centre[j]
    for j in range(fold * n_columns):
        s[j] = s_low[j] = q[j] = q_low[j] = n[j] = 0.0
    i = 0
    while i < n_long or left > 0:
        height = min(<Py_ssize_t> CAREFUL_RUN if careful else <Py_ssize_t> RUN, n_long - i)
        if height == 0:  # the rows that do not fill a long one
            height, side, left = 1, left, 0
        width = side * n_columns
        if weights != NULL:
            of_run = weights + i * fold
        finite = False
        if not careful:
            finite = plain_run(
                rows + i * fold * stride, height, width, fold * stride, c, run_sum, run_square
            )
            for j in range(width):
                run_count[j] = height
        if not finite:
            careful = True
            if height > CAREFUL_RUN:
                continue
            if not careful_run(
                rows + i * fold * stride, height, width, fold * stride, of_run, side, c,
                run_sum, run_square, run_count,
            ):
                return False
        for j in range(width):
            add_to(&s[j], &s_low[j], run_sum[j])
            add_to(&q[j], &q_low[j], run_square[j])
            n[j] += run_count[j]
        i += height
    for j in range(n_columns):
        for i in range(1, fold):
            add_to(&s[j], &s_low[j], s[j + i * n_columns])
            add_to(&q[j], &q_low[j], q[j + i * n_columns])
            s_low[j] += s_low[j + i * n_columns]
            q_low[j] += q_low[j + i * n_columns]
            n[j] += n[j + i * n_columns]
        sums[j] = s[j] + s_low[j]
        squares[j] = q[j] + q_low[j]
        count[j] = n[j]
    return True


cdef bint sum_block(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t n_columns,
    Py_ssize_t row_stride, Py_ssize_t column_stride,
    const double *weights, const double *centre,
    double *sums, double *squares, double *count,
) noexcept nogil:
    """Sums of deviations from a centre, of their squares, and of weights."""
    cdef Py_ssize_t step = TILE if column_stride == 1 else 1, j = 0
    if column_stride != 1 and row_stride != 1:
        return False
    while j < n_columns:
        if not sum_tile(
            rows + j * column_stride, n_rows, min(step, n_columns - j), row_stride,
            weights, centre + j, sums + j, squares + j, count + j,
        ):
            return False
        j += step
    return True


cdef void first_values(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t n_columns,
    Py_ssize_t row_stride, Py_ssize_t column_stride, double *first,
) noexcept nogil:
    """First value of every column that is not missing; 0 if there is none."""
    cdef Py_ssize_t i, j
    cdef double x
    for j in range(n_columns):
        first[j] = 0.0
        for i in range(n_rows):
            x = rows[i * row_stride + j * column_stride]
            if x == x:
                first[j] = x
                break


cdef void near_mean(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t n_columns,
    Py_ssize_t row_stride, Py_ssize_t column_stride,
    const double *weights, const double *first, double *count, double *centre,
) noexcept nogil:
    """A centre near the mean, and equal to it in a constant column."""
    cdef Py_ssize_t i = 0, j, step = (n_rows + SAMPLE - 1) // SAMPLE
    cdef double x, w = 1.0
    for j in range(n_columns):
        centre[j] = count[j] = 0.0
    while i < n_rows:
        if weights != NULL:
            w = weights[i]
        for j in range(n_columns):
            x = rows[i * row_stride + j * column_stride]
            if x == x:
                centre[j] += w * (x - first[j])
                count[j] += w
        i += step
    for j in range(n_columns):
        x = first[j] + centre[j] / count[j] if count[j] > 0 else first[j]
        centre[j] = x if x - x == 0.0 else first[j]


cdef bint is_constant(
    const real *column, Py_ssize_t n_rows, Py_ssize_t stride, double value
) noexcept nogil:
    """Whether all values that are not missing are the same one."""
    cdef Py_ssize_t i
    cdef double x
    for i in range(n_rows):
        x = column[i * stride]
        if x != value and x == x:
            return False
    return True


cdef bint block_moments(
    const real[:, :] rows, const double[::1] weights,
    double[::1] count, double[::1] mean, double[::1] mean_low, double[::1] second_moment,
    double[:, ::1] scratch,
) noexcept nogil:
    cdef Py_ssize_t n_rows = rows.shape[0], n_columns = rows.shape[1], j
    cdef Py_ssize_t row_stride = rows.strides[0] // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t column_stride = rows.strides[1] // <Py_ssize_t> sizeof(real)
    cdef const real *data = &rows[0, 0]
    cdef const double *of_rows = NULL
    cdef double *first = &scratch[0, 0]
    cdef double *centre = &scratch[1, 0]
    cdef double *sums = &scratch[2, 0]
    cdef double *squares = &scratch[3, 0]
    cdef double *n = &count[0]
    cdef double step, square
    cdef bint again
    cdef int attempt
    if weights is not None:
        of_rows = &weights[0]
    first_values(data, n_rows, n_columns, row_stride, column_stride, first)
    near_mean(data, n_rows, n_columns, row_stride, column_stride, of_rows, first, n, centre)
    for attempt in range(2):
        if not sum_block(
            data, n_rows, n_columns, row_stride, column_stride, of_rows, centre, sums, squares, n
        ):
            return False
        again = False
        for j in range(n_columns):
            if n[j] > 0.0:
                sums[j] /= n[j]
            step = sums[j]
            if attempt == 0 and step * step * n[j] > CLOSE * squares[j]:
                centre[j] += step
                again = True
        if not again:
            break
    for j in range(n_columns):
        step, square = sums[j], squares[j] - sums[j] * sums[j] * n[j]
        mean[j], mean_low[j] = centre[j], 0.0
        add_to(&mean[j], &mean_low[j], step)
        if squares[j] == 0.0:
            square = 0.0
            if not is_constant(data + j * column_stride, n_rows, row_stride, first[j]):
                return False
        elif not SMALLEST <= square <= LARGEST:
            return False
        second_moment[j] = square
    return True


def moments(
    const real[:, :] rows, const double[::1] weights,
    double[::1] count, double[::1] mean, double[::1] mean_low, double[::1] second_moment,
    double[:, ::1] scratch,
):
    """Count, mean and centred second moment of every column of at least one row.

    A few rows give a centre near the mean; where they misled, the mean found is the centre of a
    second go. `scratch` holds four numbers a column. Returns whether everything is ordinary: no
    infinity, and nothing that could have overflown or vanished when it was squared.
    """
    cdef bint ordinary
    with nogil:
        ordinary = block_moments(rows, weights, count, mean, mean_low, second_moment, scratch)
    return ordinary


# Deviations ---------------------------------------------------------------------------------


cdef void turn_deviations(
    const real[:, :] rows, Py_ssize_t start, Py_ssize_t stop,
    const double[::1] centre, double[:, ::1] out, double[::1] sums
) noexcept nogil:
    """Deviations of a few rows that lie in memory column after column, written row after row.

    Four columns go together: a running sum of one waits for every addition. The order of the
    additions, and so the bits, are those of rows in order.
    """
    cdef Py_ssize_t n_columns = rows.shape[1], i, j = 0
    cdef Py_ssize_t stride = rows.strides[1] // <Py_ssize_t> sizeof(real)
    cdef double a, b, c, d, s, s_two, s_three, s_four
    cdef const real *x
    cdef double *z
    while j + 4 <= n_columns:
        x = &rows[0, 0] + j * stride
        s = s_two = s_three = s_four = 0.0
        for i in range(start, stop):
            z = &out[i, j]
            a = x[i] - centre[j]
            b = x[i + stride] - centre[j + 1]
            c = x[i + 2 * stride] - centre[j + 2]
            d = x[i + 3 * stride] - centre[j + 3]
            z[0], z[1], z[2], z[3] = a, b, c, d
            s += a
            s_two += b
            s_three += c
            s_four += d
        sums[j] += s
        sums[j + 1] += s_two
        sums[j + 2] += s_three
        sums[j + 3] += s_four
        j += 4
    while j < n_columns:
        x = &rows[0, 0] + j * stride
        s = 0.0
        for i in range(start, stop):
            a = x[i] - centre[j]
            out[i, j] = a
            s += a
        sums[j] += s
        j += 1


cdef bint block_deviations(
    const real[:, :] rows, const double[::1] centre, double[:, ::1] out, double[::1] sums
) noexcept nogil:
    cdef double s[TILE]
    cdef Py_ssize_t n_rows = rows.shape[0], n_columns = rows.shape[1]
    cdef Py_ssize_t stride = rows.strides[0] // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t start = 0, stop, column, width, i, j
    cdef double a
    cdef const real *x
    cdef double *z
    for j in range(n_columns):
        sums[j] = 0.0
    if rows.strides[1] != <Py_ssize_t> sizeof(real):
        if rows.strides[0] != <Py_ssize_t> sizeof(real):
            return False
        while start < n_rows:
            stop = min(start + RUN // 2, n_rows)
            turn_deviations(rows, start, stop, centre, out, sums)
            start = stop
        return True
    while start < n_rows:
        stop = min(start + RUN // 2, n_rows)
        column = 0
        while column < n_columns:
            width = min(<Py_ssize_t> TILE, n_columns - column)
            for j in range(width):
                s[j] = 0.0
            for i in range(start, stop):
                x = &rows[0, 0] + i * stride + column
                z = &out[i, column]
                for j in range(width):
                    a = x[j] - centre[column + j]
                    z[j] = a
                    s[j] += a
            for j in range(width):
                sums[column + j] += s[j]
            column += width
        start = stop
    return True


def deviations(
    const real[:, :] rows, const double[::1] centre, double[:, ::1] out, double[::1] sums
):
    """Write deviations from a centre, and their sum in every column, for at least one row.

    Returns whether it was done: rows must lie in memory row after row, or column after column.
    """
    cdef bint done
    with nogil:
        done = block_deviations(rows, centre, out, sums)
    return done


# Products -----------------------------------------------------------------------------------


def lanes():
    """Numbers in the widest vectors of the machine that there is a loop over products for, or 0."""
    return skscale_lanes()


def products_work(Py_ssize_t n_rows, Py_ssize_t n_columns):
    """Numbers of memory that `products` works with."""
    return skscale_work(n_rows, n_columns)


def products(
    int lanes, const uintptr_t[:, ::1] starts, const Py_ssize_t[::1] lengths,
    const int64_t[::1] picked, Py_ssize_t stride, int width,
    const double[::1] weights, const double[::1] high, const double[::1] low,
    double[::1] work, double[::1] sums, double[:, ::1] matrix,
):
    """Weighted sums of the deviations from a centre, and of the products of every two columns.

    Rows come in pieces of these lengths, whose columns start at these addresses, with `stride`
    numbers of `width` bytes from a row to the next. Every column must be in order, a stride of 1,
    or every row; of rows in order, `picked` may have the numbers of those that are meant, as many
    as the length says. `lanes` are 8 or 4, and no more than `lanes()`.
    """
    cdef skscale_rows rows
    cdef const double *of_rows = NULL
    if weights is not None:
        of_rows = &weights[0]
    rows.starts = <const void *const *> &starts[0, 0]
    rows.lengths, rows.n_pieces, rows.n_columns = &lengths[0], starts.shape[0], starts.shape[1]
    rows.picked, rows.stride, rows.width = NULL, stride, width
    if picked is not None:
        rows.picked = &picked[0]
    with nogil:
        skscale_products(
            lanes, rows, &high[0], &low[0], of_rows, &work[0], &sums[0], &matrix[0, 0]
        )


# Extrema ------------------------------------------------------------------------------------


cdef void extrema_tile(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t n_columns, Py_ssize_t stride,
    const double *weights, double *minimum, double *maximum, double *count,
) noexcept nogil:
    """Smallest, largest and weight of the values that are not missing, in at most `TILE` columns.

    The comparisons are such that NaN never wins one.
    """
    cdef real low[TILE]
    cdef real high[TILE]
    cdef real gap[TILE]
    cdef double n[TILE]
    cdef Py_ssize_t fold = fold_of(n_rows, n_columns, stride)
    cdef Py_ssize_t n_long = n_rows // fold, left = n_rows - n_long * fold
    cdef Py_ssize_t i = 0, j, k, r, height, side = fold, width
    cdef double w, total
    cdef real a, gaps
    cdef const real *x
    for j in range(fold * n_columns):
        low[j], high[j], n[j] = INFINITY, -INFINITY, 0.0
    while i < n_long or left > 0:
        height = min(RUN, n_long - i)
        if height == 0:
            height, side, left = 1, left, 0
        width = side * n_columns
        for j in range(width):
            gap[j] = 0.0
        for r in range(height):
            x = rows + (i + r) * fold * stride
            for j in range(width):
                a = x[j]
                low[j] = a if a < low[j] else low[j]
                high[j] = a if a > high[j] else high[j]
                gap[j] += a - a
        gaps = 0.0
        for j in range(width):
            gaps += gap[j]
        if gaps == 0.0 and weights == NULL:
            for j in range(width):
                n[j] += height
        else:
            for r in range(height):
                x = rows + (i + r) * fold * stride
                for k in range(side):
                    w = 1.0 if weights == NULL else weights[(i + r) * fold + k]
                    for j in range(k * n_columns, (k + 1) * n_columns):
                        n[j] += w if x[j] == x[j] else 0.0
        i += height
    for j in range(n_columns):
        for i in range(1, fold):
            k = j + i * n_columns
            low[j] = low[k] if low[k] < low[j] else low[j]
            high[j] = high[k] if high[k] > high[j] else high[j]
            n[j] += n[k]
        minimum[j], maximum[j], count[j] = low[j], high[j], n[j]


cdef bint block_extrema(
    const real[:, :] rows, const double[::1] weights,
    double[::1] count, double[::1] minimum, double[::1] maximum,
) noexcept nogil:
    cdef Py_ssize_t n_rows = rows.shape[0], n_columns = rows.shape[1], j = 0
    cdef Py_ssize_t row_stride = rows.strides[0] // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t column_stride = rows.strides[1] // <Py_ssize_t> sizeof(real)
    cdef const double *of_rows = NULL
    cdef Py_ssize_t step = TILE if column_stride == 1 else 1
    if column_stride != 1 and row_stride != 1:
        return False
    if weights is not None:
        of_rows = &weights[0]
    while j < n_columns:
        extrema_tile(
            &rows[0, 0] + j * column_stride, n_rows, min(step, n_columns - j), row_stride, of_rows,
            &minimum[j], &maximum[j], &count[j],
        )
        j += step
    for j in range(n_columns):
        if minimum[j] == -INFINITY or maximum[j] == INFINITY:  # none of a column without values
            return False
    return True


def extrema(
    const real[:, :] rows, const double[::1] weights,
    double[::1] count, double[::1] minimum, double[::1] maximum,
):
    """Count, smallest and largest value of every column of at least one row.

    A column without a value has ``inf`` and ``-inf``. Returns whether no value is infinite.
    """
    cdef bint finite
    with nogil:
        finite = block_extrema(rows, weights, count, minimum, maximum)
    return finite


# Affine maps --------------------------------------------------------------------------------

cdef struct Map:
    # From rows to rows, column by column: the numbers of one tile, and which steps there are.
    double origin[TILE]
    double low[TILE]
    double width[TILE]
    double lower[TILE]
    double upper[TILE]
    double length[TILE]
    bint inverse
    bint stretched
    bint clipped


cdef inline void map_row(
    const real *x, Py_ssize_t width, Map *by, double *out, double *gap
) noexcept nogil:
    """One row mapped in float64; `gap` becomes NaN where a value became NaN or infinite."""
    cdef Py_ssize_t j
    cdef double a
    if by.inverse:
        if by.stretched:
            for j in range(width):
                out[j] = (x[j] - by.lower[j]) / by.length[j]
            for j in range(width):
                out[j] = out[j] * by.width[j] + by.low[j] + by.origin[j]
        else:
            for j in range(width):
                out[j] = x[j] * by.width[j] + by.low[j] + by.origin[j]
    else:
        for j in range(width):
            out[j] = (x[j] - by.origin[j] - by.low[j]) / by.width[j]
    for j in range(width):
        gap[j] += out[j] - out[j]
    if by.stretched and not by.inverse:
        for j in range(width):
            a = out[j] * by.length[j] + by.lower[j]
            out[j] = by.upper[j] if (a > by.upper[j] and out[j] <= 1.0) else a
    if by.clipped:
        for j in range(width):
            a = out[j]
            a = by.lower[j] if a < by.lower[j] else a
            out[j] = by.upper[j] if a > by.upper[j] else a


cdef bint only_missing(
    const real *rows, const written *out, Py_ssize_t n_rows, Py_ssize_t width,
    Py_ssize_t stride, Py_ssize_t out_stride,
) noexcept nogil:
    """Whether nothing in a mapped run but missing values is infinite or became NaN."""
    cdef double gap[TILE]
    cdef double gaps = 0.0
    cdef Py_ssize_t i, j
    cdef const real *x
    cdef const written *z
    for j in range(width):
        gap[j] = 0.0
    for i in range(n_rows):
        x = rows + i * stride
        z = out + i * out_stride
        for j in range(width):
            gap[j] += (x[j] - x[j]) + (z[j] - z[j]) if x[j] == x[j] else 0.0
    for j in range(width):
        gaps += gap[j]
    return gaps == 0.0


cdef int why_gap(const real *x, Py_ssize_t width, Map *by) noexcept nogil:
    """What is behind a result that is not finite: ordinary in columns that had no values."""
    cdef double out[TILE]
    cdef double gap[TILE]
    cdef Py_ssize_t j
    cdef bint clipped = by.clipped
    for j in range(width):
        if x[j] == x[j] and x[j] - x[j] != 0.0:
            return _INFINITE
        gap[j] = 0.0
    by.clipped = False
    map_row(x, width, by, out, gap)
    by.clipped = clipped
    for j in range(width):
        if out[j] == out[j] and out[j] - out[j] != 0.0:
            return _UNUSUAL
    return _ORDINARY


cdef int map_tile(
    const real *rows, Py_ssize_t n_rows, Py_ssize_t n_columns, Py_ssize_t stride,
    Map *by, written *out, Py_ssize_t out_stride,
) noexcept nogil:
    """Map all rows of at most `TILE` columns, whose numbers `by` holds."""
    cdef double mapped[TILE]
    cdef double gap[TILE]
    cdef Py_ssize_t fold = fold_of(n_rows, n_columns, stride) if stride == out_stride else 1
    cdef Py_ssize_t n_long = n_rows // fold, left = n_rows - n_long * fold
    cdef Py_ssize_t i = 0, j, k, r, height, width = fold * n_columns
    cdef double gaps
    cdef int status = _ORDINARY, why
    cdef const real *x
    cdef written *z
    for j in range(n_columns, width):  # what is there already is copied over and over
        k = j - n_columns
        by.origin[j], by.low[j], by.width[j] = by.origin[k], by.low[k], by.width[k]
        if by.stretched or by.clipped:
            by.lower[j], by.upper[j], by.length[j] = by.lower[k], by.upper[k], by.length[k]
    while i < n_long or left > 0:
        height = min(RUN, n_long - i)
        if height == 0:
            height, width, left = 1, left * n_columns, 0
        for j in range(width):
            gap[j] = 0.0
        for r in range(height):
            x = rows + (i + r) * fold * stride
            z = out + (i + r) * fold * out_stride
            if written is double:
                map_row(x, width, by, z, gap)
            else:
                map_row(x, width, by, mapped, gap)
                for j in range(width):
                    z[j] = <written> mapped[j]
        gaps = 0.0
        for j in range(width):
            gaps += gap[j]
        x = rows + i * fold * stride
        z = out + i * fold * out_stride
        if gaps != 0.0 and not only_missing(
            x, z, height, width, fold * stride, fold * out_stride
        ):
            for r in range(height):
                why = why_gap(x + r * fold * stride, width, by)
                status = max(status, why)
        i += height
    return status


cdef int map_block(
    const real[:, :] rows,
    const double[:] origin, const double[:] low, const double[:] width,
    const long long[:] exponent, const double[:] lower, const double[:] upper,
    bint clip, bint inverse, written[:, :] out,
) noexcept nogil:
    cdef Py_ssize_t n_rows = rows.shape[0], n_columns = rows.shape[1], i, j, n, step
    cdef Py_ssize_t row_stride = rows.strides[0] // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t column_stride = rows.strides[1] // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t out_row_stride = out.strides[0] // <Py_ssize_t> sizeof(written)
    cdef Py_ssize_t out_column_stride = out.strides[1] // <Py_ssize_t> sizeof(written)
    cdef const char *start = <const char *> &rows[0, 0]
    cdef const char *stop = <const char *> (&rows[n_rows - 1, n_columns - 1] + 1)
    cdef bint bounded = lower is not None
    cdef double length
    cdef int status = _ORDINARY, of_tile
    cdef Map by
    if column_stride == 1 and out_column_stride == 1:
        step = TILE
    elif row_stride == 1 and out_row_stride == 1:
        step = 1
    else:
        return _UNUSUAL
    if start < <char *> (&out[n_rows - 1, n_columns - 1] + 1) and <char *> &out[0, 0] < stop:
        return _SHARED
    by.inverse, by.stretched, by.clipped = inverse, False, clip
    for j in range(n_columns):
        if exponent[j] != 0:
            return _UNUSUAL
        if bounded and not (lower[j] == 0.0 and upper[j] == 1.0):
            by.stretched = True
    j = 0
    while j < n_columns:
        n = min(step, n_columns - j)
        for i in range(n):
            by.origin[i], by.low[i], by.width[i] = origin[j + i], low[j + i], width[j + i]
            if bounded:
                length = upper[j + i] - lower[j + i]
                # Not short of the upper end: what goes beyond it by rounding is cut.
                while not inverse and lower[j + i] + length < upper[j + i]:
                    length = nextafter(length, INFINITY)
                by.lower[i], by.upper[i], by.length[i] = lower[j + i], upper[j + i], length
        of_tile = map_tile(
            &rows[0, 0] + j * column_stride, n_rows, n, row_stride, &by,
            &out[0, 0] + j * out_column_stride, out_row_stride,
        )
        status = max(status, of_tile)
        j += step
    return status


def affine(
    const real[:, :] rows,
    const double[:] origin, const double[:] low, const double[:] width,
    const long long[:] exponent, const double[:] lower, const double[:] upper,
    bint clip, bint inverse, written[:, :] out,
):
    """Map every column of at least one row, and say what was met on the way.

    ``(rows - (origin + low)) / width``, then from [0, 1] to ``[lower, upper]`` where these are
    given and differ; or, with `inverse`, the way back. `out` must lie in memory as `rows` does.

    Returns
    -------
    status : int
        `ORDINARY` if all is done, and what is not finite was missing; `INFINITE` if there was an
        infinity. If nothing was done, or not well: `UNUSUAL` if numbers overflow or the
        exponents are not zero, `SHARED` if `out` is the memory of `rows`.
    """
    cdef int status
    with nogil:
        status = map_block(
            rows, origin, low, width, exponent, lower, upper, clip, inverse, out
        )
    return status


# Rows from all over a table ---------------------------------------------------------------

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define fetch_ahead(address) __builtin_prefetch(address)
    #else
    #define fetch_ahead(address) ((void) 0)
    #endif
    """
    void fetch_ahead(const void *address) noexcept nogil


def gather(
    const unsigned char[:, ::1] source, const long long[::1] rows, unsigned char[:, ::1] out
):
    """Copy rows by number, given as bytes. The processor cannot guess which row is next."""
    cdef Py_ssize_t n_rows = rows.shape[0], width = source.shape[1], i, k
    cdef Py_ssize_t fetched = min(width, <Py_ssize_t> FETCHED)
    cdef const unsigned char *start
    if width == 0:
        return
    with nogil:
        for i in range(n_rows):
            if i + AHEAD < n_rows:
                start = &source[rows[i + AHEAD], 0]
                for k in range(0, fetched, 64):
                    fetch_ahead(start + k)
            memcpy(&out[i, 0], &source[rows[i], 0], width)


# Hashes of rows ---------------------------------------------------------------------------

ctypedef unsigned long long word


cdef inline word mixed(double value) noexcept nogil:
    """Bits of a number, the high ones spread over the low ones; of -0.0 as of 0.0."""
    cdef word bits
    value = value + 0.0
    memcpy(&bits, &value, sizeof(word))
    bits = bits if value == value else 0x7FF8000000000000ULL
    bits ^= bits >> 32
    return bits ^ (bits >> 16)


cdef inline word scrambled(word bits) noexcept nogil:
    bits ^= bits >> 33
    bits *= 0xFF51AFD7ED558CCDULL
    bits ^= bits >> 33
    bits *= 0xC4CEB9FE1A85EC53ULL
    return bits ^ (bits >> 33)


cdef word add_mixed(const real *x, Py_ssize_t width, const word *keys) noexcept nogil:
    """Sum of the products of at most `TILE` mixed numbers and their keys, in four parts."""
    cdef word bits[TILE]
    cdef word one = 0, two = 0, three = 0, four = 0
    cdef Py_ssize_t j
    for j in range(width):
        bits[j] = mixed(x[j])
    j = 0
    while j + 4 <= width:
        one += bits[j] * keys[j]
        two += bits[j + 1] * keys[j + 1]
        three += bits[j + 2] * keys[j + 2]
        four += bits[j + 3] * keys[j + 3]
        j += 4
    while j < width:
        one += bits[j] * keys[j]
        j += 1
    return one + two + three + four


cdef void hash_rows(
    const real[:, :] rows, Py_ssize_t first, Py_ssize_t last, const word *keys, word *out
) noexcept nogil:
    """Hashes of at most `HASHED` rows."""
    cdef Py_ssize_t n_rows = rows.shape[0], n_columns = rows.shape[1], i, j
    cdef Py_ssize_t row_stride = rows.strides[0] // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t column_stride = rows.strides[1] // <Py_ssize_t> sizeof(real)
    cdef const real *x
    cdef word key, total
    cdef bint apart = row_stride > 2 * n_columns
    if column_stride == 1:
        for i in range(first, last):
            x = &rows[0, 0] + i * row_stride
            if apart and i + AHEAD < n_rows:  # a few columns of long rows, which nobody foresees
                fetch_ahead(x + AHEAD * row_stride)
                fetch_ahead(x + AHEAD * row_stride + n_columns - 1)
            total = 0
            if n_columns <= NARROW:
                for j in range(n_columns):
                    total += mixed(x[j]) * keys[j]
            else:
                j = 0
                while j < n_columns:
                    total += add_mixed(x + j, min(TILE, n_columns - j), keys + j)
                    j += TILE
            out[i - first] = scrambled(total)
    else:
        for i in range(last - first):
            out[i] = 0
        for j in range(n_columns):
            x, key = &rows[0, 0] + j * column_stride + first, keys[j]
            for i in range(last - first):
                out[i] += mixed(x[i]) * key
        for i in range(last - first):
            out[i] = scrambled(out[i])


def hashes(const real[:, :] rows, const word[::1] keys, word[::1] out):
    """One hash for every row of at least one column, with one odd key for every column."""
    cdef Py_ssize_t n_rows = rows.shape[0], first = 0, last
    with nogil:
        while first < n_rows:
            last = min(first + HASHED, n_rows)
            hash_rows(rows, first, last, &keys[0], &out[first])
            first = last


def low_hashes(
    const real[:, :] rows, const word[::1] keys, word bound, long long[::1] numbers, word[::1] out
):
    """Numbers of the rows with a hash up to a bound, and these hashes; how many there are."""
    cdef Py_ssize_t n_rows = rows.shape[0], n_low = 0, first = 0, last, i
    cdef word found[HASHED]
    with nogil:
        while first < n_rows:
            last = min(first + HASHED, n_rows)
            hash_rows(rows, first, last, &keys[0], found)
            for i in range(last - first):
                numbers[n_low], out[n_low] = first + i, found[i]
                n_low += found[i] <= bound
            first = last
    return n_low


# Merging ------------------------------------------------------------------------------------


cdef inline double sum_of(double a, double b, double *error) noexcept nogil:
    """Sum of two numbers, and its rounding error (Knuth's two_sum)."""
    cdef double total = a + b
    cdef double part = total - a
    error[0] = (a - (total - part)) + (b - part)
    return total


cdef inline bint add_mean(
    double weight, double mean, double mean_low, double weight_two, double mean_two, double low_two,
    double *high, double *low, double *difference,
) noexcept nogil:
    """Merge two means; whether all was ordinary, so that it is done."""
    cdef double error, apart
    if not (weight > 0.0 and weight_two > 0.0):
        return False
    if not (fabs(mean) <= ORDINARY_MEAN and fabs(mean_two) <= ORDINARY_MEAN):
        return False
    apart = sum_of(mean_two, -mean, &error)
    apart += error + (low_two - mean_low)
    if apart != 0.0 and not (SMALLEST_DISTANCE <= fabs(apart) <= ORDINARY_MEAN):
        return False
    high[0] = sum_of(mean, apart * (weight_two / (weight + weight_two)), &error)
    high[0] = sum_of(high[0], error + mean_low, low)
    difference[0] = apart
    return True


def add_means(
    const double[::1] weight, const double[::1] mean, const double[::1] mean_low,
    const double[::1] weight_two, const double[::1] mean_two, const double[::1] low_two,
    double[::1] count, double[::1] high, double[::1] low, double[::1] difference,
    double[::1] factor,
):
    """Merge the means of earlier and later rows; whether all was ordinary, so that it is done."""
    cdef Py_ssize_t j
    for j in range(mean.shape[0]):
        if not add_mean(
            weight[j], mean[j], mean_low[j], weight_two[j], mean_two[j], low_two[j],
            &high[j], &low[j], &difference[j],
        ):
            return False
        count[j] = weight[j] + weight_two[j]
        factor[j] = weight[j] * (weight_two[j] / count[j])
    return True


def merge_scatter(
    double weight, const double[::1] mean, const double[::1] mean_low,
    const double[:, ::1] first, const double[:, ::1] first_low,
    double weight_two, const double[::1] mean_two, const double[::1] low_two,
    const double[:, ::1] second, const double[:, ::1] second_low,
    double[::1] apart, double[::1] high, double[::1] low,
    double[:, ::1] matrix, double[:, ::1] matrix_low,
):
    """Merge means and scatter matrices; whether all was ordinary, so that it is done.

    A matrix is an unevaluated sum of two, and that of all rows is
    ``first + second + (apart * factor) apart'``.
    """
    cdef Py_ssize_t n_columns = mean.shape[0], i, j
    cdef double total, error, rounding, weighted
    with nogil:
        for j in range(n_columns):
            if not add_mean(
                weight, mean[j], mean_low[j], weight_two, mean_two[j], low_two[j],
                &high[j], &low[j], &apart[j],
            ):
                with gil:
                    return False
        for i in range(n_columns):
            weighted = apart[i] * (weight * (weight_two / (weight + weight_two)))
            for j in range(n_columns):
                total = sum_of(first[i, j], second[i, j], &error)
                error += first_low[i, j]
                error += second_low[i, j]
                total = sum_of(total, weighted * apart[j], &rounding)
                error += rounding
                matrix[i, j] = sum_of(total, error, &matrix_low[i, j])
    return True


cdef void sums_of(
    const double *x, Py_ssize_t n, const double *origin, bint squared, bint missing, double *sums
) noexcept nogil:
    """Sums, row by row, of the deviations from a number, or of their squares.

    Where something is missing, it is left out; the other rows get the same bits.
    """
    cdef double run[_ABREAST]
    cdef double low[_ABREAST]
    cdef double d
    cdef const double *column
    cdef Py_ssize_t start = 0, stop, i, j
    for i in range(_ABREAST):
        sums[i] = low[i] = 0.0
    while start < n:
        stop = min(n, start + LONG)
        for i in range(_ABREAST):
            run[i] = 0.0
        for j in range(start, stop):
            column = x + j * _ABREAST
            if missing:
                for i in range(_ABREAST):
                    d = column[i] - origin[i]
                    if column[i] == column[i]:
                        run[i] += d * d if squared else d
            elif squared:
                for i in range(_ABREAST):
                    d = column[i] - origin[i]
                    run[i] += d * d
            else:
                for i in range(_ABREAST):
                    run[i] += column[i] - origin[i]
        for i in range(_ABREAST):
            add_to(&sums[i], &low[i], run[i])
        start = stop
    for i in range(_ABREAST):
        sums[i] += low[i]


cdef void find_there(
    const double *x, Py_ssize_t n, bint centred, double *count, double *first
) noexcept nogil:
    """How many values of a row are not missing, and the first of them, if it is asked for."""
    cdef Py_ssize_t i, j
    for i in range(_ABREAST):
        count[i] = first[i] = 0.0
        for j in range(n):
            if x[j * _ABREAST + i] == x[j * _ABREAST + i]:
                if centred and count[i] == 0.0:
                    first[i] = x[j * _ABREAST + i]
                count[i] += 1.0


cdef bint normalize_abreast(
    double *x,
    Py_ssize_t n,
    const double *gamma,
    const double *beta,
    bint centred,
    double epsilon,
    unsigned char *left,
) noexcept nogil:
    """Normalize rows that lie side by side, ``x[j * ABREAST + i]`` being column j of row i.

    Those that are not ordinary are marked, and of no use afterwards. Whether nothing is missing.
    """
    cdef double first[_ABREAST]
    cdef double zero[_ABREAST]
    cdef double step[_ABREAST]
    cdef double square[_ABREAST]
    cdef double count[_ABREAST]
    cdef double width[_ABREAST]
    cdef double *column
    cdef bint missing = False
    cdef Py_ssize_t i, j
    for i in range(_ABREAST):
        first[i] = x[i] if centred else 0.0
        zero[i] = step[i] = 0.0
        count[i] = n
    sums_of(x, n, first, not centred, False, square)
    for i in range(_ABREAST):
        missing |= square[i] != square[i]
    if missing:
        find_there(x, n, centred, count, first)
        sums_of(x, n, first, not centred, True, square)
    if centred:
        for i in range(_ABREAST):
            step[i] = square[i] / count[i] if count[i] > 0.0 else 0.0
        for j in range(n):
            column = x + j * _ABREAST
            for i in range(_ABREAST):
                column[i] = (column[i] - first[i]) - step[i]
        sums_of(x, n, zero, True, missing, square)
    for i in range(_ABREAST):
        width[i] = sqrt(square[i] / count[i] + epsilon)
        left[i] = not (SMALLEST <= square[i] <= LARGEST)
        if centred and epsilon == 0.0 and width[i] < SPACING * fabs(first[i] + step[i]):
            left[i] = True
        if count[i] == 0.0:  # there is nothing to be normalized
            left[i] = False
    for j in range(n):
        column = x + j * _ABREAST
        for i in range(_ABREAST):
            column[i] = column[i] / width[i] * gamma[j] + beta[j]
    return not missing


cdef void read_abreast(
    const real[:, :] rows, Py_ssize_t start, Py_ssize_t height, const long long[::1] order, double *x
) noexcept nogil:
    """Put rows side by side; places for more rows than there are hold zeros."""
    cdef Py_ssize_t n_columns = order.shape[0], first = 0, last, i, j
    cdef Py_ssize_t row_stride = rows.strides[0] // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t column_stride = rows.strides[1] // <Py_ssize_t> sizeof(real)
    cdef const real *data = &rows[start, 0]
    cdef const real *column
    for j in range(n_columns if height < _ABREAST else 0):
        for i in range(height, _ABREAST):
            x[j * _ABREAST + i] = 0.0
    if row_stride == 1:
        for j in range(n_columns):
            column = data + order[j] * column_stride
            for i in range(height):
                x[j * _ABREAST + i] = column[i]
        return
    while first < height:
        last = min(height, first + LINE)
        for j in range(n_columns):
            column = data + order[j] * column_stride
            for i in range(first, last):
                x[j * _ABREAST + i] = column[i * row_stride]
        first = last


cdef void write_abreast(
    const double *x, const long long[::1] order, Py_ssize_t start, Py_ssize_t height,
    written[:, :] out,
) noexcept nogil:
    """Put rows that lie side by side where they belong."""
    cdef Py_ssize_t n_columns = order.shape[0], first = 0, last, i, j
    cdef Py_ssize_t row_stride = out.strides[0] // <Py_ssize_t> sizeof(written)
    cdef Py_ssize_t column_stride = out.strides[1] // <Py_ssize_t> sizeof(written)
    cdef written *data = &out[start, 0]
    cdef written *column
    if row_stride == 1:
        for j in range(n_columns):
            column = data + order[j] * column_stride
            for i in range(height):
                column[i] = <written> x[j * _ABREAST + i]
        return
    while first < height:
        last = min(height, first + LINE)
        for j in range(n_columns):
            column = data + order[j] * column_stride
            for i in range(first, last):
                column[i * row_stride] = <written> x[j * _ABREAST + i]
        first = last


def normalize_rows(
    const real[:, :] rows,
    const long long[::1] order,
    const long long[::1] starts,
    const double[::1] gamma,
    const double[::1] beta,
    bint centred,
    double epsilon,
    double[:, ::1] scratch,
    unsigned char[:, ::1] left,
    written[:, :] out,
):
    """Normalize the parts of rows that are ordinary, and mark those that are left.

    `order` has the columns part after part, and `starts` where in it each part begins; gamma and
    beta are in this order. `scratch` is of shape (n_columns, ABREAST), `left` of shape (n_rows,
    n_parts). True if nothing is missing.
    """
    cdef Py_ssize_t n_rows = rows.shape[0], n_parts = starts.shape[0] - 1
    cdef Py_ssize_t start = 0, height, first, i, k
    cdef double *x = &scratch[0, 0]
    cdef unsigned char of_part[_ABREAST]
    cdef bint complete = True
    with nogil:
        while start < n_rows:
            height = min(n_rows - start, <Py_ssize_t> _ABREAST)
            read_abreast(rows, start, height, order, x)
            for k in range(n_parts):
                first = starts[k]
                complete &= normalize_abreast(
                    x + first * _ABREAST, starts[k + 1] - first, &gamma[first], &beta[first],
                    centred, epsilon, of_part,
                )
                for i in range(height):
                    left[start + i, k] = of_part[i]
            write_abreast(x, order, start, height, out)
            start += height
    return complete
