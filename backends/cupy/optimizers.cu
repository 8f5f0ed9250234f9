// Updates in place. The rate is on the device, so that a recorded step sees its changes.

// w -= rate g.  w, g: (size,).  rate: one number.
extern "C" __global__ void sgd(float* w, const float* g, const float* rate, int64 size) {
    float learning_rate = *rate;
    EACH(i, size) w[i] -= learning_rate * g[i];
}

// v = momentum v - rate g, then w += v.  w, g, v: (size,).  rate: one number.
extern "C" __global__ void momentum(float* w, const float* g, const float* rate, float* v, float momentum,
                                    int64 size) {
    float learning_rate = *rate;
    EACH(i, size) {
        float velocity = momentum * v[i] - learning_rate * g[i];
        v[i] = velocity;
        w[i] += velocity;
    }
}
