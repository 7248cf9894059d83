// The functions of cells.hpp and number_texts.hpp, as Python sees them. Sizes and places are checked here, since with a wrong one they would read or
// write outside of memory. The GIL is released meanwhile, so that columns can be read by several threads.
#include "tables/bindings.hpp"

#include <nanobind/ndarray.h>

#include <stdexcept>
#include <vector>

#include "tables/cells.hpp"
#include "tables/number_texts.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace pellucid {

namespace {

template <class T, int dimensions>
using Out = nb::ndarray<T, nb::ndim<dimensions>, nb::c_contig, nb::device::cpu>;
using Places = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

// The cells of a column; each lies within the text.
Cells cells_of(const nb::bytes& text, const Places& begins, const Places& ends) {
  require(begins.size() == ends.size(), "an end for each beginning");
  const auto length = (std::int64_t)text.size();
  for (std::size_t k = 0; k < begins.size(); ++k)
    require(0 <= begins.data()[k] && begins.data()[k] <= ends.data()[k] && ends.data()[k] <= length,
            "a cell that is not in the text");
  return {text.c_str(), begins.data(), ends.data(), (std::ptrdiff_t)begins.size()};
}

template <class... Arrays>
void require_one_for_each(const Cells& cells, const Arrays&... arrays) {
  require((((std::ptrdiff_t)arrays.size() == cells.count) && ...), "one for each cell");
}

#ifdef PELLUCID_NUMBER_TEXTS
template <class T>
void bind_number_texts(nb::module_& m) {
  m.def(
      "number_texts",
      [](nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu> values, int digits) {
        require(digits >= 0 && digits <= 17, "a float64 has 17 digits");
        const auto count = (std::ptrdiff_t)values.size();
        std::vector<char> text((std::size_t)(count * longest_number_text));
        std::ptrdiff_t length;
        {
          nb::gil_scoped_release released;
          length = write_numbers(values.data(), count, digits, text.data());
        }
        return nb::bytes(text.data(), (std::size_t)length);
      },
      "values"_a, "digits"_a);
}
#endif

}  // namespace

void bind_cells(nb::module_& m) {
  m.def(
      "divide_rows",
      [](nb::bytes text, char delimiter, char line_end, Out<std::int64_t, 2> begins, Out<std::int64_t, 2> ends) {
        require(begins.shape(0) == ends.shape(0) && begins.shape(1) == ends.shape(1), "an end for each beginning");
        nb::gil_scoped_release released;
        return divide_rows(text.c_str(), (std::ptrdiff_t)text.size(), delimiter, line_end, (std::ptrdiff_t)begins.shape(0),
                           (std::ptrdiff_t)begins.shape(1), begins.data(), ends.data());
      },
      "text"_a, "delimiter"_a, "line_end"_a, "begins"_a, "ends"_a);
  m.def(
      "read_numbers",
      [](nb::bytes text, Places begins, Places ends, char decimal, Out<double, 1> values, Out<std::uint8_t, 1> kinds) {
        const Cells cells = cells_of(text, begins, ends);
        require_one_for_each(cells, values, kinds);
        nb::gil_scoped_release released;
        read_numbers(cells, decimal, values.data(), (Cell*)kinds.data());
      },
      "text"_a, "begins"_a, "ends"_a, "decimal"_a, "values"_a, "kinds"_a);
  m.def(
      "read_dates",
      [](nb::bytes text, Places begins, Places ends, int order, Out<double, 1> values, Out<std::uint8_t, 1> kinds) {
        const Cells cells = cells_of(text, begins, ends);
        require_one_for_each(cells, values, kinds);
        require(order >= 0 && order <= (int)DateOrder::mdy, "no such order");
        nb::gil_scoped_release released;
        read_dates(cells, (DateOrder)order, values.data(), (Cell*)kinds.data());
      },
      "text"_a, "begins"_a, "ends"_a, "order"_a, "values"_a, "kinds"_a);
  m.def(
      "find_first",
      [](nb::bytes text, Places begins, Places ends, Out<std::int64_t, 1> first) {
        const Cells cells = cells_of(text, begins, ends);
        require_one_for_each(cells, first);
        nb::gil_scoped_release released;
        find_first(cells, first.data());
      },
      "text"_a, "begins"_a, "ends"_a, "first"_a);
  m.def(
      "find_first_hash",
      [](nb::ndarray<const std::uint64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> hashes, Out<std::int64_t, 1> first) {
        require(hashes.size() == first.size(), "one for each hash");
        nb::gil_scoped_release released;
        find_first(hashes.data(), (std::ptrdiff_t)hashes.size(), first.data());
      },
      "hashes"_a, "first"_a);
  m.def(
      "hash_cells",
      [](nb::bytes text, Places begins, Places ends, Out<std::uint64_t, 1> hashes) {
        const Cells cells = cells_of(text, begins, ends);
        require_one_for_each(cells, hashes);
        nb::gil_scoped_release released;
        hash_cells(cells, hashes.data());
      },
      "text"_a, "begins"_a, "ends"_a, "hashes"_a);
#ifdef PELLUCID_NUMBER_TEXTS
  bind_number_texts<float>(m);
  bind_number_texts<double>(m);
#endif
}

}  // namespace pellucid
