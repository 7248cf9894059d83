// The memory of the image part: how much of it a chunk of samples takes, and the weights turned for the way back.
#include <algorithm>
#include <new>

#include "images/images.hpp"

namespace pellucid {

namespace {

constexpr Size chunk_values = 48 << 10;  // numbers of the largest picture of a chunk: with its like they fill a second cache
constexpr Size most_in_chunk = 16;
constexpr Size most_image_groups = 32, fewest_image_groups = 4;
constexpr Size most_group_numbers = 1 << 24;  // gradients of all groups together

}  // namespace

void Images::arrange_memory() {
  Size largest = 1;
  for (const Node& node : nodes_) {
    largest = std::max(largest, node.shape.sample());
    const Window& w = node.window;
    const Size sums = node.scatters ? reach_down(node) * reach_across(node) * nodes_[node.input].shape.channels : 0;
    const Size rows = std::max(node.shape.width, most_in_chunk) + std::max(w.down, w.across);
    largest_plane_ = std::max({largest_plane_, node.shape.sample(), node.gradient.sample(), sums + rows * kernels_.panel + 64});
  }
  chunk_ = std::clamp<Size>(chunk_values / largest, 1, most_in_chunk);
}

Size Images::groups_of(Size samples) const {
  const Size most = std::clamp(most_group_numbers / (packed_size_ + 1), fewest_image_groups, most_image_groups);
  return std::min(samples, most);
}

Images::Workspace Images::workspace(Size samples, bool trains) const {
  const auto room = [&](const Picture& picture) {
    if (samples > PTRDIFF_MAX / 8 / picture.sample()) throw std::bad_alloc();
    return Buffer(samples * picture.sample());
  };
  Workspace made;
  for (const Node& node : nodes_) {
    Values values;
    values.value = room(node.shape);
    if (trains && keeps_sum(node.activation)) values.z = room(node.shape);
    if (trains && node.needs_gradient) values.gradient = room(node.gradient);
    if (node.kind == Kind::batch_normalization) {
      values.first = Buffer(trains ? samples * node.shape.pixel : 0);
      values.second = Buffer(trains ? samples * node.shape.pixel : 0);
      values.statistics = Buffer(num_statistics * node.shape.pixel);
    }
    made.push_back(std::move(values));
  }
  return made;
}

Images::Scratch Images::scratch() const {
  const Picture& in = nodes_[0].shape;
  return {Buffer(largest_plane_), Buffer(in.height * (in.width * in.channels + 32)), std::vector<std::int64_t>(in.height)};
}

void Images::arrange_turns(Node& node, Size taps, Size inputs) {
  node.turned = turned_size_;
  node.turned_taps = taps;
  node.turned_inputs = inputs;
  turned_size_ += node.groups * taps * round_up(group_outputs(node), kernels_.width) * round_up(inputs, kernels_.width);
  const int number = (int)(&node - nodes_.data());
  for (Size group = 0; group < node.groups; ++group)
    for (int panel = 0; panel < layout_.num_panels(inputs); ++panel)
      for (Size tap = 0; tap < taps; ++tap) turns_.push_back({number, group, panel, tap});
}

// The weights of one tap for the inputs of one panel, (outputs, panel); the taps of a row of the window from right to left.
void Images::turn(Size number, const float* parameters, float* turned) const {
  const Turn& t = turns_[number];
  const Node& node = nodes_[t.node];
  const Array& array = layout_[node.weight + (int)t.group];
  const Size inputs = node.turned_inputs, rows = round_up(array.columns, kernels_.width), taps = node.turned_taps;
  const Size start = (Size)t.panel * kernels_.panel, count = std::min<Size>(kernels_.panel, inputs - start);
  const Size width = round_up(count, kernels_.width), across = node.scatters ? 1 : node.window.width;
  const Size place = t.tap / across * across + (across - 1 - t.tap % across);
  float* to = turned + node.turned + t.group * taps * rows * round_up(inputs, kernels_.width) + start * taps * rows +
              place * rows * width;
  for (Size unit = 0; unit < array.columns; unit += kernels_.panel) {
    const int vectors = layout_.panel_vectors(array.columns, (int)(unit / kernels_.panel));
    const Size stride = (Size)vectors * kernels_.width;
    const float* from = parameters + array.packed + unit * array.rows + (t.tap * inputs + start) * stride;
    kernels_.transpose(from, stride, count, vectors, to + unit * width, width);
  }
}

}  // namespace pellucid
