// What Python may say of the front of a plan or an inference, checked: with wrong sizes the kernels would write outside of
// memory.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <stdexcept>
#include <vector>

#include "plan/front.hpp"

namespace pellucid {

constexpr double most_in_front = 1e12;  // numbers of its parameters, or of a row

inline void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

// The width of a row that the next layer of the front takes.
template <class Owner>
Size front_width(const Owner& self) {
  require(!self.has_layers(), "the layers of a table come first");
  return self.front() ? self.front()->outputs() : self.inputs();
}

// All lists but the number of bins of each column have one number for each bin.
template <class Owner>
void add_encoding(Owner& self, const std::vector<Size>& bins_of, const std::vector<float>& low,
                  const std::vector<float>& slope, const std::vector<float>& least, const std::vector<float>& most,
                  float gain) {
  require((Size)bins_of.size() == front_width(self), "a number of bins for each column");
  Size total = 0;
  for (const Size bins : bins_of) {
    require(bins >= 0 && bins <= (Size)low.size(), "no such number of bins");
    total += bins;
  }
  for (const auto* numbers : {&low, &slope, &least, &most})
    require((Size)numbers->size() == total, "one number for each bin");
  self.describe_front([&](Front& front) { front.add_encoding({bins_of, low, slope, least, most, gain}); });
}

template <class Owner>
void add_front_scaling(Owner& self, double rate) {
  front_width(self);
  self.describe_front([&](Front& front) { front.add_scaling(rate); });
}

// A column, how many categories it has, and how many numbers each becomes, for each of these columns.
template <class Owner>
void add_embedding(Owner& self, const std::vector<Size>& columns, const std::vector<Size>& values,
                   const std::vector<Size>& widths, double l1, double l2) {
  const Size inputs = front_width(self);
  require(!columns.empty() && values.size() == columns.size() && widths.size() == columns.size(), "no such columns");
  std::vector<bool> taken(inputs, false);
  std::vector<Table> tables;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Table table{columns[i], values[i], widths[i]};
    require(table.column >= 0 && table.column < inputs && !taken[table.column], "no such column");
    taken[table.column] = true;
    require(table.values > 0 && table.width > 0, "an embedding has categories and numbers");
    require(((double)table.values + 1) * (double)table.width < most_in_front, "an embedding that is too large");
    tables.push_back(table);
  }
  self.describe_front([&](Front& front) { front.add_embedding(std::move(tables), l1, l2); });
}

template <class Owner>
void add_waves(Owner& self, const std::vector<Size>& columns, Size frequencies) {
  const Size inputs = front_width(self);
  require(!columns.empty() && frequencies > 0, "no waves");
  require((double)columns.size() * (double)frequencies < most_in_front, "too many waves");
  for (const Size column : columns) require(column >= 0 && column < inputs, "no such column");
  self.describe_front([&](Front& front) { front.add_waves(columns, frequencies); });
}

// For each group its columns; no column is in two.
template <class Owner>
void add_groups(Owner& self, const std::vector<std::vector<Size>>& groups, Size units, double l1, double l2) {
  const Size inputs = front_width(self);
  require(!groups.empty() && units > 0, "no groups");
  std::vector<bool> taken(inputs, false);
  double columns = 0;
  for (const auto& group : groups) {
    require(!group.empty(), "a group without columns");
    for (const Size column : group) {
      require(column >= 0 && column < inputs && !taken[column], "no such column");
      taken[column] = true;
    }
    columns += (double)group.size();
  }
  require(columns * (double)units < most_in_front, "groups that are too large");
  self.describe_front([&](Front& front) { front.add_groups(groups, units, l1, l2); });
}

template <class Owner, class Class>
void bind_front(Class& bound) {
  using nanobind::literals::operator""_a;
  bound.def("add_encoding", &add_encoding<Owner>, "bins_of"_a, "low"_a, "slope"_a, "least"_a, "most"_a, "gain"_a)
      .def("add_embedding", &add_embedding<Owner>, "columns"_a, "values"_a, "widths"_a, "l1"_a, "l2"_a)
      .def("add_waves", &add_waves<Owner>, "columns"_a, "frequencies"_a)
      .def("add_groups", &add_groups<Owner>, "groups"_a, "units"_a, "l1"_a, "l2"_a)
      .def("add_front_scaling", &add_front_scaling<Owner>, "rate"_a);
}

}  // namespace pellucid
