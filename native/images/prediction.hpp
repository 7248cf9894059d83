// Prediction of the image part: the nodes of training, forward only, in fewer and larger *steps*.
//
// A step is a convolution with what follows it: a batch normalization, whose moving averages are folded into weights and
// bias; the sum of a residual block; the activation. Where a depthwise convolution comes next, it belongs to the same step:
// some channels go row by row through both while they lie in the nearer caches, and are never written out. All other nodes
// are steps of their own.
//
// A step is cut into *pieces*: some output channels (a panel), some rows (a band), some samples. One thread takes them all,
// or several share them out and wait for one another between steps. No piece changes the order of a sum, so the bits
// depend neither on the threads nor on the batch.
#pragma once

#include <atomic>
#include <vector>

#include "images/images.hpp"
#include "runtime/pool.hpp"

namespace pellucid {

class Prediction {
 public:
  Prediction(const Images& images, const Kernels& kernels, const Layout& layout);

  // The parameters as the steps read them.
  struct Folded {
    Buffer weights;            // of convolutions and batch normalizations
    Buffer parameters, state;  // packed as in training, for the other nodes
  };
  Folded fold(const float* parameters, const float* state) const;

  struct Workspace {
    Buffer shared;  // by nodes that are not needed at the same time
    Images::Workspace nodes;
  };
  Workspace workspace(Size samples) const;
  struct Scratch {  // of one thread
    Images::Scratch nodes;
    Buffer rows;            // that a depthwise convolution reads
    std::vector<Tap> taps;  // and where
  };
  Scratch scratch() const;

  // Threads at work on the same samples: each takes the next piece of a step until none is left.
  struct Together {
    Team& team;
    std::atomic<Size> next[2]{};
  };

  // What all pieces need; the pass is that of one thread.
  struct Work {
    Images::Pass& pass;
    const Folded& folded;
    Scratch& own;
  };

  // All steps for the samples [0, count) of the workspace. All members of a team call this, and meet before they do so again.
  void run(const Work& work, Size count, Together* together = nullptr, int member = 0) const;

 private:
  using Node = Images::Node;
  using Kind = Images::Kind;
  struct Filter {  // a convolution, with what is folded into it
    int node = -1, normalization = -1;
    Activation activation = Activation::identity;
    Size weights = 0;  // their place: for each panel its bias, then its rows
    bool exists() const { return node >= 0; }
  };
  struct Step {
    int input, output;
    Filter filter, depthwise;  // one of them, both or none
    int added = -1;            // the node whose value is added
    int panels = 1;            // of the output
    Size vectors = 0;          // of all panels
    Size scales = 0;           // the place of mean, scale and shift: a batch normalization by itself
    Size place = 0;            // of the output in shared memory, of one sample
  };
  struct Piece {
    int panel;
    Size from, to;     // samples
    Size top, bottom;  // rows of the output
  };
  struct Pixels {  // of one row, or of a block of rows without gaps, or the same one of so many samples
    Size sample, y, x, count;
    bool is_along_samples = false;
  };
  struct Cut {  // of a step into pieces
    Size panels, samples, bands;
    bool is_by_sample;  // else a piece has all of them
    Size pieces() const { return panels * (is_by_sample ? samples : 1) * bands; }
  };

  const Node& node(int number) const { return images_.nodes_[number]; }
  const ImageShape& shape(int number) const { return images_.nodes_[number].shape; }
  bool has_margins(int number) const;
  void arrange_places();
  int only_reader(int number) const;
  int absorb(Filter& filter, int number);
  Step step_of(int number);
  void arrange_weights(Step& step);
  Share columns(const Step& step, int panel) const;
  const float* weights(const Step& step, const Filter& filter, int panel, const Folded& folded) const;
  double scale_of(const Node& normalization, Size channel, const float* parameters, const float* state) const;
  void fold_filter(const Step& step, const Filter& filter, const float* parameters, const float* state, float* to) const;

  bool can_band(const Step& step) const;
  Cut cut(const Step& step, Size samples, int threads) const;
  Piece piece(const Step& step, const Cut& cut, Size number) const;
  void take(const Step& step, const Piece& piece, const Work& work) const;
  void filter(const Step& step, int panel, const Pixels& pixels, float* to, Size to_row, const Work& work) const;
  void convolve(const Step& step, const Piece& piece, const Work& work) const;
  void convolve_depthwise(const Step& step, const Piece& piece, const Work& work) const;
  void normalize(const Step& step, Size sample, const Work& work) const;
  template <class Kernel>
  void activated(Activation activation, Convolution& work, Kernel kernel) const;

  const Images& images_;
  const Kernels& kernels_;
  const Layout& layout_;
  std::vector<Step> steps_;
  std::vector<bool> is_covered_;  // nodes that belong to a step
  Size folded_size_ = 0, shared_size_ = 0, most_rows_ = 1;
  bool needs_packed_ = false;
};

}  // namespace pellucid
