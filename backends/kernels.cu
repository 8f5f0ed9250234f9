// The fused kernels for a CUDA GPU, float32. Each one's twin in plain array names stands in kernels.py.
//
// Every pointer is to a C-contiguous array. No kernel waits for the host, and none adds floating-point numbers by
// atomics: the same arguments give the same bits.
//
// A step of a small network is bound by the number of launches and by the latency of each, not by arithmetic. So
// there are two ways through it: where products are large, cuBLAS computes them, and the kernels of the first part
// do all that lies between two products in one pass; where they are small, those of the second part compute a
// product together with what comes before and after it, a launch for each layer and direction.

typedef long long int64;
typedef unsigned char byte;

// A loop over `size` items by all threads of the grid.
#define EACH(i, size)                                                                       \
    for (int64 i = blockIdx.x * (int64)blockDim.x + threadIdx.x; i < (size);                \
         i += gridDim.x * (int64)blockDim.x)

const unsigned WARP = 0xffffffffu;  // all 32 threads of it

// ------------------------------------------------------------------------------------- between two large products

// out = out + b in place, and max(that, 0) if `rectified`; NaN stays NaN.  out: (n, m).  b: (m,).  A block has a row.
extern "C" __global__ void add_bias(float* out, const float* b, int64 m, int rectified) {
    out += blockIdx.x * m;
    for (int64 j = threadIdx.x; j < m; j += blockDim.x) {
        float value = out[j] + b[j];
        out[j] = rectified && value <= 0.0f ? 0.0f : value;
    }
}

// Both backwards that go with a bias: dz = dout, where out > 0 if there is an out, else 0, and the sums of the columns
// of dz, one for every `rows` rows.  dout, out, dz: (n, m); dz may be dout.  sums: (n / rows, m).
// A block of 32 x 8 threads has 32 columns of those rows; each is summed in an order that only `rows` decides.
extern "C" __global__ void bias_backward(const float* dout, const float* out, float* dz, float* sums, int64 n,
                                         int64 m, int64 rows) {
    __shared__ float parts[8][32];
    int64 across = (m + 31) / 32, column = blockIdx.x % across * 32 + threadIdx.x;
    int64 part = blockIdx.x / across, end = (part + 1) * rows < n ? (part + 1) * rows : n;
    float sum = 0.0f;
    if (column < m) {
        for (int64 row = part * rows + threadIdx.y; row < end; row += 8) {
            int64 i = row * m + column;
            float value = dout[i];
            if (out) {
                value = out[i] > 0.0f ? value : 0.0f;
                dz[i] = value;
            }
            sum += value;
        }
    }
    parts[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < m) {
        for (int y = 1; y < 8; ++y) sum += parts[y][threadIdx.x];
        sums[part * m + column] = sum;
    }
}

// By a warp, for one row: its loss, of logits z + b, and where seed is not 0, seed / n * (softmax - one_hot).
// z, dz: (classes,); dz may be z.  b: (classes,), or null.  Any number of classes, in steps of 32.
__device__ void softmax_of_row(const float* z, const float* b, int label, float* loss, float* dz, int64 n,
                               int classes, float seed) {
    int lane = threadIdx.x % 32;
    float largest = z[0] + (b ? b[0] : 0.0f);
    for (int c = lane; c < classes; c += 32) largest = fmaxf(largest, z[c] + (b ? b[c] : 0.0f));
    for (int other = 16; other; other /= 2) largest = fmaxf(largest, __shfl_xor_sync(WARP, largest, other));
    float total = 0.0f;
    for (int c = lane; c < classes; c += 32) total += expf(z[c] + (b ? b[c] : 0.0f) - largest);
    for (int other = 16; other; other /= 2) total += __shfl_xor_sync(WARP, total, other);
    if (lane == 0) *loss = logf(total) - (z[label] + (b ? b[label] : 0.0f) - largest);
    if (seed == 0.0f) return;
    __syncwarp();  // dz may be z, of which the loss has now been read
    float share = seed / (float)n;
    for (int c = lane; c < classes; c += 32) {
        float softmax = expf(z[c] + (b ? b[c] : 0.0f) - largest) / total;
        dz[c] = (c == label ? softmax - 1.0f : softmax) * share;
    }
}

