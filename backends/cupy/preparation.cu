// Clipping and weight decay, before an update.

// out = g + decay w; out may be g.  w, g, decay: (size,).
extern "C" __global__ void decay_gradient(const float* w, const float* g, const float* decay, float* out,
                                          int64 size) {
    EACH(i, size) out[i] = g[i] + decay[i] * w[i];
}

// w -= rate decay w.  w, decay: (size,).  rate: one number.
extern "C" __global__ void shrink(float* w, const float* rate, const float* decay, int64 size) {
    float learning_rate = *rate;
    EACH(i, size) w[i] -= learning_rate * decay[i] * w[i];
}

// parts[block] = sum of g g over the share of a block.  g: (size,).
extern "C" __global__ void sums_of_squares(const float* g, float* parts, int64 size) {
    float sum = 0.0f;
    EACH(i, size) sum += g[i] * g[i];
    sum = sum_in_block(sum, 1);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// out = g min(1, most / norm), where norm is the root of the sum of `parts`, which every block adds for itself.
// g, out: (size,); out may be g.  parts: (count,), at most one for each thread of a block.  most: one number.
extern "C" __global__ void clip(const float* g, const float* parts, const float* most, float* out, int count,
                                int64 size) {
    float norm = sqrtf(sum_in_block(threadIdx.x < count ? parts[threadIdx.x] : 0.0f, 1));
    float factor = norm <= *most ? 1.0f : *most / norm;  // NaN if norm is
    EACH(i, size) out[i] = g[i] * factor;
}
