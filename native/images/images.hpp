// The image part of a network: the layers that work on images, from the input to the first dense layer (see plan/plan.hpp).
//
// They are nodes of a graph, in an order in which each node comes after those it reads. Only batch normalization makes the
// numbers of a sample depend on other samples, so the samples are shared out to the threads: a *chunk* of a few samples
// goes through as many nodes as it can while it lies in the nearer caches. At each batch normalization the threads wait for
// one another; the nodes between two of them are a *stage*.
//
// Gradients of weights are summed over the samples of a *group*, and the groups are added up in their order. Chunks and
// groups follow from sizes alone, so the bits are the same for any number of threads.
//
// Images are channels-last, with margins of zeros as wide as the windows over them need: see kernels/convolution.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernels.hpp"
#include "runtime/buffer.hpp"
#include "runtime/layout.hpp"
#include "runtime/sizes.hpp"

namespace pellucid {

// How the images of a node lie in memory.
struct ImageShape {
  Size height, width, channels;
  Size pixel;  // numbers from one pixel to the next, at least `channels`
  Size top = 0, left = 0, bottom = 0, right = 0;  // margins

  Size values() const { return height * width * channels; }
  Size row() const { return (left + width + right) * pixel; }       // numbers from one row to the next
  Size origin() const { return top * row() + left * pixel; }        // where the first pixel is
  Size sample() const { return round_up((top + height + bottom) * row(), 16) + 16; }  // with room for one more vector
  void widen(Size top_, Size left_, Size bottom_, Size right_);
};

struct Window {
  Size height, width, down, across, down_dilation, across_dilation, top, left;
  Size taps() const { return height * width; }
};

// The taps that lie in rows of the image, of those for one row of the output; those in its margins would only add zeros.
std::span<const Tap> inside(const std::vector<Tap>& taps, Size row, Size height);

// Whether runs of pixels are taken along the samples, and not along a row, which would not fill a tile.
inline bool is_narrow(Size width, Size samples) { return width < 4 && samples > width; }

// What decides, beside the layer, which elements of a batch are dropped.
struct DropoutSeed {
  std::uint64_t seed, step;
};

class Images {
 public:
  Images(const Kernels& kernels, Layout& layout, Size height, Size width, Size channels, bool is_compact);

  // Each adds a node that reads the node `from` (0 is the input), and returns its number.
  int add_convolution(int from, const Window& window, Size height, Size width, Size filters, Size groups,
                      Activation activation, bool bias, double l1, double l2);
  int add_pooling(int from, const Pooling& pooling, Size height, Size width);
  int add_batch_normalization(int from, double momentum, double epsilon, Activation activation);
  int add_layer_normalization(int from, double epsilon);
  int add_dropout(int from, double rate, std::uint64_t layer, bool whole_channels);
  int add_rescale(int from, const std::vector<float>& scale, const std::vector<float>& shift);
  int add_sum(int first, int second, Activation activation);
  int add_flatten(int from);

  int num_nodes() const { return (int)nodes_.size(); }
  int num_arrays() const { return num_arrays_; }  // they come first in the layout
  Size packed_size() const { return packed_size_; }
  bool is_arranged() const { return !stages_.empty(); }
  const ImageShape& shape(int node) const { return nodes_[node].shape; }
  Size outputs() const { return nodes_.back().shape.values(); }
  bool has_parameters() const { return num_arrays_ > 0; }
  double work() const { return work_; }  // multiply-adds of a sample

  // Works out order, margins, taps and memory; to be called after the last node.
  void arrange();

  // The numbers of up to `samples` samples.
  struct Values {
    float* value = nullptr;  // in `own`, or in memory that other nodes use before and after
    Buffer own, z, gradient;
    Buffer first, second;  // batch normalization: the part of each sample in the statistics
    Buffer statistics;     // of the batch: the numbers of all channels for each `Statistic`
  };
  using Workspace = std::vector<Values>;  // one for each node
  Workspace workspace(Size samples) const;
  // Memory of one thread.
  struct Scratch {
    Buffer plane, gathered;
    std::vector<std::int64_t> rows;  // of an image: their indices in x
  };
  Scratch scratch() const;

  // What a pass over samples reads and writes. Samples are counted as in the workspace, from 0.
  struct Pass {
    Workspace& workspace;
    Scratch& own;
    const float* parameters;  // packed
    float* state;
    Source source;
    const void* x;
    const std::int64_t* index;     // of each sample: its row in x
    const DropoutSeed* dropout_seed = nullptr;  // null in prediction
    const float* transposed = nullptr;  // the weights for the way back
    float* gradient = nullptr;       // of the group, packed; set by its first chunk, then added to
    bool is_first = false;           // whether this is that chunk
  };

  Size samples_of_chunk() const { return chunk_; }
  Size groups_of(Size samples) const;

  // Each stage but the first begins with a batch normalization. In training: `forward` of a stage and `sample_statistics`
  // of the next one for all samples, a barrier, `batch_statistics` for each channel once, a barrier. The way back likewise.
  int num_stages() const { return (int)stages_.size() - 1; }
  Size channels_of(int stage) const { return nodes_[stages_[stage]].shape.pixel; }

