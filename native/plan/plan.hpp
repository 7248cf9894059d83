// A plan: a network, its loss and its optimizer, compiled into whole training steps.
//
// The layers become *segments*: a weighted sum with its activation, and the operations behind it that work column by
// column (dropout, batch normalization, ScaleFeatures). Within a segment every column belongs to one thread, so threads
// wait for one another only between segments. There are two ways to deal out the work of a step. The sizes of the network
// and the batch decide which one is taken, never the number of threads, so the bits are the same for any number of them:
//
//   by columns  each thread owns panels of columns: of the weights, their moments, the activations and their gradients.
//               Weights stay in the cache of their thread; each tile of the gradient is used for the update at once.
//   by rows     for small networks with large batches: the batch is cut into chunks, and a thread takes a chunk all the way
//               forward and back, in its nearest cache. The gradients of fixed groups of chunks are added up in order.
//
// Layers that work on images come before all segments. Their work is dealt out by samples (see images/images.hpp), and
// their outputs are the input of the first segment. Or the layers of a table come first, row by row (see plan/front.hpp). If
// they have no parameters, they run where the rows of a batch are gathered, and have no way back.
//
// An ensemble of networks in one (see pellucid/nn/layers/ensemble_dense.py) has for each sample a row for each of its networks,
// from the inputs to the loss. Weights that they share meet just more rows; plan/ensemble.cpp has what each has of its own.
//
// While it trains, a plan keeps parameters and moments in a layout of its own (see kernels/kernels.hpp); `load` and `store`
// translate from and to the flat vectors of pellucid/nn/parameters.py. After `prepare`, steps allocate nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernels.hpp"
#include "runtime/buffer.hpp"
#include "runtime/layout.hpp"
#include "runtime/pool.hpp"
#include "images/images.hpp"
#include "plan/ensemble.hpp"
#include "plan/front.hpp"

namespace pellucid {

// The optimizer's constants in double precision; names as in pellucid/mathematics/optimizers.py.
struct Optimizer {
  Rule rule = Rule::descent;
  double momentum = 0, beta1 = 0, beta2 = 0, decay = 0, epsilon = 0, weight_decay = 0;
  double bound = __builtin_inf();         // ClipByValue
  double norm_bound = __builtin_inf();    // ClipByGlobalNorm
};

// The data of a training. They stay where they are; steps name their samples by row.
struct Data {
  Source source;
  const void* x;                // (N, inputs)
  const std::int32_t* labels;   // (N,), or null
  const float* targets;         // (N, outputs), or null
  const double* weights;        // (N,), or null
};

struct Steps {
  std::span<const std::int64_t> rows;  // one step after the other; the last one may be shorter
  std::span<const double> rates;       // the learning rate of each step
  std::uint64_t first_step;            // its number in the life of the network, on which dropout depends
  std::int64_t first_update;           // how many updates came before it
};

enum class Outcome : int { done, bad_loss, bad_gradient, bad_update };

struct Report {
  Size steps;  // finished ones
  Outcome outcome;
};

class Plan {
 public:
  Plan(const Kernels& kernels, Size inputs, std::uint64_t seed);

  // The description, in the order of the layers: first those of a table, or those that work on images.
  void describe_front(const std::function<void(Front&)>& add);
  Images& begin_images(Size height, Size width, Size channels, bool is_compact);
  void end_images();
  void add_affine(Size units, Activation activation, bool bias, double l1, double l2);
  void add_dropout(double rate, std::uint64_t layer);
  void add_normalization(double momentum, double epsilon);
  void add_scales(Size ensemble, Activation activation, bool shift);  // of an ensemble of so many networks
  void add_heads(Size units, bool bias, double l1, double l2);        // an output layer for each of them
  void add_scaling(double rate);
  void set_loss(LossKind kind, double parameter, std::vector<float> levels);
  void set_optimizer(const Optimizer& optimizer);
  void use_bf16();  // products of bfloat16 (by columns only); refused where `has_bf16` is false
  void expect_zeros(bool many) { skips_zeros_ = many; }  // in the inputs: changes the speed, but no bit

  // Allocates all that steps of up to `batch` samples on `threads` threads need.
  void prepare(Size batch, int threads);

