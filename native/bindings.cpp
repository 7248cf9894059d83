// The module pellucid._native, as Python sees it. The arrays have been checked (see pellucid/executors/native/executor.py).
// Sizes are checked here again, since with a wrong one the kernels would write outside of memory. The GIL is released while
// steps and predictions run.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <shared_mutex>
#include <stdexcept>

#include "plan/ensemble_bindings.hpp"
#include "plan/front_bindings.hpp"
#include "plan/inference.hpp"
#include "plan/plan.hpp"
#include "tables/bindings.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace pellucid;

namespace {

template <class T, int dimensions>
using In = nb::ndarray<const T, nb::ndim<dimensions>, nb::c_contig, nb::device::cpu>;
template <class T, int dimensions>
using Out = nb::ndarray<T, nb::ndim<dimensions>, nb::c_contig, nb::device::cpu>;
using Inputs = nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Samples = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;  // of any shape

constexpr std::int64_t most_samples = 1 << 30;  // of a batch
constexpr double most_numbers = 1e12;           // of an image, or of the weights of a convolution

// Predictions read the vectors that `store` writes, from threads that do not hold the GIL: a prediction sees the network
// before a store or after it, never in between. `store` may wait here with the GIL, since a prediction ends without it.
std::shared_mutex vectors_mutex;

template <class Array>
Source source_of(const Array& x) {
  if (x.dtype() == nb::dtype<std::uint8_t>()) return Source::bytes;
  require(x.dtype() == nb::dtype<float>(), "inputs are uint8 or float32");
  return Source::floats;
}

// The vectors of `load` and `store` are those of the plan.
template <class Array>
void require_vectors(const Plan& plan, const Array& parameters, const Array& state, const std::vector<Array>& slots) {
  require((Size)parameters.size() == plan.num_parameters() && (Size)state.size() == plan.num_state(), "sizes differ");
  require(plan.batch() > 0, "the plan is not prepared");
  require((int)slots.size() == plan.num_slots(), "the slots are not those of the optimizer");
  for (const Array& slot : slots) require((Size)slot.size() == plan.num_parameters(), "a slot has one number a parameter");
}

// The numbers of a slot, null if the optimizer has fewer.
template <class Array>
auto slot(const std::vector<Array>& slots, std::size_t number) {
  return number < slots.size() ? slots[number].data() : nullptr;
}

void load(Plan& plan, In<float, 1> parameters, In<float, 1> state, const std::vector<In<float, 1>>& slots) {
  require_vectors(plan, parameters, state, slots);
  plan.load(parameters.data(), state.data(), slot(slots, 0), slot(slots, 1));
}

void store(const Plan& plan, Out<float, 1> parameters, Out<float, 1> state, const std::vector<Out<float, 1>>& slots) {
  require_vectors(plan, parameters, state, slots);
  const std::unique_lock lock(vectors_mutex);
  plan.store(parameters.data(), state.data(), slot(slots, 0), slot(slots, 1));
}

// There are labels or targets; there may be weights. An array that is None in Python is not valid here.
nb::tuple run(Plan& plan, Inputs x, In<std::int32_t, 1> labels, In<float, 2> targets, In<double, 1> weights,
              In<std::int64_t, 1> rows, In<double, 1> rates, std::uint64_t first_step, std::int64_t first_update,
              int threads, Out<double, 1> losses, Out<double, 1> scores) {
  const Size samples = (Size)x.shape(0), steps = (Size)rates.size(), count = (Size)rows.size();
  require(plan.batch() > 0, "the plan is not prepared");
  require((Size)x.shape(1) == plan.inputs(), "a sample has another size than the plan");
  require((Size)losses.size() == steps && (Size)scores.size() == steps, "one loss and one score a step");
  require(steps > 0 && count > (steps - 1) * plan.batch() && count <= steps * plan.batch(), "rows do not fill the steps");
  for (Size i = 0; i < count; ++i) require(rows.data()[i] >= 0 && rows.data()[i] < samples, "a row that is not there");
  Data data{source_of(x), x.data(), nullptr, nullptr, nullptr};
  if (labels.is_valid()) {
    require((Size)labels.size() == samples, "one label a sample");
    for (Size i = 0; i < count; ++i) {
      const std::int32_t label = labels.data()[rows.data()[i]];
      require(label >= 0 && label < std::max<Size>(plan.outputs(), 2), "a label that is not there");
    }
    data.labels = labels.data();
  } else {
    require(targets.is_valid(), "neither labels nor targets");
    require((Size)targets.shape(0) == samples && (Size)targets.shape(1) == plan.outputs(), "targets differ in shape");
    data.targets = targets.data();
  }
  if (weights.is_valid()) {
    require((Size)weights.size() == samples, "one weight a sample");
    data.weights = weights.data();
  }
  const Steps todo{{rows.data(), (std::size_t)count}, {rates.data(), (std::size_t)steps}, first_step, first_update};
  Report report;
  {
    nb::gil_scoped_release released;
    report = plan.run(data, todo, threads, losses.data(), scores.data());
  }
  return nb::make_tuple(report.steps, (int)report.outcome);
}

Activation activation_of(int number) {
  require(number >= 0 && number <= (int)Activation::tanh, "no such activation");
  return (Activation)number;
}

// That another node may be added which reads this one.
void require_node(const Images& images, int node) {
  require(!images.is_arranged(), "the image part has been ended");
  require(node >= 0 && node < images.num_nodes(), "a node that is not there");
}

void require_image(Size height, Size width, Size channels) {
  require(height > 0 && width > 0 && channels > 0, "an image without a size");
  require((double)height * (double)width * (double)channels < most_numbers, "an image that is too large");
}

// Size and stride of a window, its dilation if it is that of a convolution, and how far it begins before the image.
void require_window(const std::vector<Size>& window, std::size_t count) {
  require(window.size() == count, "no such window");
  for (std::size_t i = 0; i < count; ++i)
    require(window[i] >= (i + 2 < count ? 1 : 0) && window[i] < (1 << 20), "no such window");
}

// The layers are described in order: first the image part, from `begin_images` to `end_images`.
template <class Owner>
Images& begin_images(Owner& self, Size height, Size width, Size channels, bool is_compact) {
  require(!self.has_layers() && !self.front(), "images come first, and only once");
  require_image(height, width, channels);
  require(height * width * channels == self.inputs(), "an image of another size");
  return self.begin_images(height, width, channels, is_compact);
}

template <class Owner>
void end_images(Owner& self) {
  require(self.images() && !self.images()->is_arranged(), "there is no image part to end");
  self.end_images();
}

template <class Owner>
void require_end(const Owner& self) {
  require(!self.images() || self.images()->is_arranged(), "the image part has not been ended");
}

Plan& changeable(Plan& plan) {
  require(plan.batch() == 0, "the plan is prepared");
  require_end(plan);
  return plan;
}

void require_rate(double rate) { require(rate >= 0 && rate < 1, "no such rate"); }

// An inference with the arrays that it reads: they stay the same while their numbers change.
struct BoundInference : Inference {
  using Inference::Inference;
  In<float, 1> parameters, state;
};

BoundInference& changeable(BoundInference& inference) { return require_end(inference), inference; }

void bind(BoundInference& inference, In<float, 1> parameters, In<float, 1> state) {
  require((Size)parameters.size() == inference.num_parameters(), "sizes differ");
  require((Size)state.size() == inference.num_state(), "sizes differ");
  inference.parameters = parameters;
  inference.state = state;
}

void require_bound(const BoundInference& inference) {
  require(inference.parameters.is_valid() && (Size)inference.parameters.size() == inference.num_parameters() &&
              (Size)inference.state.size() == inference.num_state(),
          "the inference is not bound to its parameters");
}

void fold(BoundInference& inference) {
  require_end(inference);
  require_bound(inference);
  require(inference.images(), "there is no image part");
  nb::gil_scoped_release released;
  const std::shared_lock lock(vectors_mutex);
  inference.fold(inference.parameters.data(), inference.state.data());
}

bool predict(const BoundInference& inference, Samples x, Out<float, 2> to, int answer, int threads) {
  const Size rows = x.ndim() > 0 ? (Size)x.shape(0) : 0;
  require_end(inference);
  require_bound(inference);
  require(!inference.images() || inference.is_folded(), "the image part has not been folded");
  require((Size)x.size() == rows * inference.inputs(), "a sample has another size than the network");
  const Answer kind = (Answer)answer;
  require((Size)to.shape(0) == rows && (Size)to.shape(1) == (kind == Answer::yes_or_no ? 2 : inference.outputs()),
          "the answer has another shape");
  require(kind != Answer::yes_or_no || inference.outputs() == 1, "yes or no comes from one logit");
  const Source source = source_of(x);
  nb::gil_scoped_release released;
  const std::shared_lock lock(vectors_mutex);
  return inference.run(source, x.data(), rows, inference.parameters.data(), inference.state.data(), kind, to.data(),
                       threads);
}

void bind_images(nb::module_& m) {
  nb::class_<Images>(m, "Images")
      .def("add_convolution",
           [](Images& self, int from, Size height, Size width, Size filters, const std::vector<Size>& window, Size groups,
              int activation, bool bias, double l1, double l2) {
             require_node(self, from);
             require_image(height, width, filters);
             require_window(window, 8);
             const Size channels = self.shape(from).channels;
             require(groups > 0 && channels % groups == 0 && filters % groups == 0, "channels do not make groups");
             const double weights = (double)(window[0] * window[1] * channels) * (double)filters;
             require(weights < most_numbers, "too many weights");
             const Window w{window[0], window[1], window[2], window[3], window[4], window[5], window[6], window[7]};
             return self.add_convolution(from, w, height, width, filters, groups, activation_of(activation), bias, l1, l2);
           },
           "input"_a, "height"_a, "width"_a, "filters"_a, "window"_a, "groups"_a, "activation"_a, "bias"_a, "l1"_a, "l2"_a)
      .def("add_pooling",
           [](Images& self, int from, Size height, Size width, const std::vector<Size>& window, bool takes_largest) {
             require_node(self, from);
             require_image(height, width, self.shape(from).channels);
             require_window(window, 6);
             const Pooling p{window[0], window[1], window[2], window[3], window[4], window[5], takes_largest};
             return self.add_pooling(from, p, height, width);
           },
           "input"_a, "height"_a, "width"_a, "window"_a, "takes_largest"_a)
      .def("add_batch_normalization",
           [](Images& self, int from, double momentum, double epsilon, int activation) {
             require_node(self, from);
             return self.add_batch_normalization(from, momentum, epsilon, activation_of(activation));
           },
           "input"_a, "momentum"_a, "epsilon"_a, "activation"_a)
      .def("add_layer_normalization",
           [](Images& self, int from, double epsilon) {
             require_node(self, from);
             return self.add_layer_normalization(from, epsilon);
           },
           "input"_a, "epsilon"_a)
      .def("add_dropout",
           [](Images& self, int from, double rate, std::uint64_t layer, bool whole_channels) {
             require_node(self, from);
             require_rate(rate);
             return self.add_dropout(from, rate, layer, whole_channels);
           },
           "input"_a, "rate"_a, "layer"_a, "whole_channels"_a)
      .def("add_rescale",
           [](Images& self, int from, const std::vector<float>& scale, const std::vector<float>& shift) {
             require_node(self, from);
             const Size channels = self.shape(from).channels;
             require((Size)scale.size() == channels && (Size)shift.size() == channels, "one number a channel");
             return self.add_rescale(from, scale, shift);
           },
           "input"_a, "scale"_a, "shift"_a)
      .def("add_sum",
           [](Images& self, int first, int second, int activation) {
             require_node(self, first);
             require_node(self, second);
             const ImageShape &a = self.shape(first), &b = self.shape(second);
             require(a.height == b.height && a.width == b.width && a.channels == b.channels, "a sum of two sizes");
             return self.add_sum(first, second, activation_of(activation));
           },
           "first"_a, "second"_a, "activation"_a)
      .def("add_flatten",
           [](Images& self, int from) {
             require_node(self, from);
             return self.add_flatten(from);
           },
           "input"_a);
}

void bind_plan(nb::module_& m) {
  nb::class_<Plan> plan(m, "Plan");
  bind_front<Plan>(plan);
  bind_ensemble<Plan>(plan);
  plan.def("add_heads", &Plan::add_heads, "units"_a, "bias"_a, "l1"_a, "l2"_a)
      .def("__init__",
           [](Plan* self, Size inputs, std::uint64_t seed) {
             require(inputs > 0, "a sample has numbers");
             new (self) Plan(kernels(), inputs, seed);
           },
           "inputs"_a, "seed"_a)
      .def("add_affine",
           [](Plan& self, Size units, int activation, bool bias, double l1, double l2) {
             require(units > 0, "no such layer");
             changeable(self).add_affine(units, activation_of(activation), bias, l1, l2);
           },
           "units"_a, "activation"_a, "bias"_a, "l1"_a, "l2"_a)
      .def("begin_images", &begin_images<Plan>, nb::rv_policy::reference_internal, "height"_a, "width"_a, "channels"_a,
           "is_compact"_a)
      .def("end_images", &end_images<Plan>)
      .def("add_dropout",
           [](Plan& self, double rate, std::uint64_t layer) {
             require_rate(rate);
             changeable(self).add_dropout(rate, layer);
           },
           "rate"_a, "layer"_a)
      .def("add_normalization",
           [](Plan& self, double momentum, double epsilon) { changeable(self).add_normalization(momentum, epsilon); },
           "momentum"_a, "epsilon"_a)
      .def("add_scaling", [](Plan& self, double rate) { changeable(self).add_scaling(rate); }, "rate"_a)
      .def("set_loss",
           [](Plan& self, int kind, double parameter, std::vector<float> levels) {
             require(kind >= 0 && kind <= (int)LossKind::pinball, "no such loss");
             self.set_loss((LossKind)kind, parameter, std::move(levels));
           },
           "kind"_a, "parameter"_a, "levels"_a)
      .def("set_optimizer",
           [](Plan& self, int rule, double momentum, double beta1, double beta2, double decay, double epsilon,
              double weight_decay, double bound, double norm_bound) {
             require(rule >= 0 && rule <= (int)Rule::adagrad, "no such optimizer");
             changeable(self).set_optimizer(
                 {(Rule)rule, momentum, beta1, beta2, decay, epsilon, weight_decay, bound, norm_bound});
           },
           "rule"_a, nb::kw_only(), "momentum"_a, "beta1"_a, "beta2"_a, "decay"_a, "epsilon"_a, "weight_decay"_a,
           "bound"_a, "norm_bound"_a)
      .def("use_bf16", [](Plan& self) { changeable(self).use_bf16(); })
      .def("uses_bf16", &Plan::uses_bf16)
      .def("expect_zeros", &Plan::expect_zeros, "many"_a)
      .def("prepare",
           [](Plan& self, Size batch, int threads) {
             require_end(self);
             require(batch > 0 && batch <= most_samples, "no such batch");
             self.prepare(batch, threads);
           },
           "batch"_a, "threads"_a)
      .def("load", &load, "parameters"_a, "state"_a, "slots"_a)
      .def("store", &store, "parameters"_a, "state"_a, "slots"_a)
      .def("run", &run, "x"_a, "labels"_a.none(), "targets"_a.none(), "weights"_a.none(), "rows"_a, "rates"_a,
           "first_step"_a, "first_update"_a, "threads"_a, "losses"_a, "scores"_a);
}

void bind_inference(nb::module_& m) {
  nb::class_<BoundInference> inference(m, "Inference");
  bind_front<BoundInference>(inference);
  bind_ensemble<BoundInference>(inference);
  inference.def("add_heads", &BoundInference::add_heads, "units"_a, "bias"_a)
      .def("__init__",
           [](BoundInference* self, Size inputs) {
             require(inputs > 0, "a sample has numbers");
             new (self) BoundInference(kernels(), inputs);
           },
           "inputs"_a)
      .def("add_affine",
           [](BoundInference& self, Size units, int activation, bool bias) {
             require(units > 0, "no such layer");
             changeable(self).add_affine(units, activation_of(activation), bias);
           },
           "units"_a, "activation"_a, "bias"_a)
      .def("begin_images", &begin_images<BoundInference>, nb::rv_policy::reference_internal, "height"_a, "width"_a,
           "channels"_a, "is_compact"_a)
      .def("end_images", &end_images<BoundInference>)
      .def("add_normalization", [](BoundInference& self, double epsilon) { changeable(self).add_normalization(epsilon); },
           "epsilon"_a)
      .def("add_scaling", [](BoundInference& self, double rate) { changeable(self).add_scaling(rate); }, "rate"_a)
      .def("bind", &bind, "parameters"_a, "state"_a)
      .def("fold", &fold)
      .def("run", &predict, "x"_a, "to"_a, "answer"_a, "threads"_a);
}

}  // namespace

NB_MODULE(_native, m) {
  m.doc() = "The native executor: see native/plan/plan.hpp.";
  m.def("instruction_set", [] { return std::string(kernels().name); }, "The name of the kernels in use.");
  m.def(
      "instruction_sets",
      [] {
        std::vector<std::string> names;
        for (const char* name : {"baseline", "avx2", "avx512"})
          if (find_kernels(name)) names.emplace_back(name);
        return names;
      },
      "The kernels that this machine can run; PELLUCID_ISA chooses one.");
  m.def("has_bf16", [] { return has_bf16(kernels()); }, "Whether the kernels in use have products of bfloat16.");
  m.def(
      "fail_in_member",
      [](int threads, int failing) {
        nb::gil_scoped_release released;
        const auto team = borrow_team(threads);
        team->run([&](int member) {
          team->barrier();
          if (member == failing) throw std::runtime_error("a thread failed on purpose");
          for (int i = 0; i < 3; ++i) team->barrier();
        });
      },
      "threads"_a, "failing"_a, "For tests: one of the threads throws while the others wait for it.");
  bind_images(m);
  bind_plan(m);
  bind_inference(m);
  bind_cells(m);
}
