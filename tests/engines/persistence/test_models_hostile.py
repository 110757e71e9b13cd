"""A file that is not a model of ours is refused with the reason, whatever is in it, and nothing in it is run."""

import functools
import gzip
import io
import json
import operator
import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from engines import registry
from engines.contract import MODEL_LIMIT
from engines.errors import InputError
from engines.persistence import models
from engines.run import fit, in_order
from tests.engines.cdnow import cdnow_customers


@pytest.fixture(scope="module")
def fitted():
    return fit(registry.engine("kmeans"), in_order(cdnow_customers()))[0]


@pytest.fixture(scope="module")
def data(fitted):
    return models.dump_model(fitted)


def refused(data, words):
    with pytest.raises(InputError, match=words) as caught:
        models.load_model(data)
    assert str(caught.value).startswith("The model cannot be loaded: ")
    assert str(caught.value).endswith("run its engine again.")


def packed(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def changed(data, change):
    """The file with its schema changed."""
    result = []
    for name, content in members(data):
        if name == "schema.json":
            schema = json.loads(content)
            change(schema)
            content = json.dumps(schema)
        result.append((name, content))
    return packed(result)


MARK = "/tmp/segmentry-was-here"


class Trap:
    """What runs a program when it is unpickled."""

    def __reduce__(self):
        return os.system, (f"touch {MARK}",)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle(protocol, fitted):
    refused(pickle.dumps(Trap(), protocol), "is a pickle")
    refused(pickle.dumps(fitted, protocol), "is a pickle")
    assert not Path(MARK).exists()


def test_a_joblib_file(fitted):
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer)
    refused(buffer.getvalue(), "is a pickle")


def test_a_pickle_inside(data):
    refused(packed([*members(data), ("model.pkl", pickle.dumps(Trap()))]), "a file called 'model.pkl'")
    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], dtype=object), allow_pickle=True)
    inside = [(name, buffer.getvalue() if name.endswith(".npy") else content) for name, content in members(data)]
    refused(packed(inside), "holds Python objects, which are pickles")
    assert not Path(MARK).exists()


@pytest.mark.parametrize("content", [b"", b"P", b"hello", gzip.compress(b"hello", mtime=0), b"\0" * 1000])
def test_anything_else(content):
    refused(content, "is not a skops file")


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (LogisticRegression(), "sklearn.linear_model"),
        (DecisionTreeClassifier(), "sklearn.tree"),
        (functools.partial(os.getcwd), "partial"),
        (operator.methodcaller("system"), "operator.methodcaller"),
        (os.getcwd, "posix.getcwd"),
        ({"a": {1, 2}}, "builtins.set"),
        ({"a": b"bytes"}, r"a file called .*\.bin"),
        ({"a": np.array(["text"], dtype=object)}, "Python objects"),
        ({"a": np.random.default_rng(0)}, "numpy.random"),
        ({"a": np.array(["text"])}, "no numbers"),
        ({"a": int}, "builtins.int"),
    ],
)
def test_a_skops_file_of_another_type(thing, words):
    refused(skops.io.dumps(thing), words)


def model(name, fields):
    return {"format": 1, "model": {"class": name, "fields": fields}}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"a": 1}, "not of a model"),
        (["format", "model"], "not of a model"),
        ({"format": 1, "model": 7}, "int, which is no model"),
        (model("Segment", {"key": 1, "name": "", "action": ""}), "no model"),
        (
            {"format": 1, "model": {"class": "subprocess.Popen", "fields": {"args": "ls"}}},
            "an object of subprocess.Popen",
        ),
        (model("KMeans", {}), "an object of KMeans"),
        (model("NearestGroup", {}), "lacks place"),
        (model("NearestGroup", [1]), "do not fit together"),
        (model(["a"], {}), "do not fit together"),
        (
            {"format": 1, "model": {"class": "sklearn.KMeans", "fields": {"settings": {}, "learned": {}}}},
            "not fit together",
        ),
    ],
)
def test_a_skops_file_of_another_state(state, words):
    refused(skops.io.dumps(state), words)


def test_parts_that_do_not_fit_together(data):
    def broken(change):
        state = skops.io.loads(data, trusted=[])
        change(state["model"]["fields"])
        return skops.io.dumps(state)

    refused(broken(lambda f: f.update(points=f["points"][:, :1])), "do not fit together")
    refused(broken(lambda f: f.update(keys=f["keys"] + 100)), "segments that it does not have")
    refused(broken(lambda f: f.update(keys=np.zeros(0, dtype=np.int64))), "do not fit together")
    refused(broken(lambda f: f.update(segments=())), "no segments")
    refused(broken(lambda f: f.update(segments=[{"key": 1}])), "no segments")
    refused(broken(lambda f: f["place"]["fields"].update(centre=None)), "do not fit together")


def test_arrays_that_compiled_code_would_read_beyond():
    from sklearn.cluster import KMeans

    from engines.clustering.clusterers import wrap

    fitted = fit(wrap("sk", KMeans)(), in_order(cdnow_customers()))[0]
    state = skops.io.loads(models.dump_model(fitted), trusted=[])
    learned = state["model"]["fields"]["estimator"]["fields"]["learned"]
    centres = learned["cluster_centers_"]
    for wrong in (centres[:, :1], centres[0], centres[:0], "centres", None):
        learned["cluster_centers_"] = wrong
        refused(skops.io.dumps(state), "do not fit together|has learned is not there")


