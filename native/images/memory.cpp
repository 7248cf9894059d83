// The memory of the image part: the size of a chunk, the numbers of samples, the transposed weights for the way back.
#include <algorithm>
#include <new>

#include "images/images.hpp"

namespace pellucid {

namespace {

// Numbers of the largest node in a chunk: with what else is in use they fill a second-level cache.
constexpr Size chunk_values = 48 << 10;
constexpr Size most_in_chunk = 16;  // samples
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
    largest_plane_ = std::max({largest_plane_, node.shape.sample(), node.gradient.sample(),
                               sums + rows * kernels_.panel + 64});
  }
  chunk_ = std::clamp<Size>(chunk_values / largest, 1, most_in_chunk);
}

Size Images::groups_of(Size samples) const {
  const Size most = std::clamp(most_group_numbers / (packed_size_ + 1), fewest_image_groups, most_image_groups);
  return std::min(samples, most);
}

Buffer Images::room(const ImageShape& image, Size samples) {
  if (samples > PTRDIFF_MAX / 8 / image.sample()) throw std::bad_alloc();
  return Buffer(samples * image.sample());
}

// Of training.
Images::Workspace Images::workspace(Size samples) const {
  Workspace made;
  for (const Node& node : nodes_) {
    Values values;
    values.value = values.own = room(node.shape, samples);
    if (keeps_sum(node.activation)) values.z = room(node.shape, samples);
    if (node.needs_gradient) values.gradient = room(node.gradient, samples);
    if (node.kind == Kind::batch_normalization) {
      values.first = Buffer(samples * node.shape.pixel);
      values.second = Buffer(samples * node.shape.pixel);
      values.statistics = Buffer(num_statistics * node.shape.pixel);
    }
    made.push_back(std::move(values));
  }
  return made;
}

Images::Scratch Images::scratch() const {
  const ImageShape& in = nodes_[0].shape;
  return {Buffer(largest_plane_), Buffer(in.height * (in.width * in.channels + 32)), std::vector<std::int64_t>(in.height)};
}

void Images::arrange_transposed(Node& node, Size taps, Size inputs) {
  node.transposed = transposed_size_;
  node.transposed_taps = taps;
  node.transposed_inputs = inputs;
  transposed_size_ += node.groups * taps * round_up(group_outputs(node), kernels_.width) * round_up(inputs, kernels_.width);
  const int number = (int)(&node - nodes_.data());
  for (Size group = 0; group < node.groups; ++group)
    for (int panel = 0; panel < layout_.num_panels(inputs); ++panel)
      for (Size tap = 0; tap < taps; ++tap) pieces_.push_back({number, group, panel, tap});
}

// The weights of one tap for one panel of inputs, (outputs, panel). Taps of a row of the window lie from right to left,
// since on the way back the rightmost one meets the leftmost pixel.
void Images::transpose_piece(Size number, const float* parameters, float* transposed) const {
  const WeightPiece& piece = pieces_[number];
  const Node& node = nodes_[piece.node];
  const Array& array = layout_[node.weight + (int)piece.group];
  const Size inputs = node.transposed_inputs, rows = round_up(array.columns, kernels_.width), taps = node.transposed_taps;
  const Size start = (Size)piece.panel * kernels_.panel, count = std::min<Size>(kernels_.panel, inputs - start);
  const Size width = round_up(count, kernels_.width), across = node.scatters ? 1 : node.window.width;
  const Size place = piece.tap / across * across + (across - 1 - piece.tap % across);
  float* to = transposed + node.transposed + piece.group * taps * rows * round_up(inputs, kernels_.width) +
              start * taps * rows + place * rows * width;
  for (Size unit = 0; unit < array.columns; unit += kernels_.panel) {
    const int vectors = layout_.panel_vectors(array.columns, (int)(unit / kernels_.panel));
    const Size stride = (Size)vectors * kernels_.width;
    const float* from = parameters + array.packed + unit * array.rows + (piece.tap * inputs + start) * stride;
    kernels_.transpose(from, stride, count, vectors, to + unit * width, width);
  }
}

}  // namespace pellucid
