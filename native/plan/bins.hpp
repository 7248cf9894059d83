// The bins of a PiecewiseLinearEncoding: those of all columns, one after another.
#pragma once

#include <utility>
#include <vector>

#include "kernels/kernels.hpp"

namespace pellucid {

class Bins {
 public:
  // bins_of: how many bins each column has. The other vectors have one number for each bin.
  Bins(std::vector<Size> bins_of, std::vector<float> low, std::vector<float> slope, std::vector<float> least,
       std::vector<float> most, float gain)
      : bins_of_(std::move(bins_of)), bins_((Size)low.size()), low_(std::move(low)), slope_(std::move(slope)),
        least_(std::move(least)), most_(std::move(most)), gain_(gain) {
    for (auto* numbers : {&low_, &slope_, &least_, &most_}) numbers->resize(bins_ + 16);  // whole vectors are read
  }

  Size columns() const { return (Size)bins_of_.size(); }
  Size bins() const { return bins_; }
  Size width() const { return columns() + bins_; }  // of an encoded row

  Encoding encoding() const {
    return {columns(), bins_, bins_of_.data(), low_.data(), slope_.data(), least_.data(), most_.data(), gain_};
  }

 private:
  std::vector<Size> bins_of_;
  Size bins_;
  std::vector<float> low_, slope_, least_, most_;
  float gain_;
};

}  // namespace pellucid