  void forward(Pass& pass, int stage, Size from, Size to) const;
  void sample_statistics(Pass& pass, int stage, Size from, Size to) const;
  void batch_statistics(Workspace& workspace, const float* parameters, float* state, int stage, Share channels,
                        Size samples) const;
  void write_rows(Pass& pass, float* rows, Size stride, Size from, Size to) const;  // the outputs, a row for each sample

  void read_gradient_rows(Pass& pass, const float* rows, Size stride, Size from, Size to) const;
  void backward(Pass& pass, int stage, Size from, Size to) const;
  void sample_statistics_back(Pass& pass, int stage, Size from, Size to) const;
  void batch_statistics_back(Workspace& workspace, int stage, Share channels, Size samples, float* gradient) const;

  // The weights as the way back reads them, in pieces that are shared out to the threads.
  Size transposed_size() const { return transposed_size_; }
  Size num_pieces() const { return (Size)pieces_.size(); }
  void transpose_piece(Size number, const float* parameters, float* transposed) const;

 private:
  friend class Prediction;

  enum class Kind { input, convolution, channelwise, pooling, batch_normalization, layer_normalization, dropout, rescale,
                    sum, flatten };
  enum Statistic { mean, inverse_std, scale, back_shift, back_slope, num_statistics };
  struct Phase {  // the pixels of the input's gradient at (row + i down, column + j across)
    Size row, column;
    std::vector<Tap> taps;
  };
  struct Node {
    bool is_convolution() const { return kind == Kind::convolution || kind == Kind::channelwise; }

    Kind kind;
    int input, other = -1;
    ImageShape shape{}, gradient{};  // of values and of their gradients: margins differ
    Activation activation = Activation::identity;
    bool adds = false, adds_other = false;  // to the gradient of its input, which another node has written before
    bool needs_gradient = false;            // it, or a node below it, has parameters
    // convolutions
    Window window{};
    Size groups = 1;
    int weight = -1, bias = -1;  // numbers of arrays; of the first one where there are groups
    std::vector<Tap> taps{};
    Size depth = 0, depth_back = 0;
    std::vector<Phase> phases{};
    bool scatters = false;  // on the way back: see scatter_back
    Size transposed = 0;    // place of the transposed weights, which have so many taps, each of so many inputs
    Size transposed_taps = 0, transposed_inputs = 0;
    // pooling
    Pooling pooling{};
    // normalization
    int gamma = -1, beta = -1;
    Size moving_mean = 0, moving_variance = 0;
    float keep = 0, take = 0, epsilon = 0;
    // dropout
    std::uint32_t threshold = 0;
    float factor = 0;
    std::uint64_t layer = 0;
    bool whole_channels = false;
    // rescale: for each channel; in the input, if it does the work of a rescale: for each number of a row
    std::vector<float> factor_of{}, shift_of{};
  };
  struct WeightPiece {  // one tap of one panel of inputs
    int node;
    Size group;
    int panel;
    Size tap;
  };

  int add(Node node);
  Node like(Kind kind, int from) const;
  void join_rescale();
  void arrange_order();
  void arrange_geometry();
  void arrange_memory();
  void arrange_convolution(Node& node);
  void arrange_back(Node& node);
  void arrange_phases(Node& node);
  void arrange_transposed(Node& node, Size taps, Size inputs);
  Size reach_down(const Node& node) const;
  Size reach_across(const Node& node) const;
  Size group_inputs(const Node& node) const { return nodes_[node.input].shape.channels / node.groups; }
  Size group_outputs(const Node& node) const { return node.shape.channels / node.groups; }

  static Buffer room(const ImageShape& shape, Size samples);
  Plane plane(const ImageShape& shape, const float* base, Size sample) const;
  Plane value(const Pass& pass, int node, Size sample) const;
  Plane gradient(const Pass& pass, int node, Size sample) const;
  float* statistic(const Workspace& workspace, int node, Statistic which) const;
  void gather(Pass& pass, Size sample, Size top, Size bottom) const;
  void convolve(int number, Pass& pass, Size from, Size to) const;
  void convolve_back(int number, Pass& pass, Size from, Size to) const;
  void scatter_back(int number, Pass& pass, Size sample) const;
  void weight_gradient(int number, Pass& pass, Size from, Size to) const;
  void activate(int number, Pass& pass, Size sample) const;
  void activate(int number, Pass& pass, const Plane& p) const;
  void normalize(int number, Pass& pass, const Plane& x, const Plane& y, const float* mean, const float* scale,
                 const float* shift) const;
  void activate_back(int number, Pass& pass, Size sample) const;
  void apply_dropout(const Node& node, const DropoutSeed& seed, const Plane& from, const Plane& to, Size sample) const;
  void forward_node(int number, Pass& pass, Size from, Size to) const;
  void sample_forward(int number, Pass& pass, Size sample) const;
  void sample_back(int number, Pass& pass, Size sample) const;
  void back(int number, Pass& pass, Size from, Size to) const;
  template <class Write>
  void write_gradient(Pass& pass, int to, bool adds, Size sample, Write write) const;

  const Kernels& kernels_;
  Layout& layout_;
  std::vector<Node> nodes_;
  std::vector<int> stages_;
  std::vector<WeightPiece> pieces_;
  Size chunk_ = 1, transposed_size_ = 0, largest_plane_ = 0, packed_size_ = 0;
  int num_arrays_ = 0;
  double work_ = 0;
};

}  // namespace pellucid
