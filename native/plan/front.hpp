// The front of a network for tables: the layers between the input and the first segment, which take a row and give a row.
//
// A *stage* is an Embedding, a PiecewiseLinearEncoding, a PeriodicEmbedding, a GroupedDense, or a ScaleFeatures before one of
// these. Forward and back, rows need nothing of one another, so they are dealt out by rows. The gradient of a parameter is a sum over all
// rows: it is cut into *pieces*, each of which one thread computes by itself, so its bits do not depend on the number of
// threads.
//
// Parameters of a stage are vectors, whose numbers lie one after another in the flat layout and in the packed one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "kernels/kernels.hpp"
#include "plan/bins.hpp"
#include "runtime/buffer.hpp"
#include "runtime/layout.hpp"

namespace pellucid {

// Numbers of some rows: row r begins at data + r * stride.
struct Rows {
  float* data;
  Size stride;

  Rows from(Size row) const { return {data + row * stride, stride}; }
};

// An embedded column, how many categories it has, and how many numbers each becomes.
struct Table {
  Size column, values, width;

  Size count() const { return (values + 1) * width; }  // the last vector is that of all else
};

class Stage {
 public:
  Stage(Size inputs, Size outputs) : inputs(inputs), outputs(outputs) {}
  virtual ~Stage() = default;

  const Size inputs;
  Size outputs;
  std::vector<int> arrays = {};    // the numbers of its parameters in the layout
  std::vector<Size> places = {};   // and where they begin

  virtual void forward(const float* parameters, Size rows, Rows x, Rows y) const = 0;
  // dx from dy; dx.data is null if no stage below has parameters. It may change dy, for `gradient` to read.
  virtual void backward(const float* parameters, Size rows, Rows x, Rows dy, Rows dx) const = 0;
  virtual Size pieces() const { return 0; }
  virtual const Bins* bins() const { return nullptr; }  // of an encoding
  virtual void gradient(Size, Size, Rows, Rows, float*, bool) const {}  // piece, rows, x, dy, gradient, accumulate
};

class Front {
 public:
  enum class Vectors { flat, packed };  // which ones it reads

  Front(const Kernels& kernels, Layout& layout, Size inputs, Vectors vectors)
      : kernels_(kernels), layout_(layout), vectors_(vectors), inputs_(inputs) {}

  // The description, in the order of the layers.
  void add_encoding(Bins bins);
  void add_embedding(std::vector<Table> tables, double l1, double l2);
  void add_waves(std::vector<Size> columns, Size frequencies);
  void add_scaling(double rate);
  void add_groups(const std::vector<std::vector<Size>>& groups, Size units, double l1, double l2);

  Size inputs() const { return inputs_; }
  Size outputs() const { return stages_.empty() ? inputs_ : stages_.back()->outputs; }
  Size widest() const;  // of all rows, with those of the input
  std::optional<Bins> take_last_bins();  // if the last stage is an encoding, without which the front goes on
  bool learns() const { return lowest_ < stages_.size(); }
  Size pieces() const;
  const std::vector<int>& arrays() const { return arrays_; }

  struct Values {  // the numbers of some rows
    Buffer x[2];                   // the input: of this batch, and of the next one
    std::vector<Buffer> between;   // what each stage gives to the next one
    std::vector<Buffer> gradients; // of the same, if the front learns
  };
  Values values(Size rows) const;
  Size stride() const { return padded(inputs_); }

  // From the x of one of both buffers to y; rows [from, from + rows) of the values, and of y.
  void forward(const float* parameters, const Values& values, int buffer, Size from, Size rows, Rows y) const;
  void backward(const float* parameters, const Values& values, int buffer, Size from, Size rows, Rows dy) const;
  // Of rows [0, rows) and some of the pieces, from what `backward` has left.
  void gradient(Share pieces, const Values& values, int buffer, Size rows, Rows dy, float* gradient, bool accumulate) const;
  // Without values to keep: of rows in a, with b as room for others. Gives the one that holds the result.
  float* run(const float* parameters, Size rows, float* a, float* b, Size stride) const;

 private:
  struct Parameter {  // of a stage: how many numbers, and what acts on them
    Size count;
    bool is_weight = false;
    double l1 = 0, l2 = 0;
  };
  void add(std::unique_ptr<Stage> stage, const std::vector<Parameter>& parameters = {});
  Rows input_of(std::size_t stage, const Values& values, int buffer, Size from) const;
  Rows gradient_of(std::size_t stage, const Values& values, Size from, Rows dy) const;

  const Kernels& kernels_;
  Layout& layout_;
  const Vectors vectors_;
  const Size inputs_;
  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<int> arrays_;
  std::size_t lowest_ = -1;  // the first stage with parameters
};

}  // namespace pellucid
