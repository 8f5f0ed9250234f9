// BatchNorm: mean and variance of each feature over the batch, in one launch for each direction.
//
// x: (n, channels, inner), where `inner` counts the values of a feature in a sample. A block takes `width`
// adjacent features; its threads divide the values of each.

// Calls each(index) for those values of feature c that are this thread's share.
template <class Each>
__device__ void each_of_feature(int64 c, int64 n, int64 channels, int64 inner, int width, Each each) {
    int share = threadIdx.x / width, shares = blockDim.x / width;
    int64 sample = share / inner, place = share % inner;
    while (sample < n) {
        each((sample * channels + c) * inner + place);
        sample += shares / inner;
        place += shares % inner;
        if (place >= inner) place -= inner, ++sample;
    }
}

// x_hat = (x - mean) / sqrt(variance + eps), out = gamma x_hat + beta, factor = gamma / sqrt(variance + eps).
// new_mean, new_var: keep of the running ones, and 1 - keep of those of this batch.
// gamma, beta, factor, running and new ones: (channels,).
extern "C" __global__ void batch_norm(const float* x, const float* gamma, const float* beta,
                                      const float* running_mean, const float* running_var, float* out,
                                      float* x_hat, float* factor, float* new_mean, float* new_var, int64 n,
                                      int64 channels, int64 inner, int width, float keep, float rest,
                                      float eps) {
    int64 c = blockIdx.x * (int64)width + threadIdx.x % width;
    bool inside = c < channels;
    int64 samples = inside ? n : 0;
    float count = (float)(n * inner), sum = 0.0f, squares = 0.0f;
    each_of_feature(c, samples, channels, inner, width, [&](int64 i) { sum += x[i]; });
    float mean = sum_in_block(sum, width) / count;
    each_of_feature(c, samples, channels, inner, width, [&](int64 i) {
        float centred = x[i] - mean;
        squares += centred * centred;
    });
    float variance = sum_in_block(squares, width) / count;
    if (!inside) return;
    float scale = 1.0f / sqrtf(variance + eps), g = gamma[c], b = beta[c];
    each_of_feature(c, n, channels, inner, width, [&](int64 i) {
        float normalized = (x[i] - mean) * scale;
        x_hat[i] = normalized;
        out[i] = g * normalized + b;
    });
    if (threadIdx.x / width == 0) {
        factor[c] = g * scale;
        new_mean[c] = keep * running_mean[c] + rest * mean;
        new_var[c] = keep * running_var[c] + rest * variance;
    }
}

// dgamma = sum of dout x_hat, dbeta = sum of dout, and unless dx is null
// dx = factor (dout - dbeta / count - x_hat dgamma / count).
extern "C" __global__ void batch_norm_backward(const float* dout, const float* x_hat, const float* factor,
                                               float* dx, float* dgamma, float* dbeta, int64 n,
                                               int64 channels, int64 inner, int width) {
    int64 c = blockIdx.x * (int64)width + threadIdx.x % width;
    bool inside = c < channels;
    float count = (float)(n * inner), sum = 0.0f, along = 0.0f;
    each_of_feature(c, inside ? n : 0, channels, inner, width, [&](int64 i) {
        sum += dout[i];
        along += dout[i] * x_hat[i];
    });
    sum = sum_in_block(sum, width);
    along = sum_in_block(along, width);
    if (!inside) return;
    if (threadIdx.x / width == 0) {
        dgamma[c] = along;
        dbeta[c] = sum;
    }
    float f = factor[c], mean = sum / count, slope = along / count;
    if (dx)
        each_of_feature(c, n, channels, inner, width,
                        [&](int64 i) { dx[i] = f * (dout[i] - mean - x_hat[i] * slope); });
}