// The loss of each row of logits z + b and, where seed is not 0, seed * the derivative of their mean.
// z, dz: (n, classes); dz may be z.  b: (classes,), or null.  labels: (n,).  losses: (n,).  A warp has a row.
extern "C" __global__ void softmax_cross_entropy(const float* z, const float* b, const int64* labels,
                                                 float* losses, float* dz, int64 n, int classes, float seed) {
    int64 row = (blockIdx.x * (int64)blockDim.x + threadIdx.x) / 32;
    if (row >= n) return;
    softmax_of_row(z + row * classes, b, (int)labels[row], losses + row, dz + row * classes, n, classes, seed);
}

// ---------------------------------------------------------------------- small products, and what goes with them
// Small means that every array has fewer than 2^31 entries, so that `int` can count them: 64 bits would cost a third
// of the registers, and with them the blocks that a multiprocessor can hold.

// A tile of a product, TILE x TILE, by a block of THREADS. Each thread has 2 x 2 of its entries and every
// SHARES-th of the k summands; the shares are then added in a fixed order.
const int TILE = 8, THREADS = 256, SHARES = THREADS / (TILE / 2 * TILE / 2);
const int DEPTH = 256;                        // summands that are in shared memory at once
const int LOADS = TILE * DEPTH / THREADS;     // of each operand, by a thread

struct Tiles {  // a column more, so that what is read together lies in different banks of the memory
    float a[TILE][DEPTH + 1], b[DEPTH][TILE + 1], sums[SHARES][TILE * TILE + 1];
};

__device__ int tiles_of(int m, int n) { return ((m + TILE - 1) / TILE) * ((n + TILE - 1) / TILE); }

// Where in a tile a thread puts the e-th number that it loads, counted along memory: neighbours differ in q if
// ALONG_Q, else in the row or column.
template <bool ALONG_Q>
struct Place {
    int line, q;
    __device__ Place(int e) {
        int i = e * THREADS + threadIdx.x;
        line = ALONG_Q ? i / DEPTH : i % TILE;
        q = ALONG_Q ? i % DEPTH : i / TILE;
    }
};

// put(i, j, sum over q < k of a(i, q) * b(q, j)) for the entries i < m, j < n of a tile.
// A_ALONG_Q, B_ALONG_Q: whether neighbours in the operand's memory differ in q.
template <bool A_ALONG_Q, bool B_ALONG_Q, class A, class B, class Put>
__device__ void product(Tiles& tiles, int tile, int m, int n, int k, A a, B b, Put put) {
    int across = (n + TILE - 1) / TILE, i0 = tile / across * TILE, j0 = tile % across * TILE;
    int thread = threadIdx.x, share = thread % SHARES, quad = thread / SHARES;
    int i = quad / (TILE / 2) * 2, j = quad % (TILE / 2) * 2;
    float sum[2][2] = {{0.0f, 0.0f}, {0.0f, 0.0f}}, next_a[LOADS], next_b[LOADS];

    auto load = [&](int q0) {
        for (int e = 0; e < LOADS; ++e) {
            Place<A_ALONG_Q> in_a(e);
            Place<B_ALONG_Q> in_b(e);
            bool is_a = i0 + in_a.line < m && q0 + in_a.q < k, is_b = j0 + in_b.line < n && q0 + in_b.q < k;
            next_a[e] = is_a ? a(i0 + in_a.line, q0 + in_a.q) : 0.0f;
            next_b[e] = is_b ? b(q0 + in_b.q, j0 + in_b.line) : 0.0f;
        }
    };

    load(0);
    for (int q0 = 0; q0 < k; q0 += DEPTH) {
        for (int e = 0; e < LOADS; ++e) {
            Place<A_ALONG_Q> in_a(e);
            Place<B_ALONG_Q> in_b(e);
            tiles.a[in_a.line][in_a.q] = next_a[e];
            tiles.b[in_b.q][in_b.line] = next_b[e];
        }
        __syncthreads();
        if (q0 + DEPTH < k) load(q0 + DEPTH);  // on their way while these are multiplied
        int depth = k - q0 < DEPTH ? k - q0 : DEPTH;
        for (int q = share; q < depth; q += SHARES) {
            float a0 = tiles.a[i][q], a1 = tiles.a[i + 1][q], b0 = tiles.b[q][j], b1 = tiles.b[q][j + 1];
            sum[0][0] += a0 * b0;
            sum[0][1] += a0 * b1;
            sum[1][0] += a1 * b0;
            sum[1][1] += a1 * b1;
        }
        __syncthreads();
    }
    for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 2; ++x) tiles.sums[share][(i + y) * TILE + j + x] = sum[y][x];
    __syncthreads();
    i = i0 + thread / TILE, j = j0 + thread % TILE;
    if (thread < TILE * TILE && i < m && j < n) {
        float total = 0.0f;
        for (int s = 0; s < SHARES; ++s) total += tiles.sums[s][thread];
        put(i, j, total);
    }
}

