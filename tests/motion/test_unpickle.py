import builtins
import codecs
import functools
import os
import pickle
import struct
import time
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agir_hf.errors import MotionFormatError
from agir_hf.motion.unpickle import load_pickle, looks_like_pickle


class Call:
    """Pickles as a call of a function with arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Plain:
    pass


def written(folder: Path, content: bytes) -> Path:
    path = folder / "data.pkl"
    path.write_bytes(content)
    return path


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(MotionFormatError) as caught:
        load_pickle(written(folder, content))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(folder / "data.pkl"))
    return message


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_and_arrays_come_back_in_every_protocol(tmp_path, protocol):
    data = {
        "SUB01": {
            "walk_1": {
                "pose": np.arange(12, dtype=np.float32).reshape(4, 3),
                "trans": np.asfortranarray(np.arange(12.0).reshape(4, 3)),
                "beta": np.arange(3, dtype=">f8"),
                "nothing": np.zeros((0, 3)),
                "names": np.array(["a", "bc"]),
                "fps": 150,
                "scalar": np.float64(2.5),
                "whole": np.int64(-3),
                "flag": np.bool_(True),
                "text": np.str_("on"),
                "empty": np.str_(""),
                "UPDRS_GAIT": None,
                "other": ("ü€𝄞\n'\"", -1.5, True, False, 2**70, -(2**70), [1, [2]]),
                "bytes": bytes(range(256)),
                "ordered": OrderedDict(),
                3: {None: 1},
            }
        }
    }
    loaded = load_pickle(written(tmp_path, pickle.dumps(data, protocol=protocol)))
    walk, known = loaded["SUB01"]["walk_1"], data["SUB01"]["walk_1"]
    assert list(walk) == list(known)
    for key in ("pose", "trans", "beta", "nothing", "names"):
        np.testing.assert_array_equal(walk[key], known[key])
        assert walk[key].dtype == known[key].dtype
    for key in set(known) - {"pose", "trans", "beta", "nothing", "names"}:
        assert walk[key] == known[key], key
    assert type(walk["scalar"]) is float


def test_shared_arrays_and_dtypes_stay_shared(tmp_path):
    array = np.arange(5.0)
    first, second = load_pickle(written(tmp_path, pickle.dumps([array, array])))
    assert first is second
    assert not first.flags.writeable


def test_python_2_pickles_of_arrays(tmp_path):
    # As Python 2 wrote it, protocol 2: names in numpy.core, the content of the array as a byte string.
    raw = np.array([1.5, -2.0], "<f8").tobytes()
    content = (
        b"\x80\x02}q\x00U\x04poseq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04"
        b"U\x01bq\x05\x87q\x06Rq\x07(K\x01K\x02\x85q\x08cnumpy\ndtype\nq\tU\x02f8q\nK\x00K\x01\x87q\x0bRq\x0c(K\x03U\x01<"
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\rb\x89U\x10" + raw + b"q\x0etq\x0fbs."
    )
    np.testing.assert_array_equal(load_pickle(written(tmp_path, content))["pose"], [1.5, -2.0])


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("value", "dotted"),
    [
        (Call(os.system, "touch HERE"), f"{os.name}.system"),
        (Call(builtins.eval, "open('HERE', 'w')"), ".eval"),
        (Call(builtins.exec, "open('HERE', 'w')"), ".exec"),
        (Call(builtins.getattr, "a", "upper"), ".getattr"),
        (Call(np.load, "HERE"), "numpy.load"),
        (Call(np.fromfile, "HERE"), "numpy.fromfile"),
        (Call(np.memmap, "HERE", "u1", "w+", 0, (1,)), "memmap"),
        (Call(functools.partial, os.system, "touch HERE"), "functools.partial"),
        (Call(codecs.decode, b"", "rot13"), "_codecs.decode"),
        (Call(codecs.open, "HERE", "w"), "codecs.open"),
        (np.array([{"a": 1}], dtype=object), "'O8'"),
        (np.dtype(object), "'O8'"),
        (np.zeros(2, dtype=[("x", "f4")]), "fields"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "'M8'"),
        (np.ma.zeros(3), "numpy.ma"),
        ({1, 2}, "set"),
        (np.float64, "numpy.float64"),
        (np.ndarray, "numpy.ndarray as a value"),
        (OrderedDict, "collections.OrderedDict as a value"),
        (OrderedDict(a=os.system), "system"),
        (Plain(), "Plain"),
        (complex(1, 2), ".complex"),
        (Path("x"), "pathlib"),
    ],
)
def test_everything_else_is_refused_by_its_name(tmp_path, monkeypatch, value, dotted, protocol):
    monkeypatch.chdir(tmp_path)
    try:
        content = pickle.dumps({"SUB01": value}, protocol=protocol)
    except (pickle.PicklingError, AttributeError, TypeError):
        pytest.skip("this protocol cannot hold the value")
    message = refusal(tmp_path, content)
    if dotted not in message:
        # Protocols 0 and 1 wrap objects in a helper, which is what is met first.
        assert protocol < 2 and "copy_reg" in message, message
    assert [path.name for path in tmp_path.iterdir()] == ["data.pkl"], "something was run"


def test_the_codec_that_spells_bytes_does_nothing_else(tmp_path):
    def spelled(text: bytes, codec: bytes) -> bytes:
        return (
            b"\x80\x02c_codecs\nencode\nX"
            + struct.pack("<I", len(text))
            + text
            + (b"X" + struct.pack("<I", len(codec)) + codec + b"\x86R.")
        )

    assert load_pickle(written(tmp_path, spelled("é".encode(), b"latin1"))) == b"\xe9"
    for text, codec in ((b"a", b"rot13"), (b"a", b"zlib_codec"), ("€".encode(), b"latin1")):
        assert "_codecs.encode with the arguments of plain data" in refusal(tmp_path, spelled(text, codec))


def test_names_that_are_no_names_and_dotted_attributes(tmp_path):
    assert "numpy.core.multiarray._reconstruct.__globals__" in refusal(
        tmp_path, b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x1a_reconstruct.__globals__  \x93."
    )
    assert "names as text" in refusal(tmp_path, b"\x80\x04K\x01K\x02\x93.")
    assert refusal(tmp_path, b"cos\x1b[2J\nsystem\n.").isprintable()


INSTANCES = {
    "INST": b"(ios\nsystem\n.",
    "INST of a known name": b"(inumpy\nndarray\n.",
    "OBJ": b"(cnumpy\nndarray\nK\x05o.",
    "NEWOBJ": b"\x80\x02cnumpy\nndarray\nK\x05\x85\x81.",
    "NEWOBJ_EX": b"\x80\x04cnumpy\nndarray\nK\x05\x85}\x92.",
    "ndarray called": b"\x80\x02cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85R.",
    "PERSID": b"Pfile\n.",
    "BINPERSID": b"K\x01Q.",
    "EXT1": b"\x80\x02\x82\x01.",
    "out-of-band buffer": b"\x80\x05\x97.",
    "BUILD of a dict": b"\x80\x02}}b.",
    "call of text": b"\x80\x02U\x01a)R.",
    "reconstruct of another class": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85U\x01b\x87R."
    ),
    "dtype with an array as state": b"\x80\x02cnumpy\ndtype\nU\x02f8\x85R(K\x03U\x01<]NNtb.",
}


@pytest.mark.parametrize("name", INSTANCES)
def test_objects_are_refused(tmp_path, name):
    assert "expected" in refusal(tmp_path, INSTANCES[name])


def array_pickle(shape: bytes, raw: bytes = b"", code: bytes = b"f8") -> bytes:
    """An array whose state is hand-made; ``shape`` is the instructions that make it."""
    return (
        b"\x80\x04cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01" + shape
        + b"cnumpy\ndtype\n\x8c" + bytes([len(code)]) + code
        + b"\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89B"
        + struct.pack("<I", len(raw)) + raw + b"tb."
    )  # fmt: skip


HUGE = struct.pack("<Q", 2**62)
BOMBS = {
    "huge bytes": b"\x80\x04\x8e" + HUGE + b"abc.",
    "huge bytearray": b"\x80\x05\x96" + HUGE + b"abc.",
    "huge text": b"\x80\x04\x8d" + HUGE + b"abc.",
    "bytes of 4 GiB": b"\x80\x03B\xff\xff\xff\xffabc.",
    "huge frame": b"\x80\x04\x95" + HUGE + b"}",
    "huge integer": b"\x80\x02\x8b\xff\xff\xff\x7f" + b"\x01" * 100 + b".",
    "long integer": b"\x80\x02\x8b\xff\x00\x00\x00" + b"\x01" * 255 + b".",
    "integer in digits": b"I" + b"9" * 100_000 + b"\n.",
    "memo far out": b"}" + b"r\xff\xff\xff\xff" * 3,
    "memo in text": b"}p99999999999999\n",
    "negative memo": b"}p-1\n.",
    "huge shape": array_pickle(b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"),
    "overflowing shape": array_pickle(b"(" + b"J\x00\x00\x00\x40" * 16 + b"t"),
    "empty shape with huge sides": array_pickle(b"(K\x00" + b"J\x00\x00\x00\x40" * 8 + b"t"),
    "empty text of huge shape": array_pickle(b"J\xff\xff\xff\x0f\x85", code=b"S0"),
    "huge text dtype": array_pickle(b"K\x01\x85", code=b"S99999999999"),
    "negative shape": array_pickle(b"J\xff\xff\xff\xff\x85"),
    "too many dimensions": array_pickle(b"(" + b"K\x01" * 40 + b"t", b"12345678"),
    "shape of floats": array_pickle(b"G\x3f\xf0\x00\x00\x00\x00\x00\x00\x85", b"12345678"),
    "too few bytes": array_pickle(b"K\x02\x85", b"12345678"),
    "deep lists": b"]" * 100_000 + b"a" * 99_999 + b".",
    "deep tuples": b")" + b"\x85" * 200_000 + b".",
    "deep dicts": b"}K\x00" * 100_000 + b"N" + b"s" * 100_000 + b".",
    "deep through the memo": b"]q\x000" + b"]h\x00aq\x000" * 50_000 + b"h\x00.",
    "tuple as key": b"}" + b")" + b"\x85" * 200_000 + b"K\x00s.",
    "set": b"\x80\x04\x8f.",
    "huge key": b"}\x8a\x09" + b"\x01" * 9 + b"Ns.",
    "holds itself": b"]q\x00h\x00a.",
    "holds itself through a dict": b"}q\x00K\x01]h\x00as.",
    "no end to instructions": b"}" + b"20" * 1_500_001,
    "unfinished array": b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R.",
    "array finished twice": b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R2NbNb.",
    "stack underflow": b"\x80\x04a.",
    "no mark": b"\x80\x04u.",
    "odd dict": b"(K\x01d.",
    "two values": b"}}.",
    "mark left": b"(}.",
    "protocol 9": b"\x80\x09}.",
    "unknown byte": b"\xff.",
    "other text": b"frame,LHip_x\n1,2\n",
    "bad text": b"\x8c\x02\xff\xfe.",
    "endless name": b"c" + b"a" * 10_000,
    "scalar beyond unicode": (
        b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02U1\x85R(K\x03U\x01<NNNK\x04K\x04K\x08tb"
        b"C\x04\xff\xff\xff\xff\x86R."
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(tmp_path, name):
    begin = time.process_time()
    message = refusal(tmp_path, BOMBS[name])
    assert len(message) < 400
    assert time.process_time() - begin < 10.0


@pytest.mark.parametrize("name", [name for name, content in BOMBS.items() if len(content) < 1000])
def test_declared_sizes_take_no_memory(tmp_path, name):
    path = written(tmp_path, BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(MotionFormatError):
            load_pickle(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_tree_of_shared_lists_is_walked_once(tmp_path):
    # 2**30 leaves for whoever forgets where he has been, in 30 lists.
    value = [0]
    for _ in range(28):
        value = [value, value]
    begin = time.process_time()
    loaded = load_pickle(written(tmp_path, pickle.dumps(value)))
    assert loaded[0] is loaded[1]
    assert time.process_time() - begin < 1.0


def test_every_cut_of_a_file_is_refused(tmp_path):
    content = pickle.dumps({"a": {"b": np.arange(4.0), "c": "text", "d": [1, 2.5, None]}}, protocol=4)
    for length in range(len(content)):
        assert "expected" in refusal(tmp_path, content[:length])


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_files_raise_nothing_else(tmp_path_factory, changes):
    content = bytearray(pickle.dumps({"a": {"b": np.arange(4.0), "c": "text", "d": [np.float32(1), 2.5]}}, protocol=2))
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.pkl"
    path.write_bytes(bytes(content))
    try:
        load_pickle(path)
    except MotionFormatError as error:
        assert "\n" not in str(error)


def test_empty_and_content_sniffing(tmp_path):
    assert "empty file" in refusal(tmp_path, b"")
    for protocol in range(6):
        assert looks_like_pickle(pickle.dumps({"a": {"b": 1}}, protocol=protocol))
    for other in (b"", b"PK\x03\x04", b"\x93NUMPY", b"HIERARCHY", b'{"a": 1}', b"a,b\n", b"\x80\x09", b"(None)"):
        assert not looks_like_pickle(other)
