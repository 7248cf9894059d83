// The statistics of a batch, for batch normalization. Each thread computes the parts of its samples; the parts are then
// added up in the order of the samples, in double precision.
#include <cmath>

#include "images/images.hpp"

namespace pellucid {

void Images::sample_statistics(Pass& pass, int stage, Size from, Size to) const {
  const int number = stages_[stage];
  const Size width = nodes_[number].shape.pixel;
  const Values& values = pass.workspace[number];
  for (Size s = from; s < to; ++s)
    kernels_.moments(value(pass, nodes_[number].input, s), values.first + s * width, values.second + s * width);
}

// Mean and variance of the batch from those of its samples (Chan, Golub and LeVeque 1979), and the moving averages.
void Images::batch_statistics(Workspace& workspace, const float* parameters, float* state, int stage, Share channels,
                      Size samples) const {
  const int number = stages_[stage];
  const Node& node = nodes_[number];
  const Size width = node.shape.pixel, pixels = node.shape.height * node.shape.width;
  const float *means = workspace[number].first, *squares = workspace[number].second;
  const float* gamma = parameters + layout_[node.gamma].packed;
  for (Size c = channels.from; c < channels.to; ++c) {
    double sum = 0, within = 0, between = 0;
    for (Size s = 0; s < samples; ++s) {
      sum += means[s * width + c];
      within += squares[s * width + c];
    }
    const double middle = sum / (double)samples;
    for (Size s = 0; s < samples; ++s) between += (means[s * width + c] - middle) * (means[s * width + c] - middle);
    const double variance = (within + between * (double)pixels) / (double)(samples * pixels);
    const float inverse = (float)(1 / std::sqrt(variance + node.epsilon));
    statistic(workspace, number, mean)[c] = (float)middle;
    statistic(workspace, number, inverse_std)[c] = inverse;
    statistic(workspace, number, scale)[c] = gamma[c] * inverse;
    if (samples * pixels == 1) continue;  // one value has no variance to learn from
    float &moving_mean = state[node.moving_mean + c], &moving_variance = state[node.moving_variance + c];
    moving_mean = node.keep * moving_mean + node.take * (float)middle;
    moving_variance = node.keep * moving_variance + node.take * (float)variance;
  }
}

void Images::sample_statistics_back(Pass& pass, int stage, Size from, Size to) const {
  const int number = stages_[stage];
  const Size width = nodes_[number].shape.pixel;
  const Values& values = pass.workspace[number];
  for (Size s = from; s < to; ++s) {
    activate_back(number, pass, s);
    kernels_.normalization_sums(gradient(pass, number, s), value(pass, nodes_[number].input, s),
                                statistic(pass.workspace, number, mean), statistic(pass.workspace, number, inverse_std),
                                values.first + s * width, values.second + s * width);
  }
}

// dgamma and dbeta, and the terms of dx = scale (dy - dbeta / M - (x - mean) dgamma inverse_std / M) that come from them.
void Images::batch_statistics_back(Workspace& workspace, int stage, Share channels, Size samples, float* gradient) const {
  const int number = stages_[stage];
  const Node& node = nodes_[number];
  const Size width = node.shape.pixel;
  const double count = (double)(samples * node.shape.height * node.shape.width);
  for (Size c = channels.from; c < channels.to; ++c) {
    double dgamma = 0, dbeta = 0;
    for (Size s = 0; s < samples; ++s) {
      dgamma += workspace[number].first[s * width + c];
      dbeta += workspace[number].second[s * width + c];
    }
    gradient[layout_[node.gamma].packed + c] = (float)dgamma;
    gradient[layout_[node.beta].packed + c] = (float)dbeta;
    statistic(workspace, number, back_shift)[c] = (float)(dbeta / count);
    statistic(workspace, number, back_slope)[c] = (float)(dgamma / count) * statistic(workspace, number, inverse_std)[c];
  }
}

}  // namespace pellucid
