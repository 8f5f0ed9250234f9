// GELU: x Phi(x), where Phi is the cumulative distribution of the standard normal distribution.

// out = x Phi(x), slope = Phi(x) + x phi(x), where phi is the density.
extern "C" __global__ void gelu(const float* x, float* out, float* slope, int64 size) {
    const float farthest = 40.0f, of_density = 0.3989422804f;  // 1 / sqrt(2 pi)
    EACH(i, size) {
        float value = x[i];
        float near = value < -farthest ? -farthest : value > farthest ? farthest : value;  // NaN stays NaN
        float cumulative = normcdff(near), square = near * near;
        float bell = expf(-0.5f * square);
        bell -= 0.5f * fmaf(near, near, -square) * bell;  // what rounding took from the square
        out[i] = (value > 0.0f ? value : near) * cumulative;
        slope[i] = cumulative + near * (bell * of_density);
    }
}

// dx = dout slope.
extern "C" __global__ void gelu_backward(const float* dout, const float* slope, float* dx, int64 size) {
    EACH(i, size) dx[i] = dout[i] * slope[i];
}
