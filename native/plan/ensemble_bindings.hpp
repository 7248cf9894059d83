// What Python may say of an ensemble in a plan or an inference. What does not fit is refused by these themselves.
#pragma once

#include <nanobind/nanobind.h>

#include <stdexcept>

#include "kernels/kernels.hpp"

namespace pellucid {

template <class Owner, class Class>
void bind_ensemble(Class& bound) {
  bound.def(
      "add_scales",
      [](Owner& self, Size ensemble, int activation, bool shift) {
        if (activation < 0 || activation > (int)Activation::tanh) throw std::invalid_argument("no such activation");
        self.add_scales(ensemble, (Activation)activation, shift);
      },
      nanobind::arg("ensemble"), nanobind::arg("activation"), nanobind::arg("shift"));
}

}  // namespace pellucid
