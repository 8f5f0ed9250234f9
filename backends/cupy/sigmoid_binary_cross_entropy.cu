// Sigmoid with loss.

// The loss of each row of logits, and the derivative of their mean, (sigmoid(z) - t) / n. Both are computed
// from what the target and sigmoid(z) give to the other side of 0 than z, so that they keep their digits.
// z, t, dz: (n, m).  losses: (n,).  One warp per row.
extern "C" __global__ void sigmoid_binary_cross_entropy(const float* z, const float* t, float* losses,
                                                        float* dz, int64 n, int64 m) {
    int64 row = row_of_warp();
    if (row >= n) return;
    float sum = 0.0f, share = 1.0f / (float)n;
    for (int64 i = row * m + threadIdx.x % 32; i < (row + 1) * m; i += 32) {
        bool positive = z[i] > 0.0f;
        float size = positive ? z[i] : -z[i], w = positive ? 1.0f - t[i] : t[i];
        float e = expf(-size), p = e / (1.0f + e);
        sum += size * w + log1pf(e);
        dz[i] = (positive ? w - p : p - w) * share;
    }
    sum = sum_in_warp(sum);
    if (threadIdx.x % 32 == 0) losses[row] = sum;
}
