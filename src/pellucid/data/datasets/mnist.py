"""The MNIST digits, which come with the package."""

from __future__ import annotations

from importlib import resources

from pellucid.core.suggestions import suggests_arguments
from pellucid.data.datasets.idx import Part, read_labelled_images


@suggests_arguments
def digits() -> tuple[Part, Part]:
    """The 70,000 handwritten digits of MNIST, without a download.

    Returns ``(x, y), (x_test, y_test)``: images uint8 (60000, 28, 28) with white ink (255) on black (0), and classes 0
    to 9 as int64 (60000,); likewise 10,000 for testing, by writers who are not among those of the training part.
    The order is that of the published files. Every call reads them again, so the arrays may be modified.

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, from NIST Special Databases 1 and 3; licence CC BY-SA 3.0 (see
    ``datasets/mnist/LICENSE.md``).

    Example::

        (x, y), (x_test, y_test) = pl.datasets.digits()

    Raises ``DataError`` if the installed files are damaged or missing.
    """
    return _part("train"), _part("t10k")


def _part(name: str) -> Part:
    folder = resources.files("pellucid.data.datasets") / "mnist"
    with (
        resources.as_file(folder / f"{name}-images-idx3-ubyte.gz") as images,
        resources.as_file(folder / f"{name}-labels-idx1-ubyte.gz") as labels,
    ):
        return read_labelled_images(images, labels)
