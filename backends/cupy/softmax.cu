// Softmax of rows.  x, out, dout, dx: (n, classes).  One warp per row; any number of classes, 32 at a time.

extern "C" __global__ void softmax(const float* x, float* out, int64 n, int64 classes) {
    int64 row = row_of_warp();
    int lane = threadIdx.x % 32;
    if (row >= n) return;
    x += row * classes, out += row * classes;
    float largest = x[0], total = 0.0f;
    for (int64 c = lane; c < classes; c += 32) largest = fmaxf(largest, x[c]);
    largest = largest_in_warp(largest);
    for (int64 c = lane; c < classes; c += 32) total += expf(x[c] - largest);
    total = sum_in_warp(total);
    for (int64 c = lane; c < classes; c += 32) out[c] = expf(x[c] - largest) / total;
}

// dx = out (dout - sum of dout out). The sum of the difference, which ought to be 0, is subtracted once more:
// it restores digits where an out is nearly 1.
extern "C" __global__ void softmax_backward(const float* dout, const float* out, float* dx, int64 n,
                                            int64 classes) {
    int64 row = row_of_warp();
    int lane = threadIdx.x % 32;
    if (row >= n) return;
    dout += row * classes, out += row * classes, dx += row * classes;
    float along = 0.0f, rest = 0.0f;
    for (int64 c = lane; c < classes; c += 32) along += dout[c] * out[c];
    along = sum_in_warp(along);
    for (int64 c = lane; c < classes; c += 32) rest += (dout[c] - along) * out[c];
    rest = sum_in_warp(rest);
    for (int64 c = lane; c < classes; c += 32) dx[c] = out[c] * (dout[c] - along - rest);
}
