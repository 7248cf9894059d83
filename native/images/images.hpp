// The layers that look at pictures: what stands between the input and the first segment of a plan (see plan/plan.hpp).
//
// They are nodes of a graph, in an order in which each node comes after those it reads. A sample's numbers never depend on
// its neighbors but through the statistics of batch normalization, so threads take samples: a *chunk* of a few samples goes
// through as many nodes as it can while it lies in the near caches. Only at a batch normalization must all meet; the nodes
// between two meetings are a *stage*.
//
// Gradients of weights are summed over the samples of a *group*, and the groups are added up in their order. Chunks and
// groups are decided by sizes alone, so the bits are the same for any number of threads.
//
// Pictures are channels-last, with margins of zeros as wide as the windows that look at them need: see kernels/convolution.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernels.hpp"
#include "runtime/buffer.hpp"
#include "runtime/layout.hpp"
#include "runtime/sizes.hpp"

namespace pellucid {

// How the pictures of a node lie in memory.
struct Picture {
  Size height, width, channels, pixel;  // `pixel` numbers from one pixel to the next, at least `channels`
  Size top = 0, left = 0, bottom = 0, right = 0;  // margins

  Size values() const { return height * width * channels; }
  Size row() const { return (left + width + right) * pixel; }
  Size origin() const { return top * row() + left * pixel; }
  Size sample() const { return round_up((top + height + bottom) * row(), 16) + 16; }  // with room for a vector more
  void widen(Size top_, Size left_, Size bottom_, Size right_);
};

struct Window {
  Size height, width, down, across, down_dilation, across_dilation, top, left;
  Size taps() const { return height * width; }
};

// Which elements of a batch are dropped depends on these.
struct Chance {
  std::uint64_t seed, step;
};

class Images {
 public:
  Images(const Kernels& kernels, Layout& layout, Size height, Size width, Size channels, bool is_compact);

  // Each adds a node that reads `from` (0 is the input), and gives its number.
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
  int num_arrays() const { return num_arrays_; }  // the first ones of the layout
  Size packed_size() const { return packed_size_; }
  bool is_arranged() const { return !stages_.empty(); }
  const Picture& shape(int node) const { return nodes_[node].shape; }
  Size outputs() const { return nodes_.back().shape.values(); }
  bool learns() const { return num_arrays_ > 0; }
  double work() const { return work_; }  // multiply-adds of a sample

  // Lays out margins and taps; after the last node.
  void arrange();

  // The numbers of up to `samples` samples.
  struct Values {
    Buffer value, z, gradient;
    Buffer first, second;  // batch normalization: what each sample adds to the statistics
    Buffer statistics;     // of the batch: a vector of channels for each `Statistic`
  };
  using Workspace = std::vector<Values>;  // one for each node
  Workspace workspace(Size samples, bool trains) const;
  // What one thread needs for itself.
  struct Scratch {
    Buffer plane, gathered;
    std::vector<std::int64_t> rows;  // of a picture: their numbers in x
  };
  Scratch scratch() const;

  // What a pass over samples reads and writes. Its samples are those of the workspace, from 0.
  struct Pass {
    Workspace& workspace;
    Scratch& own;
    const float* parameters;  // packed
    float* state;
    Source source;
    const void* x;
    const std::int64_t* index;     // of each sample: its row number in x
    const Chance* chance = nullptr;  // null in prediction
    const float* turned = nullptr;   // for the way back
    float* gradient = nullptr;       // of the group, packed; set by its first chunk, then added to
    bool is_first = false;
  };

  Size samples_of_chunk() const { return chunk_; }
  Size groups_of(Size samples) const;

  // Each stage but the first begins with a batch normalization. In training: `forward` of a stage for all samples, `measure`
  // for the next one, a meeting, `conclude` for each channel once, a meeting. The way back likewise.
  int num_stages() const { return (int)stages_.size() - 1; }
  Size channels_of(int stage) const { return nodes_[stages_[stage]].shape.pixel; }

  void forward(Pass& pass, int stage, Size from, Size to) const;
  void measure(Pass& pass, int stage, Size from, Size to) const;
  void conclude(Workspace& workspace, const float* parameters, float* state, int stage, Share channels, Size samples) const;
  void recall(Pass& pass) const;  // prediction: the moving averages in place of the statistics of a batch
  void hand_over(Pass& pass, float* rows, Size stride, Size from, Size to) const;

  void take_back(Pass& pass, const float* rows, Size stride, Size from, Size to) const;
  void backward(Pass& pass, int stage, Size from, Size to) const;
  void measure_back(Pass& pass, int stage, Size from, Size to) const;
  void conclude_back(Workspace& workspace, int stage, Share channels, Size samples, float* gradient) const;

  // The weights as the way back reads them, in pieces that threads may share.
  Size turned_size() const { return turned_size_; }
  Size num_turns() const { return (Size)turns_.size(); }
  void turn(Size number, const float* parameters, float* turned) const;

 private:
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
    Picture shape{}, gradient{};  // of values and of their gradients: margins differ
    Activation activation = Activation::identity;
    bool adds = false, adds_other = false;  // another node has written the gradient of its input before
    bool needs_gradient = false;            // it or a node below has parameters
    // convolutions
    Window window{};
    Size groups = 1;
    int weight = -1, bias = -1;  // numbers of the first arrays
    std::vector<Tap> taps{};
    Size depth = 0, depth_back = 0;
    std::vector<Phase> phases{};
    bool scatters = false;              // on the way back: see scatter_back
    Size turned = 0;                    // place of the turned weights, with so many taps of so many inputs
    Size turned_taps = 0, turned_inputs = 0;
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
    std::vector<float> factor_of{}, shift_of{};  // rescale: of each channel; of the input, if a rescale has joined it: of
                                                 // each number of a row
  };
  struct Turn {
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
  void arrange_turns(Node& node, Size taps, Size inputs);
  Size reach_down(const Node& node) const;
  Size reach_across(const Node& node) const;
  Size group_inputs(const Node& node) const { return nodes_[node.input].shape.channels / node.groups; }
  Size group_outputs(const Node& node) const { return node.shape.channels / node.groups; }

  Plane plane(const Picture& shape, const float* base, Size sample) const;
  Plane value(const Pass& pass, int node, Size sample) const;
  Plane gradient(const Pass& pass, int node, Size sample) const;
  float* statistic(const Workspace& workspace, int node, Statistic which) const;
  void gather(Pass& pass, Size from, Size to) const;
  void convolve(int number, Pass& pass, Size from, Size to) const;
  void convolve_back(int number, Pass& pass, Size from, Size to) const;
  void scatter_back(int number, Pass& pass, Size sample) const;
  void weight_gradient(int number, Pass& pass, Size from, Size to) const;
  void activate(int number, Pass& pass, Size sample) const;
  void activate_back(int number, Pass& pass, Size sample) const;
  void drop(const Node& node, const Chance& chance, const Plane& from, const Plane& to, Size sample) const;
  void sample_forward(int number, Pass& pass, Size sample) const;
  void sample_back(int number, Pass& pass, Size sample) const;
  void back(int number, Pass& pass, Size from, Size to) const;
  template <class Write>
  void give(Pass& pass, int to, bool adds, Size sample, Write write) const;

  const Kernels& kernels_;
  Layout& layout_;
  std::vector<Node> nodes_;
  std::vector<int> stages_;
  std::vector<Turn> turns_;
  Size chunk_ = 1, turned_size_ = 0, largest_plane_ = 0, packed_size_ = 0;
  int num_arrays_ = 0;
  double work_ = 0;
};

}  // namespace pellucid