  Size inputs() const { return inputs_; }
  const Images* images() const { return images_.get(); }
  const Front* front() const { return front_.get(); }
  bool has_layers() const { return images_ || segments_.size() > 1 || !segments_[0].operations.empty(); }
  bool uses_bf16() const { return bf16_; }  // after `prepare`
  Size batch() const { return batch_ / ensemble_; }
  Size num_parameters() const { return layout_.flat_size(); }
  Size num_state() const { return layout_.flat_state_size(); }
  Size outputs() const { return segments_.back().units; }
  int num_slots() const;

  void load(const float* parameters, const float* state, const float* first, const float* second);
  void store(float* parameters, float* state, float* first, float* second) const;

  // Makes the steps with at most `threads` threads. Losses and scores, one number a step, are the weighted means over the
  // batch before its update.
  Report run(const Data& data, const Steps& steps, int threads, double* losses, double* scores);

 private:
  struct Operation {  // column by column
    enum class Kind { dropout, normalization, scaling, scales } kind;
    std::uint32_t threshold = 0;
    float factor = 0;
    std::uint64_t layer = 0;
    float keep = 0, take = 0, epsilon = 0;
    int gamma = 0, beta = 0, change = 0;       // numbers of arrays
    float rate = 0;                            // of a scaling
    Size moving_mean = 0, moving_variance = 0;  // places in the packed state
    Activation activation = Activation::identity;  // behind the scales of an ensemble
    int scale = -1, shift = -1;                 // numbers of arrays
  };
  struct Segment {
    bool has_affine;
    Size inputs, units, stride;
    Activation activation = Activation::identity;
    int weight = -1, bias = -1;  // numbers of arrays
    std::vector<Operation> operations = {};
    bool normalizes = false;     // an operation takes sums over whole columns, on both ways
    bool needs_columns = false;  // the same, at least on the way back: an operation has parameters
    bool needs_dx = false;       // a layer below has parameters
    Size heads = 1;              // how many weights there are, of which each network of an ensemble has its own

    bool learns() const {        // whether it has parameters
      return has_affine || std::any_of(operations.begin(), operations.end(),
                                       [](const Operation& operation) { return operation.kind != Operation::Kind::dropout; });
    }
  };
  struct Rounded {  // a matrix rounded to bfloat16, for products
    Rounded() = default;
    Rounded(Size count, Size stride) : rows(count * stride / 2), pairs((count + 1) / 2 * stride) {}
    Buffer rows;   // pairs of neighbors in a row
    Buffer pairs;  // pairs of neighbors in a column
  };
  struct Workspace {  // the numbers of up to `rows` samples
    Front::Values front;
    Buffer x[2];  // what the first segment takes
    Rounded rounded_x[2];
    struct Values {
      Buffer a, z, gradient;
      std::vector<Buffer> outputs;              // one for each operation
      std::vector<Buffer> mean, inverse_std;    // of batch normalizations
      std::vector<Buffer> sums;                 // of scales: what goes into the activation, where that is kept
      std::vector<Buffer> dscale, dshift;       // of scales: their gradients, for each piece of the rows
      std::vector<Buffer> dchange;              // of a scaling in an ensemble: the same
      Rounded rounded;                          // of the last output
      Buffer rounded_gradient;
    };
    std::vector<Values> segments;
  };
  struct Member {  // memory of one thread
    Buffer gradient_tile, transposed, paired, finite;
    std::vector<Buffer> transposed_weights;  // by rows: of each segment, for the whole step
    Workspace workspace;                     // by rows
    Images::Scratch images;
  };
  struct Batch {  // one step, as all members know it
    const Data* data;
    const std::int64_t* index;
    Size rows;
    int buffer;  // which of the two buffers of inputs holds it
    std::uint64_t step;
    Loss loss;
    double rate;
    std::int64_t update;  // its number, 1, 2, ...
    double scale = 1;     // the gradient is multiplied by this: less than 1 if its norm is clipped
  };

  struct Task {  // rows [from, to) of the columns of a panel
    int panel;
    Size from, to;
  };
  struct OwnRows {  // every `ensemble_`th row, from the first one on
    Size first, count;
  };

  int num_panels(Size columns) const { return layout_.num_panels(columns); }
  int panel_vectors(Size columns, int panel) const { return layout_.panel_vectors(columns, panel); }

