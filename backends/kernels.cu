// The fused kernels for a CUDA GPU, float32. Each one's twin in plain array names stands in kernels.py.
//
// Every pointer is to a C-contiguous array. No kernel waits for the host, and none adds by atomics: the same
// arguments give the same bits.

typedef long long int64;

// A loop over `size` items by all threads of the grid.
#define EACH(i, size)                                                                       \
    for (int64 i = blockIdx.x * (int64)blockDim.x + threadIdx.x; i < (size);                \
         i += gridDim.x * (int64)blockDim.x)

const unsigned WARP = 0xffffffffu;  // all 32 threads of it

// out[n] = array[indices[n]], for rows of `width` words of 4 bytes, whatever they hold.
extern "C" __global__ void gather(const unsigned* array, const int64* indices, unsigned* out, int64 count,
                                  int64 width) {
    EACH(i, count * width) {
        int64 n = i / width;
        out[i] = array[indices[n] * width + (i - n * width)];
    }
}

// out = max(out + b, 0) in place; NaN stays NaN.  out: (size / m, m).  b: (m,).
extern "C" __global__ void bias_relu(float* out, const float* b, int64 size, int64 m) {
    EACH(i, size) {
        float value = out[i] + b[i % m];
        out[i] = value <= 0.0f ? 0.0f : value;
    }
}

// Both backwards that go with a bias: dz = dout, where out > 0 if `rectified`, else 0, and db = sum over n of dz.
// dout, out, dz: (n, m); dz may be dout.  A block of 32 x 8 threads has 32 columns; each column is summed in an
// order that only n decides.
extern "C" __global__ void bias_backward(const float* dout, const float* out, float* dz, float* db, int64 n,
                                         int64 m, int rectified) {
    __shared__ float sums[8][32];
    int64 column = blockIdx.x * (int64)32 + threadIdx.x;
    float sum = 0.0f;
    if (column < m) {
        for (int64 row = threadIdx.y; row < n; row += 8) {
            int64 i = row * m + column;
            float value = dout[i];
            if (rectified) {
                value = out[i] > 0.0f ? value : 0.0f;
                dz[i] = value;
            }
            sum += value;
        }
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < m) {
        for (int y = 1; y < 8; ++y) sum += sums[y][threadIdx.x];
        db[column] = sum;
    }
}

// The loss of each row of logits z + b and, where seed is not 0, seed · the derivative of their mean.
// z, dz: (n, classes); dz may be z.  b: (classes,), or null.  labels: (n,).  losses: (n,).
// A warp has a row: any number of classes, in steps of 32.
extern "C" __global__ void softmax_cross_entropy(const float* z, const float* b, const int64* labels,
                                                 float* losses, float* dz, int64 n, int classes, float seed) {
    int lane = threadIdx.x % 32;
    int64 row = (blockIdx.x * (int64)blockDim.x + threadIdx.x) / 32;
    if (row >= n) return;
    z += row * classes;
    int label = (int)labels[row];
    float largest = z[0] + (b ? b[0] : 0.0f);
    for (int c = lane; c < classes; c += 32) largest = fmaxf(largest, z[c] + (b ? b[c] : 0.0f));
    for (int other = 16; other; other /= 2) largest = fmaxf(largest, __shfl_xor_sync(WARP, largest, other));
    float total = 0.0f;
    for (int c = lane; c < classes; c += 32) total += expf(z[c] + (b ? b[c] : 0.0f) - largest);
    for (int other = 16; other; other /= 2) total += __shfl_xor_sync(WARP, total, other);
    if (lane == 0) losses[row] = logf(total) - (z[label] + (b ? b[label] : 0.0f) - largest);
    if (seed == 0.0f) return;
    __syncwarp();  // dz may be z, of which the loss has now been read
    dz += row * classes;
    float share = seed / (float)n;
    for (int c = lane; c < classes; c += 32) {
        float softmax = expf(z[c] + (b ? b[c] : 0.0f) - largest) / total;
        dz[c] = (c == label ? softmax - 1.0f : softmax) * share;
    }
}

// parameters -= learning_rate · gradients.
extern "C" __global__ void sgd(float* parameters, const float* gradients, float learning_rate, int64 size) {
    EACH(i, size) parameters[i] -= learning_rate * gradients[i];
}