// out = x W + b, and max(that, 0) if `rectified`; NaN stays NaN.  x: (n, d).  W: (d, m).  b: (m,).  out: (n, m).
// A block has a tile of out.
extern "C" __global__ void affine(const float* x, const float* W, const float* b, float* out, int n, int d, int m,
                                  int rectified) {
    __shared__ Tiles tiles;
    product<true, false>(
        tiles, blockIdx.x, n, m, d, [=](int i, int q) { return x[i * d + q]; },
        [=](int q, int j) { return W[q * m + j]; },
        [=](int i, int j, float value) {
            value += b[j];
            out[i * m + j] = rectified && value <= 0.0f ? 0.0f : value;
        });
}

// dW = x^T dz, db = sum over n of dz, and dx = dz W^T if there is a dx, where dz = dout, but 0 where out is not
// positive, if there is an out.  dout, out: (n, m).  x, dx: (n, d).  W, dW: (d, m).  db: (m,).
// A block has a tile of dW, with db as one more row, as if x had a column of ones; those behind them have dx.
extern "C" __global__ void __launch_bounds__(THREADS, 4) affine_backward(const float* dout, const float* out, const float* x, const float* W,
                                           float* dW, float* db, float* dx, int n, int d, int m) {
    __shared__ Tiles tiles;
    auto dz = [=](int i, int j) { return !out || out[i * m + j] > 0.0f ? dout[i * m + j] : 0.0f; };
    int block = blockIdx.x, of_dW = tiles_of(d + 1, m);
    if (block < of_dW)
        product<false, false>(
            tiles, block, d + 1, m, n, [=](int i, int q) { return i < d ? x[q * d + i] : 1.0f; }, dz,
            [=](int i, int j, float value) { (i < d ? dW[i * m + j] : db[j]) = value; });
    else
        product<true, true>(
            tiles, block - of_dW, n, d, m, dz, [=](int q, int j) { return W[j * m + q]; },
            [=](int i, int j, float value) { dx[i * d + j] = value; });
}

// `softmax_cross_entropy` of the logits x W + b, which lie in dz in between.  x: (n, d).  W: (d, classes).
// A block of 8 warps has a row: the warps share its d values, the lanes have the classes.
extern "C" __global__ void affine_softmax_cross_entropy(const float* x, const float* W, const float* b,
                                                        const int64* labels, float* losses, float* dz, int n,
                                                        int d, int classes, float seed) {
    __shared__ float sums[8][32];
    int row = blockIdx.x, lane = threadIdx.x % 32, part = threadIdx.x / 32;
    float* z = dz + row * classes;
    for (int first = 0; first < classes; first += 32) {
        int c = first + lane;
        float sum = 0.0f;
        if (c < classes)
            for (int q = part; q < d; q += 8) sum += x[row * d + q] * W[q * classes + c];
        sums[part][lane] = sum;
        __syncthreads();
        if (part == 0 && c < classes) {
            for (int other = 1; other < 8; ++other) sum += sums[other][lane];
            z[c] = sum;
        }
        __syncthreads();
    }
    if (part == 0) softmax_of_row(z, b, (int)labels[row], losses + row, z, n, classes, seed);
}

