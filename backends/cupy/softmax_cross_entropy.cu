// Softmax with loss, alone and after an Affine, and which rows are correct.

// Of a row, the target distribution t: keep * (soft[c], or 1 at the label and else 0) + spread.
// soft: (classes,), or null.
struct Target {
    const float* soft;
    int64 label;
    float keep, spread;
    __device__ float operator()(int c) const {
        float t = soft ? soft[c] : c == label ? 1.0f : 0.0f;
        return keep * t + spread;
    }
};

// The target of a row.  labels: (n,), or null; then soft: (n, classes).
__device__ Target target_of_row(const int64* labels, const float* soft, float keep, float spread, int64 row,
                                int classes) {
    return {soft ? soft + row * classes : soft, labels ? labels[row] : 0, keep, spread};
}

// One warp computes one row: its loss for logits z + b, and the derivative of the mean loss over n rows,
// (softmax - t) / n.  z, dz: (classes,); dz may be z.  b: (classes,), or null.
// Any number of classes, 32 at a time.
__device__ void softmax_of_row(const float* z, const float* b, Target target, float* loss, float* dz, int64 n,
                               int classes) {
    int lane = threadIdx.x % 32;
    float largest = z[0] + (b ? b[0] : 0.0f);
    for (int c = lane; c < classes; c += 32) largest = fmaxf(largest, z[c] + (b ? b[c] : 0.0f));
    largest = largest_in_warp(largest);
    float total = 0.0f, expected = 0.0f;
    for (int c = lane; c < classes; c += 32) {
        float below = z[c] + (b ? b[c] : 0.0f) - largest, t = target(c);
        total += expf(below);
        if (!(t <= 0.0f)) expected += t * below;  // also if t is NaN
    }
    total = sum_in_warp(total);
    expected = sum_in_warp(expected);
    if (lane == 0) *loss = logf(total) - expected;
    __syncwarp();  // dz may be z, and every lane has read z[0] now
    float share = 1.0f / (float)n;
    for (int c = lane; c < classes; c += 32) {
        float softmax = expf(z[c] + (b ? b[c] : 0.0f) - largest) / total;
        dz[c] = (softmax - target(c)) * share;
    }
}

// The loss of each row of logits z + b, and the derivative of their mean.
// z, dz: (n, classes); dz may be z.  b: (classes,), or null.  losses: (n,).  One warp per row.
// labels, soft, keep, spread: the targets, as for target_of_row.
extern "C" __global__ void softmax_cross_entropy(const float* z, const float* b, const int64* labels,
                                                 const float* soft, float keep, float spread, float* losses,
                                                 float* dz, int64 n, int classes) {
    int64 row = row_of_warp();
    if (row >= n) return;
    Target target = target_of_row(labels, soft, keep, spread, row, classes);
    softmax_of_row(z + row * classes, b, target, losses + row, dz + row * classes, n, classes);
}

const int MOST_CLASSES = 1024;  // that the next kernel takes

// The same for logits x W + b, a small product, and dx = dz W^T unless dx is null.
// x, dx: (n, d).  W: (d, classes).
// One block of 8 warps per row. For the logits the warps divide its d values, and the lanes take the classes; for
// dx each thread takes a value. AT_ONCE numbers are read at a time, so that they are on their way together.
extern "C" __global__ void affine_softmax_cross_entropy(const float* x, const float* W, const float* b,
                                                        const int64* labels, const float* soft, float keep,
                                                        float spread, float* losses, float* dz, float* dx, int n,
                                                        int d, int classes) {
    const int AT_ONCE = 8;
    __shared__ float sums[8][32], z[MOST_CLASSES];
    int row = blockIdx.x, lane = threadIdx.x % 32, part = threadIdx.x / 32;
    Target target = target_of_row(labels, soft, keep, spread, row, classes);
    for (int first = 0; first < classes; first += 32) {
        int c = first + lane;
        float sum = 0.0f, bias = c < classes ? b[c] : 0.0f;
        for (int q0 = part; q0 < d; q0 += 8 * AT_ONCE) {
            float value[AT_ONCE], weight[AT_ONCE];
            for (int e = 0; e < AT_ONCE; ++e) {
                int q = q0 + 8 * e;
                bool inside = q < d && c < classes;
                value[e] = inside ? x[row * d + q] : 0.0f;
                weight[e] = inside ? W[q * classes + c] : 0.0f;
            }
            for (int e = 0; e < AT_ONCE; ++e) sum += value[e] * weight[e];
        }
        sums[part][lane] = sum;
        __syncthreads();
        if (part == 0 && c < classes) {
            for (int other = 1; other < 8; ++other) sum += sums[other][lane];
            z[c] = sum + bias;
        }
        __syncthreads();
    }
    if (part == 0) {
        softmax_of_row(z, nullptr, target, losses + row, z, n, classes);
        for (int c = lane; c < classes; c += 32) dz[row * classes + c] = z[c];
    }
    if (!dx) return;
    __syncthreads();
    for (int q = threadIdx.x; q < d; q += THREADS) {
        float sum = 0.0f;
        for (int c0 = 0; c0 < classes; c0 += AT_ONCE) {
            float weight[AT_ONCE];
            for (int e = 0; e < AT_ONCE; ++e) weight[e] = c0 + e < classes ? W[q * classes + c0 + e] : 0.0f;
            for (int e = 0; e < AT_ONCE; ++e)
                if (c0 + e < classes) sum += z[c0 + e] * weight[e];
        }
        dx[row * d + q] = sum;
    }
}

// Whether entry i of a row is larger than entry j, or equal and further left. NaN counts as largest.
__device__ bool precedes(const float* x, int i, int j) {
    bool larger = x[i] > x[j] || (x[i] != x[i] && x[j] == x[j]);
    bool equal = x[i] == x[j] || (x[i] != x[i] && x[j] != x[j]);
    return larger || (equal && i < j);
}

// The place of the first largest entry of a row, found by a warp.
__device__ int first_largest(const float* x, int classes) {
    int lane = threadIdx.x % 32, best = lane < classes ? lane : 0;
    for (int c = lane + 32; c < classes; c += 32)
        if (precedes(x, c, best)) best = c;
    for (int other = 16; other; other /= 2) {
        int its = __shfl_xor_sync(WARP, best, other);
        if (precedes(x, its, best)) best = its;
    }
    return best;
}

// right[row] = whether the first largest entry of that row of logits is at the label, or where that of the
// soft targets is. No entry is at a label outside 0 to classes - 1.
// logits: (n, classes).  labels: (n,), or null; then soft: (n, classes).  right: (n,).  One warp per row.
extern "C" __global__ void correct(const float* logits, const int64* labels, const float* soft, bool* right,
                                   int64 n, int classes) {
    int64 row = row_of_warp();
    int lane = threadIdx.x % 32;
    if (row >= n) return;
    const float* z = logits + row * classes;
    int64 label = soft ? first_largest(soft + row * classes, classes) : labels[row];
    int before = label < 0 || label >= classes;
    for (int c = lane; c < classes && !before; c += 32)
        if (precedes(z, c, (int)label)) before = 1;
    before = __any_sync(WARP, before);
    if (lane == 0) right[row] = !before;
}
