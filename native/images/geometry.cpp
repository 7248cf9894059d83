// The geometry of convolutions: the margins that their windows need, the taps of a window, and the phases of a stride.
#include <algorithm>
#include <stdexcept>

#include "images/images.hpp"

namespace pellucid {

namespace {

constexpr double most_numbers = 1e12;  // of an image: far fewer than a `Size` can count

Size modulo(Size a, Size b) { return (a % b + b) % b; }

void check_size(const ImageShape& p) {
  if ((double)(p.top + p.height + p.bottom) * (double)(p.left + p.width + p.right) * (double)p.pixel > most_numbers)
    throw std::invalid_argument("an image, with margins as wide as the windows need, is too large");
}

}  // namespace

void ImageShape::widen(Size top_, Size left_, Size bottom_, Size right_) {
  top = std::max(top, top_);
  left = std::max(left, left_);
  bottom = std::max(bottom, bottom_);
  right = std::max(right, right_);
}

// How many rows and columns of pixels the windows of a convolution cover together.
Size Images::reach_down(const Node& node) const {
  return (node.shape.height - 1) * node.window.down + (node.window.height - 1) * node.window.down_dilation + 1;
}
Size Images::reach_across(const Node& node) const {
  return (node.shape.width - 1) * node.window.across + (node.window.width - 1) * node.window.across_dilation + 1;
}

// The margins of all nodes come first: the distance from row to row, and so from tap to tap, depends on them.
void Images::arrange_geometry() {
  for (const Node& node : nodes_) {
    if (!node.is_convolution()) continue;
    const Window& w = node.window;
    ImageShape& in = nodes_[node.input].shape;
    in.widen(w.top, w.left, reach_down(node) - w.top - in.height, reach_across(node) - w.left - in.width);
  }
  for (const Node& node : nodes_) check_size(node.shape);
  for (Node& node : nodes_) {
    if (!node.is_convolution()) continue;
    arrange_convolution(node);
    if (nodes_[node.input].needs_gradient) arrange_back(node);
  }
  for (const Node& node : nodes_) check_size(node.gradient);
}

// Taps of the way forward. All columns of a window are one tap where the pixels of a row lie side by side, or where a
// channel goes from pixel to pixel.
void Images::arrange_convolution(Node& node) {
  const Window& w = node.window;
  const ImageShape& in = nodes_[node.input].shape;
  const bool channelwise = node.kind == Kind::channelwise;
  const bool is_joined = w.across_dilation == 1 && (channelwise || (node.groups == 1 && in.pixel == in.channels));
  const Size numbers = channelwise ? 1 : group_inputs(node);
  node.depth = is_joined ? w.width * numbers : numbers;
  for (Size i = 0; i < w.height; ++i)
    for (Size j = 0; j < (is_joined ? 1 : w.width); ++j)
      node.taps.push_back({i * w.down_dilation * in.row() + j * w.across_dilation * in.pixel, (i * w.width + j) * numbers,
                           i * w.down_dilation - w.top});
}

// Taps of the way back. Row i of the input was read by row u of the output through row k of the window if
// i = u down + k dilation - top. So all rows i = first + n down, a *phase*, were read through the same k, by the outputs
// u = n + (first + top - k dilation) / down. Columns likewise.
void Images::arrange_phases(Node& node) {
  const Window& w = node.window;
  const ImageShape& in = nodes_[node.input].shape;
  const bool channelwise = node.kind == Kind::channelwise;
  const Size outputs = channelwise ? 1 : round_up(group_outputs(node), kernels_.width);  // rows of transposed weights
  struct Place {
    Size tap, offset;  // k, and u - n
  };
  const auto places = [](Size first, Size taps, Size stride, Size dilation, Size before) {
    std::vector<Place> found;
    for (Size k = 0; k < taps; ++k)
      if (modulo(first + before - k * dilation, stride) == 0)
        found.push_back({k, (first + before - k * dilation) / stride});
    return found;
  };
  struct Axis {
    Size before = 0, after = 0;  // the margins that the offsets need
    void need(const std::vector<Place>& places, Size first, Size size, Size stride, Size outputs) {
      const Size count = (size - first + stride - 1) / stride;
      for (const Place& p : places) {
        before = std::max(before, -p.offset);
        after = std::max(after, count - 1 + p.offset - (outputs - 1));
      }
    }
  } rows, columns;
  for (Size i = 0; i < std::min(w.down, in.height); ++i)
    rows.need(places(i, w.height, w.down, w.down_dilation, w.top), i, in.height, w.down, node.shape.height);
  for (Size j = 0; j < std::min(w.across, in.width); ++j)
    columns.need(places(j, w.width, w.across, w.across_dilation, w.left), j, in.width, w.across, node.shape.width);
  node.gradient.widen(rows.before, columns.before, rows.after, columns.after);

  const ImageShape& out = node.gradient;
  const bool is_joined = w.across == 1 && w.across_dilation == 1 &&
                         (channelwise || (node.groups == 1 && out.pixel == out.channels));
  node.depth_back = is_joined ? w.width * outputs : channelwise ? 1 : group_outputs(node);
  for (Size i = 0; i < std::min(w.down, in.height); ++i)
    for (Size j = 0; j < std::min(w.across, in.width); ++j) {
      Phase phase{i, j, {}};
      for (const Place& row : places(i, w.height, w.down, w.down_dilation, w.top)) {
        auto across = places(j, w.width, w.across, w.across_dilation, w.left);
        // the transposed weights of the last one come first, and the others follow; depthwise weights are not transposed
        if (is_joined) across = {channelwise ? across.front() : across.back()};
        for (const Place& column : across) {
          const Size mirrored = channelwise ? column.tap : w.width - 1 - column.tap;
          phase.taps.push_back({row.offset * out.row() + column.offset * out.pixel,
                                (row.tap * w.width + mirrored) * outputs, row.offset});
        }
      }
      node.phases.push_back(std::move(phase));
    }
}

// For an input of few channels, taps one by one would fill only a part of each vector. Where a whole row of the window fits
// into the vectors of a panel, each pixel of dz is multiplied with that row at once: see scatter_back.
void Images::arrange_back(Node& node) {
  const Window& w = node.window;
  const Size channels = nodes_[node.input].shape.channels, row = w.width * channels;
  const Size vectors_of_row = round_up(row, kernels_.width), vectors_of_taps = w.width * round_up(channels, kernels_.width);
  node.scatters = node.kind == Kind::convolution && node.groups == 1 && w.across_dilation == 1 && row <= kernels_.panel &&
                  2 * vectors_of_row <= vectors_of_taps;
  if (node.scatters) return arrange_transposed(node, w.height, row);
  arrange_phases(node);
  if (node.kind == Kind::convolution) arrange_transposed(node, w.taps(), group_inputs(node));
}

}  // namespace pellucid