// --------------------------------------------------------------------------------------- the rest of a training

// out[n] = array[indices[n]], for rows of `width` words of 4 bytes, whatever they hold.
extern "C" __global__ void gather(const unsigned* array, const int64* indices, unsigned* out, int64 count,
                                  int64 width) {
    EACH(i, count * width) {
        int64 n = i / width;
        out[i] = array[indices[n] * width + (i - n * width)];
    }
}

// A batch and its labels: x_out[n] = x[batch[n]], labels_out[n] = labels[batch[n]].  x: (S, width).
// A block has a row.
extern "C" __global__ void minibatch(const float* x, const int64* labels, const int64* batch, float* x_out,
                                     int64* labels_out, int64 width) {
    int64 n = blockIdx.x, sample = batch[n];
    for (int64 i = threadIdx.x; i < width; i += blockDim.x) x_out[n * width + i] = x[sample * width + i];
    if (threadIdx.x == 0) labels_out[n] = labels[sample];
}

// The same where bytes stand for x = bytes / 255: the division of pixels that `load_mnist` makes, to the bit.
extern "C" __global__ void minibatch_of_bytes(const byte* x, const int64* labels, const int64* batch, float* x_out,
                                              int64* labels_out, int64 width) {
    int64 n = blockIdx.x, sample = batch[n];
    for (int64 i = threadIdx.x; i < width; i += blockDim.x)
        x_out[n * width + i] = (float)x[sample * width + i] / 255.0f;
    if (threadIdx.x == 0) labels_out[n] = labels[sample];
}

// bytes = 255 x, rounded; *differ becomes 1 where some bytes / 255 is not x, to the bit.
extern "C" __global__ void to_bytes(const float* x, byte* bytes, int* differ, int64 size) {
    EACH(i, size) {
        float value = x[i];
        bool fits = value >= 0.0f && value <= 1.0f;  // not NaN either
        bytes[i] = fits ? (byte)(value * 255.0f + 0.5f) : 0;
        // By their bits, since -0 equals 0, and so does a subnormal number where those are flushed to 0.
        if (!fits || __float_as_int((float)bytes[i] / 255.0f) != __float_as_int(value)) *differ = 1;
    }
}

// parameters -= rate * gradients.  rate: `learning_rate`, or the number on the device where there is one.
extern "C" __global__ void sgd(float* parameters, const float* gradients, float learning_rate,
                               const float* on_device, int64 size) {
    float rate = on_device ? *on_device : learning_rate;
    EACH(i, size) parameters[i] -= rate * gradients[i];
}

// *count += the rows of logits whose largest entry, the first of them, is at the label; NaN counts as largest.
// logits: (n, classes).  A warp has a row.
extern "C" __global__ void count_correct(const float* logits, const int64* labels, int64* count, int64 n,
                                         int classes) {
    int lane = threadIdx.x % 32;
    int64 row = (blockIdx.x * (int64)blockDim.x + threadIdx.x) / 32;
    if (row >= n) return;
    const float* z = logits + row * classes;
    int label = (int)labels[row], before = 0;  // whether an entry goes before the one at the label
    float at_label = z[label];
    for (int c = lane; c < classes; c += 32) {
        if (c == label) continue;
        bool larger = z[c] > at_label || (z[c] != z[c] && at_label == at_label);
        bool equal = z[c] == at_label || (z[c] != z[c] && at_label != at_label);
        if (larger || (equal && c < label)) before = 1;
    }
    if (!__any_sync(WARP, before) && lane == 0) atomicAdd((unsigned long long*)count, 1ull);
}
