// ReLU alone.

// out = max(x, 0); NaN stays NaN.
extern "C" __global__ void relu(const float* x, float* out, int64 size) {
    EACH(i, size) {
        float value = x[i];
        out[i] = value <= 0.0f ? 0.0f : value;
    }
}

// dx = dout where out > 0, else 0.
extern "C" __global__ void relu_backward(const float* dout, const float* out, float* dx, int64 size) {
    EACH(i, size) dx[i] = out[i] > 0.0f ? dout[i] : 0.0f;
}
