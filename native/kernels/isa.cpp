// Which instruction set the kernels run with: the widest that this processor has, or the one that PELLUCID_ISA names.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "kernels/kernels.hpp"

namespace pellucid {

#define PELLUCID_TABLE(name) namespace name { extern const Kernels table; }
#if defined(__x86_64__)
PELLUCID_TABLE(baseline)
PELLUCID_TABLE(avx2)
PELLUCID_TABLE(avx512)
#else
PELLUCID_TABLE(baseline)
#endif

namespace {

struct Choice {
  const Kernels* kernels;
  bool possible;
};

// Best first.
const Choice* choices(int& count) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                               __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  static const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                 __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                                 __builtin_cpu_supports("avx512vl");
  static const Choice list[] = {
      {&avx512::table, has_avx512},
      {&avx2::table, has_avx2},
      {&baseline::table, true},
  };
#else
  static const Choice list[] = {{&baseline::table, true}};
#endif
  count = sizeof list / sizeof *list;
  return list;
}

}  // namespace

bool has_bf16(const Kernels& kernels) {
#if defined(__x86_64__)
  return kernels.product_bf16 && __builtin_cpu_supports("avx512bf16");
#else
  return kernels.product_bf16;
#endif
}

const Kernels* find_kernels(const char* name) {
  int count;
  const Choice* list = choices(count);
  for (int i = 0; i < count; ++i)
    if (list[i].possible && (!name || std::string(name) == list[i].kernels->name)) return list[i].kernels;
  return nullptr;
}

const Kernels& kernels() {
  const char* wanted = std::getenv("PELLUCID_ISA");
  const Kernels* found = find_kernels(wanted && *wanted ? wanted : nullptr);
  if (found) return *found;
  std::string possible;
  int count;
  const Choice* list = choices(count);
  for (int i = 0; i < count; ++i)
    if (list[i].possible) possible += (possible.empty() ? "" : ", ") + std::string(list[i].kernels->name);
  throw std::invalid_argument("PELLUCID_ISA is \"" + std::string(wanted) + "\"; this machine can run: " + possible + ".");
}

}  // namespace pellucid
