// Updates in place. What may change from step to step is on the device, so that a recorded step sees its changes.

// w -= rate g.  w, g: (size,).  rate: one number.
extern "C" __global__ void sgd(float* w, const float* g, const float* rate, int64 size) {
    float learning_rate = *rate;
    EACH(i, size) w[i] -= learning_rate * g[i];
}

// v = momentum v - rate g, then w += v, or momentum v - rate g with the new v if `ahead`.
// w, g, v: (size,).  rate, share: one number each, the latter the momentum.
extern "C" __global__ void momentum(float* w, const float* g, const float* rate, const float* share, float* v,
                                    int ahead, int64 size) {
    float learning_rate = *rate, momentum = *share;
    EACH(i, size) {
        float step = learning_rate * g[i], velocity = momentum * v[i] - step;
        v[i] = velocity;
        w[i] += ahead ? momentum * velocity - step : velocity;
    }
}

// h = decay h + share g g, then w -= rate g / (sqrt(h) + eps).  w, g, h: (size,).  rate: one number.
extern "C" __global__ void scaled_step(float* w, const float* g, const float* rate, float* h, float decay,
                                       float share, float eps, int64 size) {
    float learning_rate = *rate;
    EACH(i, size) {
        float squares = decay * h[i] + share * (g[i] * g[i]);
        h[i] = squares;
        w[i] -= learning_rate * g[i] / (sqrtf(squares) + eps);
    }
}

// Adam: m = beta1 m + share1 g, v = beta2 v + share2 g g, and new_t = t + 1; then, both divided by their
// 1 - beta^new_t, w -= rate m / (sqrt(v) + eps).  log1, log2: logarithms of the betas.
// w, g, m, v: (size,).  rate, t, new_t: one number each. t is not overwritten, since other blocks may still read it.
extern "C" __global__ void adam(float* w, const float* g, const float* rate, float* m, float* v, const float* t,
                                float* new_t, float beta1, float share1, float log1, float beta2, float share2,
                                float log2, float eps, int64 size) {
    float step = *t + 1.0f;
    float learning_rate = *rate / -expm1f(step * log1), correction = -expm1f(step * log2);
    EACH(i, size) {
        float mean = beta1 * m[i] + share1 * g[i], squares = beta2 * v[i] + share2 * (g[i] * g[i]);
        m[i] = mean;
        v[i] = squares;
        w[i] -= learning_rate * mean / (sqrtf(squares / correction) + eps);
    }
    if (blockIdx.x == 0 && threadIdx.x == 0) *new_t = step;
}
