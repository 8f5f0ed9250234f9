// LayerNorm: mean and variance of each sample, in one launch for each direction.  x: (n, size).

const int COLUMNS = 8;  // of a block that sums over the samples

// x_hat = (x - mean) / sqrt(variance + eps), out = gamma x_hat + beta, scale = 1 / sqrt(variance + eps).
// gamma, beta: (size,).  scale: (n,).  One block per sample.
extern "C" __global__ void layer_norm(const float* x, const float* gamma, const float* beta, float* out,
                                      float* x_hat, float* scale, int64 size, float eps) {
    int64 row = blockIdx.x * size;
    float sum = 0.0f, squares = 0.0f;
    for (int64 j = threadIdx.x; j < size; j += blockDim.x) sum += x[row + j];
    float mean = sum_in_block(sum, 1) / (float)size;
    for (int64 j = threadIdx.x; j < size; j += blockDim.x) {
        float centred = x[row + j] - mean;
        squares += centred * centred;
    }
    float s = 1.0f / sqrtf(sum_in_block(squares, 1) / (float)size + eps);
    for (int64 j = threadIdx.x; j < size; j += blockDim.x) {
        float normalized = (x[row + j] - mean) * s;
        x_hat[row + j] = normalized;
        out[row + j] = gamma[j] * normalized + beta[j];
    }
    if (threadIdx.x == 0) scale[blockIdx.x] = s;
}

// dgamma = sum over n of dout x_hat, dbeta = sum over n of dout. Unless dx is null, with g = gamma dout,
// dx = scale (g - mean(g) - x_hat mean(g x_hat)).
// The first blocks sum COLUMNS columns each, over all samples; the others compute dx, one sample each.
extern "C" __global__ void layer_norm_backward(const float* dout, const float* x_hat, const float* gamma,
                                               const float* scale, float* dx, float* dgamma, float* dbeta,
                                               int64 n, int64 size) {
    int64 of_columns = (size + COLUMNS - 1) / COLUMNS;
    float sum = 0.0f, along = 0.0f;
    if (blockIdx.x < of_columns) {
        int64 j = blockIdx.x * (int64)COLUMNS + threadIdx.x % COLUMNS;
        if (j < size) {
            for (int64 row = threadIdx.x / COLUMNS; row < n; row += blockDim.x / COLUMNS) {
                sum += dout[row * size + j];
                along += dout[row * size + j] * x_hat[row * size + j];
            }
        }
        sum = sum_in_block(sum, COLUMNS);
        along = sum_in_block(along, COLUMNS);
        if (threadIdx.x < COLUMNS && j < size) {
            dgamma[j] = along;
            dbeta[j] = sum;
        }
    } else {
        int64 sample = blockIdx.x - of_columns, row = sample * size;
        for (int64 j = threadIdx.x; j < size; j += blockDim.x) {
            float g = gamma[j] * dout[row + j];
            sum += g;
            along += g * x_hat[row + j];
        }
        float mean = sum_in_block(sum, 1) / (float)size, slope = sum_in_block(along, 1) / (float)size;
        float s = scale[sample];
        for (int64 j = threadIdx.x; j < size; j += blockDim.x)
            dx[row + j] = s * (gamma[j] * dout[row + j] - mean - x_hat[row + j] * slope);
    }
}
