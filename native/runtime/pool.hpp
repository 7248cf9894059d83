// Teams of threads: the same function runs on all of them, and at a `barrier` each waits until all are there.
//
// A waiting thread first spins, since a barrier of busy threads takes half a microsecond, and then sleeps, so that it takes
// no time from others on a busy machine. The caller is member 0 of the team; the other threads live as long as the process
// and sleep between jobs. Teams are lent: two callers at once get two teams. A process made by fork starts with none.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace pellucid {

class Team {
 public:
  explicit Team(int size);  // smaller if the system gives no more threads
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

  // Runs work(member) for each member, and returns when all are done. The first exception is thrown again here; the
  // other members leave at their next barrier.
  void run(const std::function<void(int)>& work);

  // To be called by all members alike, from within `work`.
  void barrier();

 private:
  struct Abandoned {};  // thrown at a barrier when another member has failed

  void serve(int member);
  void take_part(int member);

  int size_ = 1;
  const std::function<void(int)>* work_ = nullptr;
  std::vector<std::thread> threads_;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  bool ended_ = false;
  alignas(64) std::atomic<std::uint32_t> job_{0};        // counts the jobs; a change wakes the members
  alignas(64) std::atomic<int> working_{0};              // members not yet done with the job
  alignas(64) std::atomic<int> arrived_{0};              // at the barrier
  alignas(64) std::atomic<std::uint32_t> passed_{0};     // counts the barriers; a change opens this one
  alignas(64) std::atomic<bool> failed_{false};
};

// A team of that size (or what the system allows) that nobody else uses; made if there is none. The handle's end gives it
// back for others to use.
std::unique_ptr<Team, void (*)(Team*)> borrow_team(int size);

}  // namespace pellucid
