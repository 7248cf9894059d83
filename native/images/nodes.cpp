// The graph of the image part: a function that adds each kind of node, and the order in which nodes are visited.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <stdexcept>

#include "images/images.hpp"

namespace pellucid {

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

// A node whose output has the shape of its input.
Images::Node Images::like(Kind kind, int from) const {
  Node node{kind, from};
  const ImageShape& shape = nodes_[from].shape;
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

void Images::arrange() {
  join_rescale();
  const bool is_gapless = nodes_[0].shape.pixel % kernels_.width != 0;
  for (const Node& node : nodes_)
    if (is_gapless && (node.other == 0 || (node.input == 0 && (node.kind != Kind::convolution || node.groups > 1))))
      throw std::invalid_argument("only convolutions of one group read pixels without gaps");
  arrange_order();
  arrange_geometry();
  arrange_memory();
}

// If a rescale is the only node that reads the input, `gather` does it, and its node goes.
void Images::join_rescale() {
  const auto reads_input = [](const Node& node) { return node.input == 0 || node.other == 0; };
  const auto readers = std::count_if(nodes_.begin(), nodes_.end(), reads_input);
  if (readers != 1 || nodes_[1].kind != Kind::rescale) return;
  Node &input = nodes_[0], &rescale = nodes_[1];
  const ImageShape& p = input.shape;
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

// Where stages begin, and which nodes add to the gradient of their input: on the way back the first to reach it stores.
void Images::arrange_order() {
  stages_ = {1};
  for (std::size_t i = 1; i < nodes_.size(); ++i)
    if (nodes_[i].kind == Kind::batch_normalization) stages_.push_back((int)i);
  stages_.push_back((int)nodes_.size());
  std::vector<bool> is_written(nodes_.size(), false);
  for (int i = (int)nodes_.size() - 1; i > 0; --i) {
    Node& node = nodes_[i];
    node.adds = is_written[node.input];
    is_written[node.input] = true;
    if (node.other < 0) continue;
    node.adds_other = is_written[node.other];
    is_written[node.other] = true;
  }
}

}  // namespace pellucid
