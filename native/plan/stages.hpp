// The stages of a front, by the formulas of pellucid/nn/layers/tabular.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "plan/front.hpp"

namespace pellucid {

// The columns that are not embedded come first, then the vector of each that is.
class EmbeddingStage final : public Stage {
 public:
  EmbeddingStage(Size inputs, std::vector<Table> tables)
      : Stage(inputs, width_of(inputs, tables)), tables_(std::move(tables)) {
    for (Size c = 0; c < inputs; ++c)
      if (std::none_of(tables_.begin(), tables_.end(), [&](const Table& t) { return t.column == c; })) others_.push_back(c);
  }

  void forward(const float* parameters, Size rows, Rows x, Rows y) const override {
    for (Size r = 0; r < rows; ++r) {
      const float* from = x.from(r).data;
      float* to = y.from(r).data;
      for (const Size c : others_) *to++ = from[c];
      for (std::size_t i = 0; i < tables_.size(); ++i)
        to = std::copy_n(parameters + places[i] + place_of(tables_[i], from), tables_[i].width, to);
    }
  }
  void backward(const float*, Size rows, Rows, Rows dy, Rows dx) const override {  // a category has no slope
    for (Size r = 0; dx.data && r < rows; ++r) {
      std::fill_n(dx.from(r).data, inputs, 0.0f);
      for (std::size_t i = 0; i < others_.size(); ++i) dx.from(r).data[others_[i]] = dy.from(r).data[i];
    }
  }

  // A piece is a range of the numbers of one table, cut anywhere.
  Size pieces() const override {
    Size total = 0;
    for (const Table& table : tables_) total += pieces_of(table);
    return total;
  }
  void gradient(Size piece, Size rows, Rows x, Rows dy, float* gradient, bool accumulate) const override {
    std::size_t i = 0;
    Size column = (Size)others_.size();  // where the vectors of the table begin in a row
    for (; piece >= pieces_of(tables_[i]); ++i) {
      piece -= pieces_of(tables_[i]);
      column += tables_[i].width;
    }
    const Table& table = tables_[i];
    const Size from = piece * piece_size, to = std::min(from + piece_size, table.count());
    float* numbers = gradient + places[i];
    if (!accumulate) std::fill(numbers + from, numbers + to, 0.0f);
    for (Size r = 0; r < rows; ++r) {
      const Size place = place_of(table, x.from(r).data);
      const float* vector = dy.from(r).data + column;
      for (Size k = std::max(place, from); k < std::min(place + table.width, to); ++k) numbers[k] += vector[k - place];
    }
  }

 private:
  static constexpr Size piece_size = 4096;

  static Size width_of(Size inputs, const std::vector<Table>& tables) {
    Size width = inputs - (Size)tables.size();
    for (const Table& table : tables) width += table.width;
    return width;
  }
  static Size pieces_of(const Table& table) { return (table.count() + piece_size - 1) / piece_size; }

  // Where the vector of a row's category begins. Every other number, and NaN, has the last vector.
  static Size place_of(const Table& table, const float* row) {
    const float x = row[table.column];
    const bool is_known = x > -0.5f && x < (float)table.values - 0.5f;
    return (is_known ? (Size)std::nearbyint(x) : table.values) * table.width;
  }

  std::vector<Table> tables_;
  std::vector<Size> others_;
};

class EncodingStage final : public Stage {
 public:
  EncodingStage(const Kernels& kernels, Bins bins)
      : Stage(bins.columns(), bins.width()), kernels_(kernels), bins_(std::move(bins)) {}

  void forward(const float*, Size rows, Rows x, Rows y) const override {
    for (Size r = 0; r < rows; ++r) std::copy_n(x.from(r).data, inputs, y.from(r).data);
    kernels_.encode(bins_.encoding(), rows, y.data, y.stride);
  }
  void backward(const float*, Size rows, Rows x, Rows dy, Rows dx) const override {
    if (dx.data) kernels_.encode_backward(bins_.encoding(), rows, x.data, x.stride, dy.data, dy.stride, dx.data, dx.stride);
  }
  const Bins* bins() const override { return &bins_; }

 private:
  const Kernels& kernels_;
  Bins bins_;
};

class WavesStage final : public Stage {
 public:
  WavesStage(const Kernels& kernels, Size inputs, std::vector<Size> columns, Size frequencies)
      : Stage(inputs, inputs + (Size)columns.size() * frequencies), kernels_(kernels), columns_(std::move(columns)),
        frequencies_(frequencies) {}

  void forward(const float* parameters, Size rows, Rows x, Rows y) const override {
    kernels_.make_waves(waves(parameters), rows, x.data, x.stride, y.data, y.stride);
  }
  void backward(const float* parameters, Size rows, Rows x, Rows dy, Rows dx) const override {
    kernels_.waves_backward(waves(parameters), rows, x.data, x.stride, dy.data, dy.stride, dx.data, dx.stride);
  }
  Size pieces() const override { return (Size)columns_.size(); }  // of a column each
  void gradient(Size piece, Size rows, Rows x, Rows dy, float* gradient, bool accumulate) const override {
    kernels_.waves_gradient(waves(nullptr), piece, piece + 1, rows, x.data, x.stride, dy.data, dy.stride,
                            gradient + places[0], gradient + places[1], accumulate);
  }

 private:
  Waves waves(const float* parameters) const {
    const float* none = nullptr;
    return {inputs, (Size)columns_.size(), frequencies_, columns_.data(), parameters ? parameters + places[0] : none,
            parameters ? parameters + places[1] : none};
  }

  const Kernels& kernels_;
  std::vector<Size> columns_;
  const Size frequencies_;
};

class ScalingStage final : public Stage {
 public:
  ScalingStage(Size columns, double rate) : Stage(columns, columns), rate_((float)rate) {}

  void forward(const float* parameters, Size rows, Rows x, Rows y) const override {
    const float* change = parameters + places[0];
    for (Size r = 0; r < rows; ++r)
      for (Size c = 0; c < inputs; ++c) y.from(r).data[c] = x.from(r).data[c] * (1 + rate_ * change[c]);
  }
  void backward(const float* parameters, Size rows, Rows, Rows dy, Rows dx) const override {
    if (dx.data) forward(parameters, rows, dy, dx);
  }
  Size pieces() const override { return inputs; }  // of a column each; sums of 64 rows are added up
  void gradient(Size c, Size rows, Rows x, Rows dy, float* gradient, bool accumulate) const override {
    float total = 0;
    for (Size start = 0; start < rows; start += 64) {
      float sum = 0;
      for (Size r = start; r < std::min(start + 64, rows); ++r) sum += dy.from(r).data[c] * x.from(r).data[c];
      total += sum;
    }
    float& change = gradient[places[0] + c];
    change = rate_ * total + (accumulate ? change : 0);
  }

 private:
  const float rate_;
};

}  // namespace pellucid
