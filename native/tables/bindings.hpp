// What the module pellucid._native offers for the cells of tables.
#pragma once

#include <nanobind/nanobind.h>

namespace pellucid {

void bind_cells(nanobind::module_& m);

}  // namespace pellucid
