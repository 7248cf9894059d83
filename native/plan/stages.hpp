// The stages of a front, by the formulas of pellucid/nn/layers/tabular.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "plan/front.hpp"

namespace pellucid {

// The columns that are none of these.
inline std::vector<Size> others_of(Size inputs, const std::vector<Size>& columns) {
  std::vector<bool> is_taken(inputs, false);
  for (const Size column : columns) is_taken[column] = true;
  std::vector<Size> others;
  for (Size c = 0; c < inputs; ++c)
    if (!is_taken[c]) others.push_back(c);
  return others;
}

// These columns to the front of each row, and their gradients back to where they came from.
inline void pass_on(const std::vector<Size>& columns, Size rows, Rows x, Rows y) {
  for (Size r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < columns.size(); ++i) y.from(r).data[i] = x.from(r).data[columns[i]];
}
inline void pass_back(const std::vector<Size>& columns, Size rows, Rows dy, Rows dx) {
  for (Size r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < columns.size(); ++i) dx.from(r).data[columns[i]] = dy.from(r).data[i];
}

// The columns that are not embedded come first, then the vector of each that is.
class EmbeddingStage final : public Stage {
 public:
  EmbeddingStage(Size inputs, std::vector<Table> tables)
      : Stage(inputs, width_of(inputs, tables)), tables_(std::move(tables)) {
    std::vector<Size> columns;
    for (const Table& table : tables_) columns.push_back(table.column);
    others_ = others_of(inputs, columns);
  }

  void forward(const float* parameters, Size rows, Rows x, Rows y) const override {
    pass_on(others_, rows, x, y);
    for (Size r = 0; r < rows; ++r) {
      const float* from = x.from(r).data;
      float* to = y.from(r).data + others_.size();
      for (std::size_t i = 0; i < tables_.size(); ++i)
        to = std::copy_n(parameters + places[i] + place_of(tables_[i], from), tables_[i].width, to);
    }
  }
  void backward(const float*, Size rows, Rows, Rows dy, Rows dx) const override {  // a category has no slope
    if (!dx.data) return;
    for (Size r = 0; r < rows; ++r) std::fill_n(dx.from(r).data, inputs, 0.0f);
    pass_back(others_, rows, dy, dx);
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

// The columns that are in no group come first, then the numbers of each group.
class GroupsStage final : public Stage {
 public:
  GroupsStage(const Kernels& kernels, Size inputs, const std::vector<std::vector<Size>>& groups, Size units)
      : Stage(inputs, inputs), kernels_(kernels), units_(units) {
    start_.push_back(0);
    for (const auto& group : groups) {
      column_.insert(column_.end(), group.begin(), group.end());
      start_.push_back((Size)column_.size());
    }
    others_ = others_of(inputs, column_);
    outputs = (Size)others_.size() + pieces() * units;
  }

  void forward(const float* parameters, Size rows, Rows x, Rows y) const override {
    pass_on(others_, rows, x, y);
    kernels_.multiply_groups(groups(parameters), rows, x.data, x.stride, y.data + others_.size(), y.stride);
  }
  void backward(const float* parameters, Size rows, Rows, Rows dy, Rows dx) const override {
    if (!dx.data) return;
    pass_back(others_, rows, dy, dx);
    kernels_.groups_backward(groups(parameters), rows, dy.data + others_.size(), dy.stride, dx.data, dx.stride);
  }
  Size pieces() const override { return (Size)start_.size() - 1; }  // of a group each
  void gradient(Size group, Size rows, Rows x, Rows dy, float* gradient, bool accumulate) const override {
    kernels_.groups_gradient(groups(nullptr), group, rows, x.data, x.stride, dy.data + others_.size(), dy.stride,
                             gradient + places[0], gradient + places[1], accumulate);
  }

 private:
  Groups groups(const float* parameters) const {
    const float* none = nullptr;
    return {pieces(), units_, start_.data(), column_.data(), parameters ? parameters + places[0] : none,
            parameters ? parameters + places[1] : none};
  }

  const Kernels& kernels_;
  const Size units_;
  std::vector<Size> start_, column_, others_;
};

// An EncodingStage and a GroupsStage whose groups are each a column and its bins, in one.
class BinGroupsStage final : public Stage {
 public:
  BinGroupsStage(const Kernels& kernels, Bins bins, Size units)
      : Stage(bins.columns(), bins.columns()), kernels_(kernels), units_(units), bins_(std::move(bins)) {
    Size start = 0, row = 0;
    for (Size c = 0; c < inputs; ++c) {
      const Size count = bins_.encoding().bins_of[c];
      if (count == 0) {
        others_.push_back(c);
        continue;
      }
      groups_.push_back({c, start, row});
      start += count;
      row += count + 1;
      most_ = std::max(most_, count);
    }
    outputs = (Size)others_.size() + pieces() * units;
    sums_ = (row + 2 * pieces()) * width();
  }

  // Whether these groups are those of the bins.
  static bool fits(const Bins& bins, const std::vector<std::vector<Size>>& groups) {
    std::size_t group = 0;
    Size next = bins.columns();
    for (Size c = 0; c < bins.columns(); ++c) {
      const Size count = bins.encoding().bins_of[c];
      if (count == 0) continue;
      if (group == groups.size() || (Size)groups[group].size() != count + 1 || groups[group][0] != c) return false;
      for (Size t = 1; t <= count; ++t)
        if (groups[group][t] != next++) return false;
      ++group;
    }
    return group == groups.size();
  }

  void forward(const float* parameters, Size rows, Rows x, Rows y) const override {
    pass_on(others_, rows, x, y);
    float* sums = room(sums_);
    kernels_.sum_groups(groups(parameters), sums);
    kernels_.add_groups(groups(parameters), sums, rows, x.data, x.stride, y.data + others_.size(), y.stride);
  }
  void backward(const float* parameters, Size rows, Rows x, Rows dy, Rows dx) const override {
    if (!dx.data) return;
    pass_back(others_, rows, dy, dx);
    kernels_.bin_groups_backward(groups(parameters), rows, x.data, x.stride, dy.data + others_.size(), dy.stride, dx.data,
                                 dx.stride);
  }
  Size pieces() const override { return (Size)groups_.size(); }  // of a column each
  void gradient(Size piece, Size rows, Rows x, Rows dy, float* gradient, bool accumulate) const override {
    const Group& group = groups_[piece];
    const float* own = dy.data + others_.size() + piece * units_;
    kernels_.bin_groups_gradient(groups(nullptr), group.column, group.start, rows, x.data + group.column, x.stride, own,
                                 dy.stride, room((most_ + 1) * width()), gradient + places[0] + group.row * units_,
                                 gradient + places[1] + piece * units_, accumulate);
  }

 private:
  struct Group {
    Size column, start, row;  // where its bins begin, and its rows of the weight
  };

  Size width() const { return round_up(units_, kernels_.width); }
  BinGroups groups(const float* parameters) const {
    const float* none = nullptr;
    return {bins_.encoding(), units_, parameters ? parameters + places[0] : none, parameters ? parameters + places[1] : none};
  }
  // Memory of the current thread, kept from call to call.
  static float* room(Size count) {
    thread_local std::vector<float> numbers;
    if ((Size)numbers.size() < count) numbers.resize(count);
    return numbers.data();
  }

  const Kernels& kernels_;
  const Size units_;
  Bins bins_;
  std::vector<Group> groups_;
  std::vector<Size> others_;
  Size most_ = 0, sums_ = 0;
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
