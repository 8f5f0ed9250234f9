// Softmax with loss, alone and after an Affine, and which rows are correct.

// One warp computes one row: its loss for logits z + b, and the derivative of the mean loss over n rows,
// (softmax - one_hot) / n.  z, dz: (classes,); dz may be z.  b: (classes,), or null.
// Any number of classes, 32 at a time.
__device__ void softmax_of_row(const float* z, const float* b, int label, float* loss, float* dz, int64 n,
                               int classes) {
    int lane = threadIdx.x % 32;
    float largest = z[0] + (b ? b[0] : 0.0f);
    for (int c = lane; c < classes; c += 32) largest = fmaxf(largest, z[c] + (b ? b[c] : 0.0f));
    for (int other = 16; other; other /= 2)
        largest = fmaxf(largest, __shfl_xor_sync(WARP, largest, other));
    float total = 0.0f;
    for (int c = lane; c < classes; c += 32) total += expf(z[c] + (b ? b[c] : 0.0f) - largest);
    for (int other = 16; other; other /= 2) total += __shfl_xor_sync(WARP, total, other);
    if (lane == 0) *loss = logf(total) - (z[label] + (b ? b[label] : 0.0f) - largest);
    __syncwarp();  // dz may be z, and the loss has read it now
    float share = 1.0f / (float)n;
    for (int c = lane; c < classes; c += 32) {
        float softmax = expf(z[c] + (b ? b[c] : 0.0f) - largest) / total;
        dz[c] = (c == label ? softmax - 1.0f : softmax) * share;
    }
}

// The loss of each row of logits z + b, and the derivative of their mean.
// z, dz: (n, classes); dz may be z.  b: (classes,), or null.  labels: (n,).  losses: (n,).  One warp per row.
extern "C" __global__ void softmax_cross_entropy(const float* z, const float* b, const int64* labels,
                                                 float* losses, float* dz, int64 n, int classes) {
    int64 row = (blockIdx.x * (int64)blockDim.x + threadIdx.x) / 32;
    if (row >= n) return;
    softmax_of_row(z + row * classes, b, (int)labels[row], losses + row, dz + row * classes, n, classes);
}

// The same for logits x W + b, a small product; dz holds them temporarily.  x: (n, d).  W: (d, classes).
// One block of 8 warps per row: the warps divide its d values, the lanes take the classes.
extern "C" __global__ void affine_softmax_cross_entropy(const float* x, const float* W, const float* b,
                                                        const int64* labels, float* losses, float* dz, int n,
                                                        int d, int classes) {
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
    if (part == 0) softmax_of_row(z, b, (int)labels[row], losses + row, z, n, classes);
}

// right[row] = whether the first largest entry of that row of logits is at the label. NaN counts as largest.
// logits: (n, classes).  labels, right: (n,).  One warp per row.
extern "C" __global__ void correct(const float* logits, const int64* labels, bool* right, int64 n,
                                   int classes) {
    int lane = threadIdx.x % 32;
    int64 row = (blockIdx.x * (int64)blockDim.x + threadIdx.x) / 32;
    if (row >= n) return;
    const float* z = logits + row * classes;
    int label = (int)labels[row], before = 0;  // whether an entry ranks before the one at the label
    float at_label = z[label];
    for (int c = lane; c < classes; c += 32) {
        if (c == label) continue;
        bool larger = z[c] > at_label || (z[c] != z[c] && at_label == at_label);
        bool equal = z[c] == at_label || (z[c] != z[c] && at_label != at_label);
        if (larger || (equal && c < label)) before = 1;
    }
    before = __any_sync(WARP, before);
    if (lane == 0) right[row] = !before;
}
