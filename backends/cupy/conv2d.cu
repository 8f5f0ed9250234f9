// Conv2D, alone and followed by ReLU: products of matrices of which none is written. One factor is the filters, or
// the gradient of the output; the other is gathered from the images while it is multiplied.

// Where a number lies: its offset among the images and in the other array, and its place in an image. What is
// gathered stems from two of them, added: of a window and of a place in the kernel.
struct Spot {
    int image, other, y, x;
};

// A block computes a tile of ROWS x COLUMNS, and each of its THREADS 4 x 4 entries, DEPTH summands at a time.
template <class Real>
struct Gathered {
    static const int ROWS = 32, COLUMNS = 64, DEPTH = 16, THREADS = ROWS * COLUMNS / 16;
    alignas(16) Real left[DEPTH][ROWS + 4];  // padded against bank conflicts
    Real right[DEPTH][COLUMNS + 1];
    Spot of_depth[DEPTH], of_column[COLUMNS];
};

__device__ int parts_of(int size, int part) { return (size + part - 1) / part; }

// Calls put(i, j, sum over q of left(i, q) * right(q, j)) for the entries i < rows, j < columns of a tile, where q
// runs from `first`, a multiple of DEPTH, to `last`. left and right get the Spots of q and of j.
// ALONG_DEPTH: adjacent numbers of `right` in memory differ in q.
template <bool ALONG_DEPTH, class Real, class OfDepth, class OfColumn, class Left, class Right, class Put>
__device__ void gathered_product(Gathered<Real>& tiles, int tile, int rows, int columns, int first, int last,
                                 OfDepth of_depth, OfColumn of_column, Left left, Right right, Put put) {
    typedef Gathered<Real> G;
    const int LEFT = G::ROWS * G::DEPTH / G::THREADS, RIGHT = G::COLUMNS * G::DEPTH / G::THREADS;
    int tall = parts_of(rows, G::ROWS), i0 = tile % tall * G::ROWS, j0 = tile / tall * G::COLUMNS;
    int thread = threadIdx.x, q_along = thread % G::DEPTH, line = thread / G::DEPTH;
    Real sum[4][4] = {}, next_left[LEFT], next_right[RIGHT];

    auto q_of = [=](int e) { return ALONG_DEPTH ? q_along : thread / G::COLUMNS + e * G::THREADS / G::COLUMNS; };
    auto j_of = [=](int e) { return ALONG_DEPTH ? line + e * G::THREADS / G::DEPTH : thread % G::COLUMNS; };
    auto locate = [&](int q0) {
        int q = thread - (G::THREADS - G::DEPTH);  // of the last warp; the first ones locate the columns
        if (q >= 0 && q0 + q < last) tiles.of_depth[q] = of_depth(q0 + q);
    };

    if (thread < G::COLUMNS && j0 + thread < columns) tiles.of_column[thread] = of_column(j0 + thread);
    locate(first);
    __syncthreads();
#pragma unroll 1
    for (int q0 = first - G::DEPTH; q0 < last; q0 += G::DEPTH) {
        int next = q0 + G::DEPTH;  // what it reads is on its way while the numbers before are multiplied
#pragma unroll
        for (int e = 0; e < LEFT; ++e) {
            int i = i0 + line + e * G::THREADS / G::DEPTH;
            next_left[e] = i < rows && next + q_along < last ? left(i, tiles.of_depth[q_along]) : 0;
        }
#pragma unroll
        for (int e = 0; e < RIGHT; ++e) {
            bool is_there = j0 + j_of(e) < columns && next + q_of(e) < last;
            next_right[e] = is_there ? right(tiles.of_depth[q_of(e)], tiles.of_column[j_of(e)]) : 0;
        }
        if (q0 >= first) {
#pragma unroll
            for (int q = 0; q < G::DEPTH; ++q)
#pragma unroll
                for (int y = 0; y < 4; ++y)
#pragma unroll
                    for (int x = 0; x < 4; ++x)
                        sum[y][x] += tiles.left[q][thread / 16 * 4 + y] * tiles.right[q][thread % 16 + 16 * x];
        }
        __syncthreads();
#pragma unroll
        for (int e = 0; e < LEFT; ++e) tiles.left[q_along][line + e * G::THREADS / G::DEPTH] = next_left[e];
#pragma unroll
        for (int e = 0; e < RIGHT; ++e) tiles.right[q_of(e)][j_of(e)] = next_right[e];
        locate(next + G::DEPTH);
        __syncthreads();
    }
#pragma unroll
    for (int y = 0; y < 4; ++y)
#pragma unroll
        for (int x = 0; x < 4; ++x) {
            int i = i0 + thread / 16 * 4 + y, j = j0 + thread % 16 + 16 * x;  // adjacent threads write side by side
            if (i < rows && j < columns) put(i, j, sum[y][x]);
        }
}

