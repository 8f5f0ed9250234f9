// Tanh.

// out = tanh(x), e = exp(-2 |x|), as a square, since 2 |x| may overflow.
extern "C" __global__ void hyperbolic(const float* x, float* out, float* e, int64 size) {
    EACH(i, size) {
        out[i] = tanhf(x[i]);
        float root = expf(-fabsf(x[i]));
        e[i] = root * root;
    }
}

// dx = dout 4 e / (1 + e)^2.
extern "C" __global__ void hyperbolic_backward(const float* dout, const float* e, float* dx, int64 size) {
    EACH(i, size) dx[i] = dout[i] * (4.0f * e[i] / ((1.0f + e[i]) * (1.0f + e[i])));
}
