// GlobalAveragePool2D: the mean of each channel over the image.

// out = the mean of each row.  x: (rows, size).  out: (rows,).  One warp per row.
extern "C" __global__ void global_average_pool2d(const float* x, float* out, int64 rows, int64 size) {
    int64 row = row_of_warp();
    if (row >= rows) return;
    float sum = 0.0f;
    for (int64 i = threadIdx.x % 32; i < size; i += 32) sum += x[row * size + i];
    sum = sum_in_warp(sum);
    if (threadIdx.x % 32 == 0) out[row] = sum / (float)size;
}

// dx = dout of the row / pixels.  dout: (rows,).  dx: (rows, pixels).
extern "C" __global__ void global_average_pool2d_backward(const float* dout, float* dx, int64 pixels, int64 size) {
    EACH(i, size) dx[i] = dout[i / pixels] / (float)pixels;
}
