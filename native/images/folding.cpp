// Which nodes are one step of a prediction, where their outputs lie, and the weights of the steps.
#include <algorithm>
#include <cmath>

#include "images/prediction.hpp"

namespace pellucid {

namespace {

constexpr Size most_vectors = 3;  // of a panel that goes through two convolutions: a few rows of it fit into the caches

}  // namespace

Prediction::Prediction(const Images& images, const Kernels& kernels, const Layout& layout)
    : images_(images), kernels_(kernels), layout_(layout), is_covered_(images.nodes_.size(), false) {
  for (int number = 0; number < images_.num_nodes(); ++number)
    if (!is_covered_[number]) steps_.push_back(step_of(number));
  arrange_places();
}

// The one node that reads this one; -1 if none does, or several do.
int Prediction::only_reader(int number) const {
  int found = -1;
  for (int i = number + 1; i < images_.num_nodes(); ++i)
    for (int below : {node(i).input, node(i).other}) {
      if (below != number) continue;
      if (found >= 0) return -1;
      found = i;
    }
  return found;
}

// Makes a filter of a convolution and the batch normalization behind it, if there is one. Returns the last of its nodes.
int Prediction::absorb(Filter& filter, int number) {
  filter.node = number;
  filter.activation = node(number).activation;
  is_covered_[number] = true;
  const int next = only_reader(number);
  if (filter.activation != Activation::identity || next < 0 || node(next).kind != Kind::batch_normalization) return number;
  filter.normalization = next;
  filter.activation = node(next).activation;
  is_covered_[next] = true;
  return next;
}

Prediction::Step Prediction::step_of(int number) {
  Step step{node(number).input, number, {}, {}};
  if (node(number).kind == Kind::channelwise) {
    step.output = absorb(step.depthwise, number);
  } else if (node(number).kind == Kind::convolution && node(number).groups == 1) {
    step.output = absorb(step.filter, number);
    const int next = only_reader(step.output);
    if (next >= 0 && node(next).kind == Kind::channelwise) {
      step.output = absorb(step.depthwise, next);
    } else if (next >= 0 && node(next).kind == Kind::sum && step.filter.activation == Activation::identity) {
      const int other = node(next).input == step.output ? node(next).other : node(next).input;
      if (other < number) {  // by then it has been computed
        step.added = other;
        step.output = next;
        step.filter.activation = node(next).activation;
        is_covered_[next] = true;
      }
    }
  } else if (node(number).kind == Kind::batch_normalization) {
    step.scales = folded_size_;
    folded_size_ += 3 * shape(number).pixel;
  } else if (number > 0) {
    needs_packed_ = true;
  }
  if (step.filter.exists() || step.depthwise.exists()) arrange_weights(step);
  return step;
}

void Prediction::arrange_weights(Step& step) {
  const Size width = kernels_.width, panel = kernels_.panel / width;
  const Size most = step.depthwise.exists() ? std::min(most_vectors, panel) : panel;
  step.vectors = shape(step.output).pixel / width;
  step.panels = (int)((step.vectors + most - 1) / most);
  for (Filter* filter : {&step.filter, &step.depthwise}) {
    if (!filter->exists()) continue;
    filter->weights = folded_size_;
    folded_size_ += (layout_[node(filter->node).weight].rows + 1) * step.vectors * width;
  }
  if (!step.filter.exists() || !step.depthwise.exists()) return;
  const Node& below = node(step.depthwise.node);
  const Size rows = (below.window.height - 1) * below.window.down_dilation + 1;
  const ImageShape& in = shape(below.input);
  most_rows_ = std::max(most_rows_, rows * (in.left + in.width + in.right) * most * width);
}

// Margins must stay zero: where there are any, memory is not shared.
bool Prediction::has_margins(int number) const {
  const ImageShape& p = shape(number);
  return p.top + p.left + p.bottom + p.right > 0;
}

// Each output takes the first place that is free from its step to the last one that reads it, so that all of them together
// stay in the nearer caches.
void Prediction::arrange_places() {
  struct Taken {
    Size from, to;
    std::size_t last;  // step
  };
  std::vector<Taken> taken;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    if (has_margins(step.output)) continue;
    std::size_t last = step.output + 1 == images_.num_nodes() ? steps_.size() : i;
    for (std::size_t later = i + 1; later < steps_.size(); ++later) {
      const Step& reader = steps_[later];
      if (reader.input == step.output || reader.added == step.output || node(reader.output).other == step.output) last = later;
    }
    std::erase_if(taken, [&](const Taken& t) { return t.last < i; });
    const Size size = shape(step.output).sample();
    for (bool is_free = false; !is_free;) {
      is_free = true;
      for (const Taken& t : taken)
        if (step.place < t.to && t.from < step.place + size) {
          step.place = t.to;
          is_free = false;
        }
    }
    taken.push_back({step.place, step.place + size, last});
    shared_size_ = std::max(shared_size_, step.place + size);
  }
}

