// The threads of a block take turns in one thread of the CPU: each runs until a barrier or its end, the first
// one first, or the last one where the order is reversed. A missing barrier shows in one of the two orders,
// whichever thread should have waited. To wake threads of the CPU would take ten times as long.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <deque>

enum class At { START, WARP, BLOCK, END };  // ready to run, waiting for its warp or its block, or done

struct Turn {
    static const int STACK = 1 << 16;
    std::unique_ptr<char[]> stack{new char[STACK]};
    ucontext_t first;  // where its first turn begins
    jmp_buf next;      // where any other does: a jump needs no call of the system
    bool begun = false;
    At at = At::START;
    explicit Turn(void (*run)()) {
        getcontext(&first);
        first.uc_stack.ss_sp = stack.get();
        first.uc_stack.ss_size = STACK;
        makecontext(&first, run, 0);
    }
};

inline Index threadIdx;
inline int running;        // the thread whose turn it is
inline float lanes[1024];  // what the threads of a warp show each other
inline jmp_buf between_turns;
inline const std::function<void()>* running_kernel;
inline std::deque<Turn> turns;  // they stay for the next launch: making them takes longer than most kernels

inline void wait_at(At at) {
    turns[running].at = at;
    if (!_setjmp(turns[running].next)) _longjmp(between_turns, 1);
}
inline void give_turn(Turn& turn) {
    if (_setjmp(between_turns)) return;
    if (turn.begun) _longjmp(turn.next, 1);
    turn.begun = true;
    setcontext(&turn.first);
}
inline void live() {
    for (;;) {
        (*running_kernel)();
        wait_at(At::END);
    }
}

inline void __syncthreads() { wait_at(At::BLOCK); }
inline void __syncwarp() { wait_at(At::WARP); }
inline float __shfl_xor_sync(unsigned, float value, int mask) {
    lanes[running] = value;
    __syncwarp();
    float other = lanes[running ^ mask];
    __syncwarp();
    return other;
}
inline bool __any_sync(unsigned, bool value) {
    lanes[running] = value;
    __syncwarp();
    float* of_warp = lanes + running / 32 * 32;
    bool any = std::any_of(of_warp, of_warp + 32, [](float lane) { return lane != 0.0f; });
    __syncwarp();
    return any;
}

// Let those threads of [first, last) go on that wait there, if none of them is elsewhere but at its end.
inline bool released(int first, int last, At at) {
    auto begin = turns.begin() + first, end = turns.begin() + last;
    bool all = std::all_of(begin, end, [at](Turn& turn) { return turn.at == at || turn.at == At::END; });
    bool any = std::any_of(begin, end, [at](Turn& turn) { return turn.at == at; });
    if (all && any)
        std::for_each(begin, end, [at](Turn& turn) { turn.at = turn.at == at ? At::START : turn.at; });
    return all && any;
}

// Run a block of `count` threads; returns false where some wait for others that never come.
inline bool run_block(int count) {
    std::fill(lanes, lanes + count, 0.0f);
    for (int t = 0; t < count; ++t) turns[t].at = At::START;
    for (bool going = true; going;) {
        for (int i = 0; i < count; ++i) {
            running = order_reversed ? count - 1 - i : i;
            threadIdx = thread_index(running);
            if (turns[running].at == At::START) give_turn(turns[running]);
        }
        going = false;
        for (int first = 0; first < count; first += 32)
            going |= released(first, std::min(first + 32, count), At::WARP);
        if (!going) going = released(0, count, At::BLOCK);
    }
    return std::all_of(turns.begin(), turns.begin() + count, [](Turn& turn) { return turn.at == At::END; });
}

// Run a kernel for every block of the grid; returns false where its threads come to different barriers.
inline bool run_on_cpu(Index grid, Index block, const std::function<void()>& kernel) {
    gridDim = grid;
    blockDim = block;
    running_kernel = &kernel;
    NoSubnormals flush;
    int count = block.x * block.y * block.z;
    while ((int)turns.size() < count) turns.emplace_back(live);
    for (unsigned number : blocks_in_order()) {
        blockIdx = {number, 0, 0};
        if (run_block(count)) continue;
        turns.clear();  // they stand in the midst of it
        return false;
    }
    return true;
}