def test_a_file_that_was_cut_off(data):
    for length in range(2, len(data), 97):
        refused(data[:length], "damaged or was cut off|not a skops file")


def test_a_file_with_a_wrong_byte_is_refused_or_is_the_same(data, fitted):
    table = in_order(cdnow_customers())[:20]
    draw = np.random.default_rng(0)
    for place in draw.integers(0, len(data), 300):
        broken = bytearray(data)
        broken[place] ^= 1 << int(draw.integers(0, 8))
        try:
            again = models.load_model(bytes(broken))
        except InputError:
            continue
        assert again.assign(table).equals(fitted.assign(table))


# --- size -----------------------------------------------------------------------------------------------------------


def peak(action):
    """The most memory that Python held while something was done, in bytes."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gigabyte():
    huge = bytes(1 << 30)  # pages of zeros that nobody touches take no room
    assert peak(lambda: refused(huge, "1,073,741,824 bytes where 67,108,864 are allowed")) < 1e6
    refused(b"PK" + bytes(MODEL_LIMIT - 1), "67,108,865 bytes")


def test_a_zip_bomb():
    bomb = packed([("schema.json", b"{}"), ("1.npy", bytes(MODEL_LIMIT))], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    assert peak(lambda: refused(bomb, "would unpack to 67,108,866 bytes")) < 1e6


def test_a_zip_bomb_that_says_it_is_small():
    bomb = bytearray(packed([("schema.json", b" " * (100 << 20))], zipfile.ZIP_DEFLATED))
    directory = bomb.rindex(b"PK\x01\x02")
    for place in (22, directory + 24):  # its unpacked size, in the file's header and in the directory
        struct.pack_into("<I", bomb, place, 100)
    assert peak(lambda: refused(bytes(bomb), "is compressed or encrypted")) < 1e6


def test_a_file_that_says_it_is_a_gigabyte(data):
    said = bytearray(data)
    directory = said.index(b"PK\x01\x02")
    struct.pack_into("<II", said, directory + 20, 1 << 30, 1 << 30)
    assert peak(lambda: refused(bytes(said), r"would unpack to 1,0\d\d,\d\d\d,\d\d\d bytes")) < 1e6


def test_files_in_a_file_that_overlap(data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", b" " * 1_000_000)
        first = archive.infolist()[0]
        for number in range(60):
            twin = zipfile.ZipInfo(f"{number}.npy")
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            twin.file_size = twin.compress_size = first.file_size
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    refused(buffer.getvalue(), "its files overlap|damaged")


def test_an_array_that_says_it_is_large(data):
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    array = header.ljust(127) + b"\n"
    inside = [(name, array if name.endswith(".npy") else content) for name, content in members(data)]
    assert peak(lambda: refused(packed(inside), "is not as long as it says")) < 1e7


def test_very_many_files():
    refused(packed([(f"{number}.npy", b"") for number in range(1_001)]), "1,001 files where 1,000 are allowed")


def test_a_large_schema():
    refused(packed([("schema.json", b" " * (9 << 20))]), "larger than 8,388,608 bytes")


# --- names and structure --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../1.npy", "/etc/passwd", "a/1.npy", "..\\1.npy", "C:1.npy", "1.npy\n", "١.npy"])
def test_a_path(data, name):
    refused(packed([*members(data), (name, b"x")]), "a file called|damaged")


def test_the_same_name_twice(data):
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = packed([*members(data), ("schema.json", b"{}")])
    refused(twice, "overlap")


def test_no_schema(data):
    refused(packed([(name, content) for name, content in members(data) if name != "schema.json"]), "no schema.json")


@pytest.mark.parametrize("content", [b"", b"[1", b"[]", b"7", b'"text"', b"\xff\xfe", b"[" * 200_000, b'{"a": 1}'])
def test_a_schema_that_is_none(content):
    refused(packed([("schema.json", content)]), "schema.json|which no model does")


def test_an_object_within_itself(data):
    def within(schema):
        schema["content"]["model"]["__id__"] = schema["__id__"]

    refused(changed(data, within), "damaged|not of a model")


def test_nested_deeply(data):
    def deep(schema):
        node = schema["content"]["model"]
        for _ in range(5_000):
            node = {"__loader__": "ListNode", "__module__": "builtins", "__class__": "list", "content": [node]}
        schema["content"]["model"] = node

    with pytest.raises((InputError, RecursionError)):  # JSON itself may refuse to write it
        models.load_model(changed(data, deep))


def test_parts_by_other_loaders(data):
    def other(loader, module, name):
        def change(schema):
            schema["content"]["model"] |= {"__loader__": loader, "__module__": module, "__class__": name}

        return changed(data, change)

    refused(other("ObjectNode", "sklearn.cluster", "KMeans"), "sklearn.cluster.KMeans")
    refused(other("DictNode", "os", "system"), "os.system")
    refused(other("DictNode", "collections", "OrderedDict"), "OrderedDict")
    refused(other("CachedNode", "builtins", "dict"), "CachedNode")
    refused(other("TypeNode", "builtins", "eval"), "builtins.eval")
    refused(other("DictNode", None, ["dict"]), "which no model does")


def test_protocols_of_other_versions(data):
    refused(changed(data, lambda schema: schema.update(protocol=99)), "damaged")
    refused(changed(data, lambda schema: schema.update(protocol="2")), "damaged")