// The columns of a panel, with those that only fill its last vector.
Share Prediction::columns(const Step& step, int panel) const {
  return {step.vectors * panel / step.panels * kernels_.width, step.vectors * (panel + 1) / step.panels * kernels_.width};
}

// The bias of a panel; its other weights follow.
const float* Prediction::weights(const Step& step, const Filter& filter, int panel, const Folded& folded) const {
  return folded.weights + filter.weights + (layout_[node(filter.node).weight].rows + 1) * columns(step, panel).from;
}

Prediction::Folded Prediction::fold(const float* parameters, const float* state) const {
  Folded folded{Buffer(folded_size_), Buffer(needs_packed_ ? layout_.packed_size() + 16 : 0), Buffer(layout_.state_size())};
  layout_.pack_state(state, folded.state);
  if (needs_packed_) layout_.pack(parameters, folded.parameters);
  for (const Step& step : steps_) {
    for (const Filter* filter : {&step.filter, &step.depthwise})
      if (filter->exists()) fold_filter(step, *filter, parameters, folded.state, folded.weights + filter->weights);
    const Node& n = node(step.output);
    if (n.kind != Kind::batch_normalization || step.filter.exists() || step.depthwise.exists()) continue;
    float *mean = folded.weights + step.scales, *scale = mean + n.shape.pixel, *shift = scale + n.shape.pixel;
    for (Size c = 0; c < n.shape.channels; ++c) {
      mean[c] = folded.state[n.moving_mean + c];
      scale[c] = (float)scale_of(n, c, parameters, folded.state);
      shift[c] = parameters[layout_[n.beta].flat + c];
    }
  }
  return folded;
}

double Prediction::scale_of(const Node& n, Size channel, const float* parameters, const float* state) const {
  return parameters[layout_[n.gamma].flat + channel] / std::sqrt((double)state[n.moving_variance + channel] + n.epsilon);
}

// (x W + b - mean) s + beta = x (W s) + (b - mean) s + beta, where s = gamma / std.
void Prediction::fold_filter(const Step& step, const Filter& filter, const float* parameters, const float* state,
                             float* to) const {
  const Node& below = node(filter.node);
  const Array& array = layout_[below.weight];
  const Size channels = below.shape.channels;
  std::vector<double> scale(channels, 1.0), shift(channels, 0.0);
  for (Size c = 0; c < channels; ++c) {
    if (below.bias >= 0) shift[c] = parameters[layout_[below.bias].flat + c];
    if (filter.normalization < 0) continue;
    const Node& n = node(filter.normalization);
    scale[c] = scale_of(n, c, parameters, state);
    shift[c] = (shift[c] - state[n.moving_mean + c]) * scale[c] + parameters[layout_[n.beta].flat + c];
  }
  for (int panel = 0; panel < step.panels; ++panel) {
    const Share share = columns(step, panel);
    const Size count = std::min(channels, share.to) - share.from;
    float* row = to + (array.rows + 1) * share.from;
    for (Size c = 0; c < count; ++c) row[c] = (float)shift[share.from + c];
    for (Size i = 0; i < array.rows; ++i) {
      row += share.to - share.from;
      const float* from = parameters + array.flat + i * array.flat_row + share.from;
      for (Size c = 0; c < count; ++c) row[c] = (float)(from[c] * scale[share.from + c]);
    }
  }
}

}  // namespace pellucid