// The Spot of place q in all kernels of a filter, counted by channel, row and column.
__device__ Spot spot_of_kernel(const Windows& w, int q) {
    int c = q / w.kernel(), k = q % w.kernel(), i = k / w.kernel_width, j = k % w.kernel_width;
    return {c * w.pixels() + i * w.width + j, q, i, j};
}

// The Spot of a window, counted over all images. Its other array is (n, filters, across, along).
__device__ Spot spot_of_window(const Windows& w, int channels, int filters, int at) {
    int image = at / w.places(), place = at % w.places();
    int y = place / w.along * w.stride - w.padding, x = place % w.along * w.stride - w.padding;
    return {image * channels * w.pixels() + y * w.width + x, image * filters * w.places() + place, y, x};
}

template <class Real>
__device__ Real pixel_at(const Real* x, const Windows& w, const Spot& a, const Spot& b) {
    return w.inside(a.y + b.y, a.x + b.x) ? x[a.image + b.image] : 0;
}

// out = W columns + b, where the columns are the windows: rows are filters.
template <class Real>
__device__ void convolve(const Real* x, const Real* W, const Real* b, Real* out, int n, int channels, int filters,
                         const Windows& w, bool rectified) {
    __shared__ Gathered<Real> tiles;
    int depth = channels * w.kernel();
    gathered_product<false>(
        tiles, blockIdx.x, filters, n * w.places(), 0, depth, [=](int q) { return spot_of_kernel(w, q); },
        [=](int j) { return spot_of_window(w, channels, filters, j); },
        [=](int f, const Spot& q) { return W[f * depth + q.other]; },
        [=](const Spot& q, const Spot& window) { return pixel_at(x, w, q, window); },
        [=](int f, int j, Real value) {
            value += b[f];
            int image = j / w.places();
            out[(image * filters + f) * w.places() + j % w.places()] = rectified && value <= 0 ? 0 : value;
        });
}

// dW = dz columns^T, with db as a further column, as if each window had a one more: over `length` windows in each
// part. The other blocks compute dx, unless it is null: each pixel gathers dz from the windows that meet it.
template <class Real>
__device__ void convolve_backward(const Real* dout, const Real* out, const Real* x, const Real* W, Real* sums,
                                  Real* dx, int n, int channels, int filters, const Windows& w, int parts,
                                  int length) {
    typedef Gathered<Real> G;
    __shared__ Gathered<Real> tiles;
    auto dz = [=](int i) { return !out || out[i] > 0 ? dout[i] : 0; };
    int depth = channels * w.kernel(), windows = n * w.places();
    int of_part = parts_of(filters, G::ROWS) * parts_of(depth + 1, G::COLUMNS), block = blockIdx.x;
    if (block < parts * of_part) {
        int part = block / of_part, first = part * length, last = first + length < windows ? first + length : windows;
        gathered_product<true>(
            tiles, block % of_part, filters, depth + 1, first, last,
            [=](int at) { return spot_of_window(w, channels, filters, at); },
            [=](int q) { return spot_of_kernel(w, q); },
            [=](int f, const Spot& window) { return dz(f * w.places() + window.other); },
            [=](const Spot& window, const Spot& q) { return q.other < depth ? pixel_at(x, w, window, q) : 1; },
            [=](int f, int q, Real value) { sums[(part * filters + f) * (depth + 1) + q] = value; });
    } else {
        gathered_product<false>(
            tiles, block - parts * of_part, channels, n * w.pixels(), 0, filters * w.kernel(),
            [=](int q) {
                int f = q / w.kernel(), k = q % w.kernel();
                return Spot{f * w.places(), f * depth + k, -(k / w.kernel_width), -(k % w.kernel_width)};
            },
            [=](int j) {
                int image = j / w.pixels(), pixel = j % w.pixels();
                return Spot{image * filters * w.places(), 0, pixel / w.width + w.padding,
                            pixel % w.width + w.padding};
            },
            [=](int c, const Spot& q) { return W[c * w.kernel() + q.other]; },
            [=](const Spot& q, const Spot& pixel) {
                int y = q.y + pixel.y, x = q.x + pixel.x;
                if (y < 0 || x < 0) return Real(0);
                if (w.stride > 1) {
                    int top = y / w.stride, left = x / w.stride;
                    if (top * w.stride != y || left * w.stride != x) return Real(0);
                    y = top, x = left;
                }
                return y < w.across && x < w.along ? dz(q.image + pixel.image + y * w.along + x) : Real(0);
            },
            [=](int c, int j, Real value) {
                int image = j / w.pixels();
                dx[(image * channels + c) * w.pixels() + j % w.pixels()] = value;
            });
    }
}

