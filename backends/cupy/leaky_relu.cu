// LeakyReLU.

// out = x where x > 0, else slope x; NaN stays NaN.
extern "C" __global__ void leaky_relu(const float* x, float* out, float slope, int64 size) {
    EACH(i, size) {
        float value = x[i];
        out[i] = value <= 0.0f ? slope * value : value;
    }
}

// dx = dout where out > 0, else slope dout.
extern "C" __global__ void leaky_relu_backward(const float* dout, const float* out, float* dx, float slope,
                                               int64 size) {
    EACH(i, size) dx[i] = out[i] > 0.0f ? dout[i] : slope * dout[i];
}
