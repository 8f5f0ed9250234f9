"""The data sets that are known by checksums and can be downloaded: MNIST and Fashion-MNIST."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(eq=False)
class DataSet:
    """A data set of four files, where it comes from, and what it is known by.

    name: its name in messages.  loader: the function that loads it.  folder: its own folder in the cache
    directory, "" for the cache directory itself.
    mirrors: addresses of folders with the files; the first that works is used, as the files are the same on
    each.  sha256: of each .gz file by name, in the order of `Files`.
    contents: CRC-32 and length of each file, unzipped; empty if only checksums of the .gz files are known.
    offline: what to do without a network.
    """

    name: str
    loader: str
    folder: str
    mirrors: tuple[str, ...]
    sha256: Mapping[str, str]
    contents: tuple[tuple[int, int], ...]
    offline: str


MNIST = DataSet(
    name="MNIST",
    loader="load_mnist",
    folder="",
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    sha256={
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    contents=(
        (0xE9F4D8B3, 16 + 60000 * 784),
        (0xE0CB4AD2, 8 + 60000),
        (0x91373BDF, 16 + 10000 * 784),
        (0x4AB9EFF9, 8 + 10000),
    ),
    offline="set BACKPROP_DATA_DIR, or use load_mnist_sample",
)
# The SHA-256 are those published in torchvision (prototype/datasets/_builtin/mnist.py) and, independently, in
# batchup (datasets/fashion_mnist.py). Zalando's own page has MD5, which other projects list beside the same
# SHA-256.
FASHION_MNIST = DataSet(
    name="Fashion-MNIST",
    loader="load_fashion_mnist",
    folder="fashion-mnist",
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    sha256={
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    contents=(),
    offline="or pass its directory as data_dir",
)
KNOWN = (MNIST, FASHION_MNIST)
