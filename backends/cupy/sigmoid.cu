// Sigmoid alone.

// e = exp(-|x|), out = 1 / (1 + exp(-x)).
extern "C" __global__ void sigmoid(const float* x, float* out, float* e, int64 size) {
    EACH(i, size) {
        float value = expf(-fabsf(x[i]));
        e[i] = value;
        out[i] = (x[i] < 0.0f ? value : 1.0f) / (1.0f + value);
    }
}

// dx = dout e / (1 + e)^2.
extern "C" __global__ void sigmoid_backward(const float* dout, const float* e, float* dx, int64 size) {
    EACH(i, size) dx[i] = dout[i] * (e[i] / ((1.0f + e[i]) * (1.0f + e[i])));
}