  Batch batch_of(const Data& data, const Steps& steps, Size number) const;
  void work(int member, const Data& data, const Steps& steps, double* losses, double* scores, Report& report);
  Outcome step_by_columns(int member, Batch& batch, const Batch* next, double* loss, double* score);
  Outcome step_by_rows(int member, Batch& batch, double* loss, double* score);
  void gather(int member, const Batch& batch);
  void gather_rows(const Batch& batch, Size from, Size rows, Workspace& workspace, Size to) const;
  void run_front(Workspace& workspace, int buffer, Size from, Size rows) const;
  void round_rows(Workspace& workspace, int buffer, Size from, Size rows) const;
  void front_forward(int member, const Batch& batch);
  void front_backward(int member, const Batch& batch);
  void images_forward(int member, const Batch& batch);
  void images_backward(int member, const Batch& batch);
  Outcome end_step(int member);
  bool mean_loss(int member, const Batch& batch, double* loss, double* score);

  void forward(int member, std::size_t index, Workspace& workspace, const Task& task, const Batch& batch, Size first_row);
  void loss_of_rows(Workspace& workspace, Size from, Size to, const Batch& batch, Size first_row);
  void backward(int member, std::size_t index, Workspace& workspace, const Task& task, const Batch& batch,
                Size first_row, const float* transposed, float* gradient, bool accumulate);
  void transpose_weights(std::size_t index, int panel, Size from_unit, Size to_unit, float* to, int head = 0) const;
  Size rows_of_piece() const;
  Size num_pieces(Size rows) const;
  OwnRows rows_of(Size network, Size from, Size to) const;
  EnsembleScales scales(const Operation& operation, Size column, Size row) const;
  void scales_backward(const Segment& segment, std::size_t number, Workspace::Values& values, const float* x,
                       const Task& task, const Block& dy);
  void add_pieces(int number, const float* pieces, Size column, Size count, Size rows);
  void forward_heads(std::size_t index, Workspace& workspace, const Task& task, const Batch& batch);
  void backward_heads(int member, std::size_t index, Workspace& workspace, const Task& task);
  bool learns() const;
  void weight_gradient(int member, std::size_t index, const Task& task, const Batch& batch, Share part, Size head);
  void chunk_gradient(std::size_t index, Workspace& workspace, Size rows, float* gradient, bool accumulate);
  void add_groups(int member, const Batch& batch, const Array& array, Size groups, Size group_size);
  void update_small(int member, std::size_t index, int panel, const Batch& batch);
  void update_whole(int member, const Batch& batch, const Array& array);
  void update_flat(int member, const Batch& batch);
  void update_range(int member, const Update& update, Size place, Size count, const float* gradient);
  bool scale_to_norm(int member, Batch& batch);
  Update update_for(const Array& array, const Batch& batch) const;

  Normalization normalization(const Operation& operation, Workspace::Values& values, std::size_t number, Size column);
  Mask mask(const Operation& operation, std::uint64_t step) const;
  Scaling scaling(const Operation& operation, Size column, float* gradient, bool accumulate) const;
  const float* input_of(std::size_t index, const Workspace& workspace, int buffer) const;
  bool may_skip_zeros(std::size_t index) const;
  const Rounded& rounded_input_of(std::size_t index, const Workspace& workspace, int buffer) const;
  const float* pair_panel(int member, const float* from, Size stride, Size rows, int vectors);
  void allocate(Workspace& workspace, Size rows) const;
  bool clips_norm() const { return optimizer_.norm_bound < __builtin_inf(); }

  const Kernels& kernels_;
  const std::uint64_t seed_;
  Size inputs_;
  Size ensemble_ = 1;  // networks in one; each has its row of every sample
  Layout layout_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<Images> images_;
  std::vector<Segment> segments_;
  LossKind loss_ = LossKind::cross_entropy;
  float loss_parameter_ = 0;
  std::vector<float> levels_;
  Optimizer optimizer_;

  Size batch_ = 0;  // rows of a step
  std::vector<std::int64_t> repeated_;  // the rows of the data, each once for every network of an ensemble
  int threads_ = 1;
  bool by_rows_ = false, skips_zeros_ = false, bf16_ = false;
  Buffer parameters_, state_, first_, second_, gradient_, group_gradients_, terms_, scores_;
  std::vector<double> norm_parts_;
  Workspace workspace_;
  Images::Workspace images_workspace_;
  Buffer transposed_;
  std::vector<Member> members_;
  Team* team_ = nullptr;  // while steps run
  std::atomic<bool> bad_gradient_{false}, bad_update_{false};
};

}  // namespace pellucid
