// How many networks an ensemble can have, for a plan and an inference alike.
#pragma once

#include <stdexcept>

#include "runtime/sizes.hpp"

namespace pellucid {

// `size` as that of an ensemble which so far has `known` networks, 1 if there is none yet.
inline Size check_ensemble(Size known, Size size) {
  if (size < 2 || size > most_networks) throw std::invalid_argument("no such ensemble");
  if (known > 1 && known != size) throw std::invalid_argument("an ensemble of another size");
  return size;
}

}  // namespace pellucid
