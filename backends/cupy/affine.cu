// Affine, alone and followed by ReLU.

// ------------------------------------------------------------------------------- between two large products

// out = out + b in place, or max(out + b, 0) if `rectified`; NaN stays NaN.  out: (n, m).  b: (m,).
// One block per row.
extern "C" __global__ void add_bias(float* out, const float* b, int64 m, int rectified) {
    out += blockIdx.x * m;
    for (int64 j = threadIdx.x; j < m; j += blockDim.x) {
        float value = out[j] + b[j];
        out[j] = rectified && value <= 0.0f ? 0.0f : value;
    }
}

// Column sums of dz, one for every `rows` rows. Without an out, dz is dout; with one, dz = dout where out > 0,
// else 0, and is written.  dout, out, dz: (n, m).  sums: (n / rows, m).
// A block of 32 x 8 threads sums 32 columns of those rows, in an order that depends only on `rows`.
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

// ---------------------------------------------------- small products, fused with the operations around them

// out = x W + b, or max(x W + b, 0) if `rectified`; NaN stays NaN.
// x: (n, d).  W: (d, m).  b: (m,).  out: (n, m).  One block per tile of out.
extern "C" __global__ void affine(const float* x, const float* W, const float* b, float* out, int n, int d,
                                  int m, int rectified) {
    __shared__ Tiles tiles;
    product<true, false>(
        tiles, blockIdx.x, n, m, d, [=](int i, int q) { return x[i * d + q]; },
        [=](int q, int j) { return W[q * m + j]; },
        [=](int i, int j, float value) {
            value += b[j];
            out[i * m + j] = rectified && value <= 0.0f ? 0.0f : value;
        });
}

// dW = x^T dz, db = sum over n of dz, and dx = dz W^T unless dx is null. dz is dout; if out is not null, it is 0
// where out is not positive.  dout, out: (n, m).  x, dx: (n, d).  W, dW: (d, m).  db: (m,).
// The first blocks compute one tile of dW each, with db as an extra row, as if x had a column of ones. The
// others compute dx.
extern "C" __global__ void __launch_bounds__(THREADS, 4)
    affine_backward(const float* dout, const float* out, const float* x, const float* W, float* dW, float* db,
                    float* dx, int n, int d, int m) {
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
