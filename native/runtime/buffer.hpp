// Memory for float32 numbers that starts on a cache line, all zero at first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace pellucid {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::ptrdiff_t count) {
    if (count < 0 || count > PTRDIFF_MAX / 8) throw std::bad_alloc();
    const std::size_t bytes = std::max<std::size_t>(1, ((std::size_t)count * sizeof(float) + 63) / 64) * 64;
    data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
    if (!data_) throw std::bad_alloc();
    std::memset(data_.get(), 0, bytes);
  }
  operator float*() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
};

}  // namespace pellucid
