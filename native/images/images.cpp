// The description of the layers that look at pictures: their nodes, where margins are needed, and which taps a window has.
#include "images/images.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <new>
#include <stdexcept>

namespace pellucid {

namespace {

constexpr Size chunk_values = 48 << 10;      // numbers of the largest picture of a chunk: with its like they fill a second cache
constexpr Size most_in_chunk = 16;
constexpr Size most_image_groups = 32, fewest_image_groups = 4;
constexpr Size most_group_numbers = 1 << 24;  // gradients of all groups together
constexpr double most_numbers = 1e12;         // of a picture: places in it are far from the end of `Size`

Size modulo(Size a, Size b) { return (a % b + b) % b; }

void check_size(const Picture& p) {
  if ((double)(p.top + p.height + p.bottom) * (double)(p.left + p.width + p.right) * (double)p.pixel > most_numbers)
    throw std::invalid_argument("a picture, with margins as wide as the windows need, is too large");
}

}  // namespace

void Picture::widen(Size top_, Size left_, Size bottom_, Size right_) {
  top = std::max(top, top_);
  left = std::max(left, left_);
  bottom = std::max(bottom, bottom_);
  right = std::max(right, right_);
}

Images::Images(const Kernels& kernels, Layout& layout, Size height, Size width, Size channels, bool is_compact)
    : kernels_(kernels), layout_(layout) {
  Node input{Kind::input, -1};
  input.shape = {height, width, channels, is_compact ? channels : round_up(channels, kernels.width)};
  nodes_.push_back(input);
}

int Images::add(Node node) {
  node.gradient = node.shape;
  for (int below : {node.input, node.other}) node.needs_gradient |= below >= 0 && nodes_[below].needs_gradient;
  num_arrays_ = (int)layout_.arrays().size();
  packed_size_ = layout_.packed_size();
  nodes_.push_back(std::move(node));
  return (int)nodes_.size() - 1;
}

// A node whose output is shaped as its input.
Images::Node Images::like(Kind kind, int from) const {
  Node node{kind, from};
  const Picture& shape = nodes_[from].shape;
  node.shape = {shape.height, shape.width, shape.channels, round_up(shape.channels, kernels_.width)};
  return node;
}

int Images::add_convolution(int from, const Window& window, Size height, Size width, Size filters, Size groups,
                            Activation activation, bool bias, double l1, double l2) {
  const Size channels = nodes_[from].shape.channels, rows = window.taps() * (channels / groups);
  const bool channelwise = groups > 1 && groups == channels && groups == filters;
  Node node{channelwise ? Kind::channelwise : Kind::convolution, from};
  node.shape = {height, width, filters, round_up(filters, kernels_.width)};
  node.activation = activation;
  node.window = window;
  node.groups = channelwise ? 1 : groups;
  node.weight = layout_.add_parts(rows, filters, node.groups, true, l1, l2);
  if (bias) node.bias = layout_.add(1, filters);
  node.needs_gradient = true;
  work_ += (double)(height * width * rows) * (double)filters;
  return add(node);
}

int Images::add_pooling(int from, const Pooling& pooling, Size height, Size width) {
  Node node = like(Kind::pooling, from);
  node.shape.height = height;
  node.shape.width = width;
  node.pooling = pooling;
  return add(node);
}

int Images::add_batch_normalization(int from, double momentum, double epsilon, Activation activation) {
  Node node = like(Kind::batch_normalization, from);
  node.activation = activation;
  node.keep = (float)momentum;
  node.take = (float)(1 - momentum);
  node.epsilon = std::max((float)epsilon, FLT_MIN);  // anything smaller counts as zero while steps run
  node.gamma = layout_.add(1, node.shape.channels);
  node.beta = layout_.add(1, node.shape.channels);
  node.moving_mean = layout_.add_state(node.shape.channels);
  node.moving_variance = layout_.add_state(node.shape.channels);
  node.needs_gradient = true;
  return add(node);
}

int Images::add_layer_normalization(int from, double epsilon) {
  Node node = like(Kind::layer_normalization, from);
  node.epsilon = std::max((float)epsilon, FLT_MIN);
  node.gamma = layout_.add(1, node.shape.channels);
  node.beta = layout_.add(1, node.shape.channels);
  node.needs_gradient = true;
  return add(node);
}

int Images::add_dropout(int from, double rate, std::uint64_t layer, bool whole_channels) {
  Node node = like(Kind::dropout, from);
  node.threshold = (std::uint32_t)std::min(std::nearbyint(rate * 4294967296.0), 4294967295.0);
  node.factor = (float)(1 / (1 - rate));
  node.layer = layer;
  node.whole_channels = whole_channels;
  return add(node);
}

int Images::add_rescale(int from, const std::vector<float>& scale, const std::vector<float>& shift) {
  Node node = like(Kind::rescale, from);
  node.factor_of = scale;
  node.shift_of = shift;
  node.factor_of.resize(node.shape.pixel);
  node.shift_of.resize(node.shape.pixel);
  return add(node);
}

int Images::add_sum(int first, int second, Activation activation) {
  Node node = like(Kind::sum, first);
  node.other = second;
  node.activation = activation;
  return add(node);
}

int Images::add_flatten(int from) {
  Node node = like(Kind::flatten, from);
  const Size values = node.shape.values();
  node.shape = {1, 1, values, round_up(values, kernels_.width)};
  return add(node);
}

// How many rows and columns of pixels all windows of a convolution cover together.
Size Images::reach_down(const Node& node) const {
  return (node.shape.height - 1) * node.window.down + (node.window.height - 1) * node.window.down_dilation + 1;
}
Size Images::reach_across(const Node& node) const {
  return (node.shape.width - 1) * node.window.across + (node.window.width - 1) * node.window.across_dilation + 1;
}

// A rescale that alone reads the input is done while the input is gathered: see `gather`.
void Images::join_rescale() {
  const auto readers = std::count_if(nodes_.begin(), nodes_.end(), [](const Node& n) { return n.input == 0 || n.other == 0; });
  if (readers != 1 || nodes_[1].kind != Kind::rescale) return;
  Node &input = nodes_[0], &rescale = nodes_[1];
  const Picture& p = input.shape;
  input.factor_of.assign(round_up(p.width * p.pixel, 16), 0.0f);
  input.shift_of = input.factor_of;
  for (Size pixel = 0; pixel < p.width; ++pixel) {
    std::copy_n(rescale.factor_of.begin(), p.channels, input.factor_of.begin() + pixel * p.pixel);
    std::copy_n(rescale.shift_of.begin(), p.channels, input.shift_of.begin() + pixel * p.pixel);
  }
  nodes_.erase(nodes_.begin() + 1);
  for (Node& node : nodes_)
    for (int* below : {&node.input, &node.other}) *below -= *below > 0;
}

void Images::arrange() {
  join_rescale();
  const bool is_gapless = nodes_[0].shape.pixel % kernels_.width != 0;
  for (const Node& node : nodes_)
    if (is_gapless && (node.other == 0 || (node.input == 0 && (node.kind != Kind::convolution || node.groups > 1))))
      throw std::invalid_argument("only convolutions of one group read pixels without gaps");
  stages_ = {1};
  std::vector<bool> is_written(nodes_.size(), false);
  for (int i = (int)nodes_.size() - 1; i > 0; --i) {  // the order of the way back
    Node& node = nodes_[i];
    node.adds = is_written[node.input];
    is_written[node.input] = true;
    if (node.other < 0) continue;
    node.adds_other = is_written[node.other];
    is_written[node.other] = true;
  }
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    if (nodes_[i].kind == Kind::batch_normalization) stages_.push_back((int)i);
    if (nodes_[i].kind == Kind::convolution || nodes_[i].kind == Kind::channelwise) {
      const Node& node = nodes_[i];
      const Window& w = node.window;
      Picture& in = nodes_[node.input].shape;
      in.widen(w.top, w.left, reach_down(node) - w.top - in.height, reach_across(node) - w.left - in.width);
    }
  }
  stages_.push_back((int)nodes_.size());
  for (const Node& node : nodes_) check_size(node.shape);
  for (Node& node : nodes_) {
    if (node.kind != Kind::convolution && node.kind != Kind::channelwise) continue;
    arrange_convolution(node);
    if (nodes_[node.input].needs_gradient) arrange_back(node);
  }
  Size largest = 1;
  for (const Node& node : nodes_) {
    check_size(node.gradient);
    largest = std::max(largest, node.shape.sample());
    const Window& w = node.window;
    const Size sums = node.scatters ? reach_down(node) * reach_across(node) * nodes_[node.input].shape.channels : 0;
    const Size rows = std::max(node.shape.width, most_in_chunk) + std::max(w.down, w.across);
    largest_plane_ = std::max({largest_plane_, node.shape.sample(), node.gradient.sample(), sums + rows * kernels_.panel + 64});
  }
  chunk_ = std::clamp<Size>(chunk_values / largest, 1, most_in_chunk);
}

