// Mean squared error.

// The loss of each row, half its squared distance, and the derivative of their mean, (y - t) / n.
// y, t, dy: (n, m).  losses: (n,).  One warp per row.
extern "C" __global__ void mean_squared_error(const float* y, const float* t, float* losses, float* dy,
                                              int64 n, int64 m) {
    int64 row = row_of_warp();
    if (row >= n) return;
    float sum = 0.0f, share = 1.0f / (float)n;
    for (int64 i = row * m + threadIdx.x % 32; i < (row + 1) * m; i += 32) {
        float difference = y[i] - t[i];
        sum += difference * difference;
        dy[i] = difference * share;
    }
    sum = sum_in_warp(sum);
    if (threadIdx.x % 32 == 0) losses[row] = 0.5f * sum;
}
