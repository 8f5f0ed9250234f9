// A thread of the CPU for each thread of a block, with real barriers and shuffles.
#pragma once
#include <barrier>
#include <condition_variable>
#include <mutex>
#include <thread>

inline thread_local Index threadIdx;

struct Warp {
    std::barrier<> barrier;
    float lanes[32];
    explicit Warp(int threads) : barrier(threads) {}
};
inline std::unique_ptr<std::barrier<>> block_barrier;
inline std::vector<std::unique_ptr<Warp>> warps;
inline thread_local Warp* warp;
inline thread_local int lane_index;

inline void __syncthreads() { block_barrier->arrive_and_wait(); }
inline void __syncwarp() { warp->barrier.arrive_and_wait(); }
inline float __shfl_xor_sync(unsigned, float value, int mask) {
    warp->lanes[lane_index] = value;
    warp->barrier.arrive_and_wait();
    float other = warp->lanes[lane_index ^ mask];
    warp->barrier.arrive_and_wait();
    return other;
}

inline bool __any_sync(unsigned, bool value) {
    warp->lanes[lane_index] = value;
    warp->barrier.arrive_and_wait();
    bool any = std::any_of(warp->lanes, warp->lanes + 32, [](float lane) { return lane != 0.0f; });
    warp->barrier.arrive_and_wait();
    return any;
}

// Threads that stay for the next launch, and for the life of the process: making them takes longer than most
// kernels.
class Workers {
    std::mutex mutex;
    std::condition_variable begun, ended;
    std::function<void(int)> work;
    int size = 0, count = 0, running = 0;
    unsigned launch = 0;

    void live(int t, unsigned seen) {
        for (std::unique_lock lock(mutex);;) {
            begun.wait(lock, [&] { return launch != seen; });
            seen = launch;
            if (t >= count) continue;
            lock.unlock();
            work(t);
            lock.lock();
            if (--running == 0) ended.notify_one();
        }
    }

   public:
    // work(0), ..., work(count - 1), each by a thread of its own.
    void run(int threads, std::function<void(int)> each) {
        std::unique_lock lock(mutex);
        for (; size < threads; ++size)
            std::thread([this, t = size, seen = launch] { live(t, seen); }).detach();
        work = std::move(each);
        count = running = threads;
        ++launch;
        begun.notify_all();
        ended.wait(lock, [&] { return running == 0; });
    }
};
inline Workers& workers() {
    static Workers* all = new Workers;
    return *all;
}

// Run a kernel for every block of the grid, by the same threads: after a block they wait for each other, and
// the last one sets up the next. A thread that returns early drops out of the block's barriers.
inline bool run_on_cpu(Index grid, Index block, const std::function<void()>& kernel) {
    gridDim = grid;
    blockDim = block;
    std::vector<unsigned> order = blocks_in_order();
    int count = block.x * block.y * block.z;
    unsigned done = 0;
    auto begin = [&order, count](unsigned which) noexcept {
        if (which == order.size()) return;
        blockIdx = {order[which], 0, 0};
        block_barrier = std::make_unique<std::barrier<>>(count);
        warps.clear();
        for (int first = 0; first < count; first += 32)
            warps.push_back(std::make_unique<Warp>(std::min(32, count - first)));
    };
    begin(0);
    auto next = [begin, &done]() noexcept { begin(++done); };
    std::barrier between(count, next);
    workers().run(count, [&](int t) {
        threadIdx = thread_index(t);
        lane_index = t % 32;
        NoSubnormals flush;
        for (unsigned b = 0; b < grid.x; ++b) {
            warp = warps[t / 32].get();
            kernel();
            warp->barrier.arrive_and_drop();
            block_barrier->arrive_and_drop();
            between.arrive_and_wait();
        }
    });
    return true;
}
