// Prediction: forward only, directly from the flat vectors of parameters, which may change between calls.
//
// Many samples go through all layers in blocks of rows, so that memory stays bounded. Each thread takes the next block when
// it is free; that changes no bit, since no sample's numbers depend on others. A few samples run in the caller's thread; of
// large images, threads share out each layer of those that do not make a block for each.
// Layers that work on images come first (see images/prediction.hpp), on a copy of their parameters that `fold` makes; or the
// layers of a table (see plan/front.hpp). From the first scales of an ensemble on, each sample has a row for each of its
// networks; the answer is the mean of their outputs.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "kernels/kernels.hpp"
#include "runtime/layout.hpp"
#include "images/images.hpp"
#include "images/prediction.hpp"
#include "plan/ensemble.hpp"
#include "plan/front.hpp"

namespace pellucid {

inline constexpr Size most_images = 64;          // of a block, and so many that their work is about this
inline constexpr double work_of_block = 3e9;     // multiply-adds
inline constexpr double work_for_threads = 4e6;  // multiply-adds; for fewer, waking a thread costs more than it saves

enum class Answer : int { logits, softmax, yes_or_no };

class Inference {
 public:
  Inference(const Kernels& kernels, Size inputs);

  void describe_front(const std::function<void(Front&)>& add);
  Images& begin_images(Size height, Size width, Size channels, bool is_compact);
  void end_images();
  void add_affine(Size units, Activation activation, bool bias);
  void add_normalization(double epsilon);
  void add_scales(Size ensemble, Activation activation, bool shift);  // of an ensemble of so many networks
  void add_heads(Size units, bool bias);                              // an output layer for each of them
  void add_scaling(double rate);

  Size inputs() const { return inputs_; }
  const Images* images() const { return images_.get(); }
  const Front* front() const { return front_.get(); }
  bool has_layers() const { return images_ || !layers_.empty(); }
  bool has_heads() const { return !layers_.empty() && layers_.back().kind == Kind::heads; }
  Size outputs() const { return units_; }
  Size num_parameters() const { return parameters_; }
  Size num_state() const { return state_; }

  // The image part reads its parameters as they were here; to be called before `run`, and after each change.
  void fold(const float* parameters, const float* state);
  bool is_folded() const { const std::lock_guard lock(mutex_); return (bool)folded_; }

  // Writes (rows, outputs), or (rows, 2) for yes or no. False if an input or a logit is not finite.
  bool run(Source source, const void* x, Size rows, const float* parameters, const float* state, Answer answer, float* to,
           int threads) const;

 private:
  enum class Kind { affine, normalization, scaling, scales, heads };
  struct Layer {
    Kind kind;
    Size inputs, units;
    Activation activation;
    // places in the parameters, of gamma and beta in a normalization, of scale and shift, of the changes of a scaling; bias is
    // -1 if there is none
    Size weight, bias;
    Size state;         // the place of the moving mean; the moving variance follows it
    float constant;     // epsilon, or the rate of a scaling
    bool reads_bins = false;  // of a table, which are not written out and not among the inputs: see kernels/encoding.cpp
  };

  struct Call {  // what all blocks need
    Source source;
    const float *parameters, *state;
    const Prediction::Folded* folded;
    const float* bin_sums;  // of the first layer's weights, for many rows
    Answer answer;
  };
  struct Room {  // memory for a chunk of images
    Prediction::Workspace workspace;
    Prediction::Scratch own;
  };
  struct Crew {  // of a block: one thread, or several
    Prediction::Together* together = nullptr;
    int member = 0;
    Prediction::Workspace* workspace = nullptr;  // shared by several threads
    float* values = nullptr;                 // likewise
    Share share(Size total) const { return together ? share_of(member, together->team.size(), total) : Share{0, total}; }
    void meet() const { if (together) together->team.barrier(); }
  };
  bool run_block(const Call& call, const void* x, Size rows, float* to, const Crew& crew) const;
  bool run_blocks(const Call& call, const char* x, Size rows, float* to, int threads) const;
  bool run_together(const Call& call, const void* x, Size rows, float* to, int threads) const;
  Size value_room(Size rows) const;
  Buffer sum_bin_weights(const float* parameters) const;
  void add_bins(const Layer& layer, const InBin* in, const float* sums, Size column, const float* parameters,
                const Block& to, float* panel) const;
  void run_images(const Call& call, const void* x, Size rows, float* to, Size stride, const Crew& crew) const;
  std::unique_ptr<Room> borrow_room() const;
  void give_back(std::unique_ptr<Room> room) const;
  void affine(const Layer& layer, const float* x, Size x_stride, Size rows, const float* parameters, float* to,
              Size stride, float* panel, bool skips_zeros, const InBin* in, const float* bin_sums, const Crew& crew) const;
  void scale(const Layer& layer, const float* x, Size x_stride, Size samples, bool repeats, const float* parameters,
             float* to, Size stride, float* scratch) const;
  void mean_of_heads(const Layer& layer, const float* x, Size x_stride, Size samples, const float* parameters, float* to,
                     Size stride, float* panel) const;
  void normalize(const Layer& layer, Size rows, const float* parameters, const float* state, float* x, Size stride,
                 float* scratch) const;
  void scale_features(const Layer& layer, Size rows, const float* parameters, float* x, Size stride, float* scratch) const;

  const Kernels& kernels_;
  const Size inputs_;
  Size units_, tail_, widest_, deepest_;  // tail_: inputs of the first layer after front or image part, without bins
  Size ensemble_ = 1;
  Size parameters_ = 0, state_ = 0;
  double work_ = 0;
  Layout layout_;
  std::unique_ptr<Front> front_;
  std::optional<Bins> bins_;  // that come last in the front, if the first layer reads them
  std::unique_ptr<Images> images_;
  std::unique_ptr<Prediction> prediction_;
  std::shared_ptr<const Prediction::Folded> folded_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Room>> rooms_;  // those not in use
  std::vector<Layer> layers_;
};

}  // namespace pellucid