// Taps of the way forward. Where the pixels of a row lie side by side, all columns of a window are one tap.
void Images::arrange_convolution(Node& node) {
  const Window& w = node.window;
  const Picture& in = nodes_[node.input].shape;
  const bool channelwise = node.kind == Kind::channelwise;
  const bool is_joined = !channelwise && node.groups == 1 && in.pixel == in.channels && w.across_dilation == 1;
  const Size numbers = channelwise ? 1 : group_inputs(node);
  node.depth = is_joined ? w.width * numbers : numbers;
  for (Size i = 0; i < w.height; ++i)
    for (Size j = 0; j < (is_joined ? 1 : w.width); ++j)
      node.taps.push_back({i * w.down_dilation * in.row() + j * w.across_dilation * in.pixel, (i * w.width + j) * numbers,
                           i * w.down_dilation - w.top});
}

// Taps of the way back. The pixel i of the input was seen by the output u through row k of the window if
// i = u down + k dilation - top. So the pixels i = first + n down, a phase, all have the same k, at u = n + (first + top -
// k dilation) / down.
void Images::arrange_phases(Node& node) {
  const Window& w = node.window;
  const Picture& in = nodes_[node.input].shape;
  const bool channelwise = node.kind == Kind::channelwise;
  const Size outputs = channelwise ? 1 : round_up(group_outputs(node), kernels_.width);  // rows of turned weights of a tap
  struct Place {
    Size tap, offset;
  };
  const auto places = [](Size first, Size taps, Size stride, Size dilation, Size before) {
    std::vector<Place> found;
    for (Size k = 0; k < taps; ++k)
      if (modulo(first + before - k * dilation, stride) == 0) found.push_back({k, (first + before - k * dilation) / stride});
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

  const Picture& out = node.gradient;
  const bool is_joined = !channelwise && node.groups == 1 && out.pixel == out.channels && w.across == 1 && w.across_dilation == 1;
  node.depth_back = channelwise ? 1 : is_joined ? w.width * outputs : group_outputs(node);
  for (Size i = 0; i < std::min(w.down, in.height); ++i)
    for (Size j = 0; j < std::min(w.across, in.width); ++j) {
      Phase phase{i, j, {}};
      for (const Place& row : places(i, w.height, w.down, w.down_dilation, w.top)) {
        auto across = places(j, w.width, w.across, w.across_dilation, w.left);
        if (is_joined) across = {across.back()};  // its turned weights come first, and the others follow
        for (const Place& column : across) {
          const Size mirrored = channelwise ? column.tap : w.width - 1 - column.tap;
          phase.taps.push_back({row.offset * out.row() + column.offset * out.pixel, (row.tap * w.width + mirrored) * outputs,
                                row.offset});
        }
      }
      node.phases.push_back(std::move(phase));
    }
}

// The way back to few channels would fill a fraction of each vector, tap by tap. Where a whole row of the window fits into
// the vectors of a panel, each pixel of dz is multiplied with that row at once, and the result is added where the window was.
void Images::arrange_back(Node& node) {
  const Window& w = node.window;
  const Size channels = nodes_[node.input].shape.channels, row = w.width * channels;
  const Size vectors_of_row = round_up(row, kernels_.width), vectors_of_taps = w.width * round_up(channels, kernels_.width);
  node.scatters = node.kind == Kind::convolution && node.groups == 1 && w.across_dilation == 1 && row <= kernels_.panel &&
                  2 * vectors_of_row <= vectors_of_taps;
  if (node.scatters) return arrange_turns(node, w.height, row);
  arrange_phases(node);
  if (node.kind == Kind::convolution) arrange_turns(node, w.taps(), group_inputs(node));
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

}  // namespace pellucid
