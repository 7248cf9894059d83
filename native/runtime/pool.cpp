// Teams of threads: how they wait, fail, and are lent.
#include <unistd.h>

#include <system_error>

#include "runtime/pool.hpp"

namespace pellucid {

namespace {

constexpr int spins = 4000;  // some tens of microseconds

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns when `value` is no longer `old`.
template <class T>
void wait_for_change(const std::atomic<T>& value, T old) {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Team::Team(int size) {
  threads_.reserve(size - 1);
  try {
    for (; size_ < size; ++size_) threads_.emplace_back(&Team::serve, this, size_);
  } catch (const std::system_error&) {  // a limit on threads: a smaller team does the same work
  }
}

Team::~Team() {
  ended_ = true;
  job_.fetch_add(1, std::memory_order_release);
  job_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::run(const std::function<void(int)>& work) {
  work_ = &work;
  failure_ = nullptr;
  failed_.store(false, std::memory_order_relaxed);
  arrived_.store(0, std::memory_order_relaxed);
  working_.store(size_, std::memory_order_relaxed);
  job_.fetch_add(1, std::memory_order_release);
  if (size_ > 1) job_.notify_all();
  take_part(0);
  for (int left = working_.load(std::memory_order_acquire); left != 0; left = working_.load(std::memory_order_acquire))
    wait_for_change(working_, left);
  if (failure_) std::rethrow_exception(failure_);
}

void Team::serve(int member) {
  for (std::uint32_t seen = 0;; ++seen) {
    wait_for_change(job_, seen);
    if (ended_) return;
    take_part(member);
  }
}

void Team::take_part(int member) {
  try {
    (*work_)(member);
  } catch (const Abandoned&) {
  } catch (...) {
    const std::lock_guard lock(failure_mutex_);
    if (!failure_) failure_ = std::current_exception();
    failed_.store(true, std::memory_order_release);
    passed_.fetch_add(1, std::memory_order_release);  // opens the barrier for those who wait at it
    passed_.notify_all();
  }
  working_.fetch_sub(1, std::memory_order_acq_rel);
  working_.notify_all();
}

void Team::barrier() {
  if (size_ == 1) return;
  const std::uint32_t seen = passed_.load(std::memory_order_acquire);
  if (failed_.load(std::memory_order_acquire)) throw Abandoned();
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    arrived_.store(0, std::memory_order_relaxed);
    passed_.fetch_add(1, std::memory_order_release);
    passed_.notify_all();
  } else {
    wait_for_change(passed_, seen);
  }
  if (failed_.load(std::memory_order_acquire)) throw Abandoned();
}

namespace {

struct Shelf {
  std::mutex mutex;
  std::vector<Team*> idle;
  pid_t owner = getpid();
};

Shelf* shelf() {
  static std::mutex making;
  static Shelf* current = nullptr;  // never freed: its threads sleep until the process ends
  const std::lock_guard lock(making);
  if (!current || current->owner != getpid()) current = new Shelf;  // after fork there are no threads: begin anew
  return current;
}

}  // namespace

std::unique_ptr<Team, void (*)(Team*)> borrow_team(int size) {
  Shelf* from = shelf();
  const auto give_back = [](Team* team) {
    Shelf* to = shelf();
    const std::lock_guard lock(to->mutex);
    to->idle.push_back(team);
  };
  {
    const std::lock_guard lock(from->mutex);
    for (auto team = from->idle.begin(); team != from->idle.end(); ++team)
      if ((*team)->size() == size) {
        Team* found = *team;
        from->idle.erase(team);
        return {found, give_back};
      }
  }
  return {new Team(size), give_back};
}

}  // namespace pellucid
