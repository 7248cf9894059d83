"""Fashion-MNIST: articles of clothing in the format of MNIST, a harder task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.core.remote import RemoteFile, locate
from pellucid.core.suggestions import suggests_arguments
from pellucid.data.datasets.idx import Part, read_labelled_images

if TYPE_CHECKING:
    from pellucid.core.download import Progress

labels = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
"""The names of the ten classes, by number."""

_ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"


def _file(name: str, sha256: str, repacked: str) -> RemoteFile:
    return RemoteFile("fashion-mnist", name, _ADDRESS + name, sha256, 2**25, (repacked,))


# The hash of the published file, then that of the same data as Debian packs it (without file name and time).
_FILES = (
    _file(
        "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    ),
    _file(
        "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    ),
    _file(
        "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    ),
    _file(
        "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
    ),
)


@suggests_arguments
def fashion(progress: Progress | None = None) -> tuple[Part, Part]:
    """The 70,000 articles of clothing of Fashion-MNIST; the first call downloads 31 MB.

    Returns ``(x, y), (x_test, y_test)``: images uint8 (60000, 28, 28), light on black (0), and classes 0 to 9 as
    int64 (60000,), named by ``pl.datasets.fashion_labels``; likewise 10,000 for testing.

    The files are looked for in the folder that the environment variable ``PELLUCID_DATA`` names (directly, or in its
    folder ``fashion-mnist``), then in the cache of the user, then on the network. Their hashes are checked every time.
    ``progress`` is called during a download as ``progress(name, bytes so far, bytes in all or None)``.

    Source: H. Xiao, K. Rasul and R. Vollgraf, Zalando SE, 2017; licence MIT.

    Raises ``DataError`` if they cannot be found or downloaded; it says how to provide them by hand.
    """
    train_images, train_labels, test_images, test_labels = (locate(file, progress) for file in _FILES)
    return read_labelled_images(train_images, train_labels), read_labelled_images(test_images, test_labels)