// The sums over all parts, in a fixed order: dW and its further column, db.  sums: (parts, filters, depth + 1).
// A block of 32 x 8 threads takes 32 entries.
template <class Real>
__device__ void add_parts(const Real* sums, Real* dW, Real* db, int parts, int filters, int depth) {
    __shared__ Real shares[8][32];
    int size = filters * (depth + 1), i = blockIdx.x * 32 + threadIdx.x;
    Real sum = 0;
    if (i < size)
        for (int part = threadIdx.y; part < parts; part += 8) sum += sums[part * size + i];
    shares[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y > 0 || i >= size) return;
    for (int other = 1; other != 8; ++other) sum += shares[other][threadIdx.x];
    int f = i / (depth + 1), q = i % (depth + 1);
    (q < depth ? dW[f * depth + q] : db[f]) = sum;
}

// x, dx: (n, channels, height, width).  W, dW: (filters, channels, kernel_height, kernel_width).  b, db: (filters,).
// out, dout: (n, filters, across, along).  rectified: a ReLU follows; NaN stays NaN.  In backward, out is null
// unless one does.
extern "C" __global__ void conv2d(const float* x, const float* W, const float* b, float* out, int n, int channels,
                                  int filters, int height, int width, int kernel_height, int kernel_width,
                                  int across, int along, int stride, int padding, int rectified) {
    Windows w = {height, width, kernel_height, kernel_width, across, along, stride, padding};
    convolve(x, W, b, out, n, channels, filters, w, rectified);
}

extern "C" __global__ void conv2d_backward(const float* dout, const float* out, const float* x, const float* W,
                                           float* sums, float* dx, int n, int channels, int filters, int height,
                                           int width, int kernel_height, int kernel_width, int across, int along,
                                           int stride, int padding, int parts, int length) {
    Windows w = {height, width, kernel_height, kernel_width, across, along, stride, padding};
    convolve_backward(dout, out, x, W, sums, dx, n, channels, filters, w, parts, length);
}

extern "C" __global__ void conv2d_sums(const float* sums, float* dW, float* db, int parts, int filters, int depth) {
    add_parts(sums, dW, db, parts, filters, depth);
}

// The same in float64.

extern "C" __global__ void conv2d_double(const double* x, const double* W, const double* b, double* out, int n,
                                         int channels, int filters, int height, int width, int kernel_height,
                                         int kernel_width, int across, int along, int stride, int padding,
                                         int rectified) {
    Windows w = {height, width, kernel_height, kernel_width, across, along, stride, padding};
    convolve(x, W, b, out, n, channels, filters, w, rectified);
}

extern "C" __global__ void conv2d_backward_double(const double* dout, const double* out, const double* x,
                                                  const double* W, double* sums, double* dx, int n, int channels,
                                                  int filters, int height, int width, int kernel_height,
                                                  int kernel_width, int across, int along, int stride,
                                                  int padding, int parts, int length) {
    Windows w = {height, width, kernel_height, kernel_width, across, along, stride, padding};
    convolve_backward(dout, out, x, W, sums, dx, n, channels, filters, w, parts, length);
}

extern "C" __global__ void conv2d_sums_double(const double* sums, double* dW, double* db, int parts, int filters,
                                              int depth) {
    add_parts(sums, dW, db, parts, filters, depth);
}
