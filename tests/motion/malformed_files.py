"""Files that cannot be motion: damaged, contradicting themselves, absurd, or made to harm.

All are made here from hand-made walks. ``MALFORMED`` has what to write by the name of the case: content by file name,
the first of which is the one to read.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from bvh_writer import Recording, write
from test_asf_amc import Acclaim
from test_c3d import C3d, Writer, model_outputs
from test_care_pd import record
from test_smpl import walking_pose, walking_trans
from test_tables import COCO_NAMES, JSON_LAYOUTS, POINTS, TIMES
from test_trc import Trc

from agir_hf.motion.features import joints_to_features
from agir_hf.simulation import simulate_person, simulate_walk

Files = dict[str, bytes]
# What a pickle would make if its code were run.
CANARY = "code_was_run"


@cache
def good(kind: str) -> bytes:
    """A small file of a kind that reads."""
    if kind == "bvh":
        return write(Recording(frames=20)).encode()
    if kind == "c3d":
        return Writer(C3d(model_outputs(), events=[("Left", "Foot Strike", "", 0.5)])).bytes()
    if kind == "trc":
        return Trc().text().encode()
    if kind in ("asf", "amc"):
        return Acclaim(frames=20).text()[kind == "amc"].encode()
    if kind == "npy":
        return _npy(joints_to_features(joints()))
    if kind == "npz":
        return _npz(joints=joints(), fps=60)
    if kind == "smpl.npz":
        return _npz(poses=walking_pose()[:30], trans=walking_trans()[:30], mocap_framerate=60.0)
    if kind == "pkl":
        return pickle.dumps({"S": {"w": record(pose=walking_pose()[:30], trans=walking_trans()[:30])}})
    if kind == "json":
        return json.dumps(JSON_LAYOUTS["object"]).encode()
    header = ["time", *(f"{name}_{axis}" for name in COCO_NAMES for axis in "xyz")]
    rows = [[time, *np.ravel(points)] for time, points in zip(TIMES, POINTS, strict=True)]
    return "\n".join([",".join(header), *(",".join(f"{value:.4f}" for value in row) for row in rows)]).encode()


KINDS = ("bvh", "c3d", "trc", "asf", "amc", "npy", "npz", "smpl.npz", "pkl", "json", "csv")


def files_of(kind: str, content: bytes) -> Files:
    """The files to write for a content of a kind; motion and skeleton of ASF/AMC go together."""
    if kind == "asf":
        return {"walk.amc": good("amc"), "walk.asf": content}
    if kind == "amc":
        return {"walk.amc": content, "walk.asf": good("asf")}
    return {f"walk.{kind}": content}


@cache
def joints() -> np.ndarray:
    return simulate_walk(simulate_person(2), seed=2, frame_rate_hz=60.0, duration_s=1.0).clip.joints_m


def _npy(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array), allow_pickle=True)
    return stream.getvalue()


def _npz(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{name: np.asarray(value) for name, value in arrays.items()})
    return stream.getvalue()


def _npy_header(text: str, version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode()


def _declared(shape: str, descr: str = "'<f8'") -> bytes:
    return _npy_header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n")


def _zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _bomb(member: str, header: bytes, megabytes: int) -> bytes:
    """A .npz of some kilobytes with an array of this size, all zeros, and what belongs to it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(member, "w", force_zip64=True) as file:
            file.write(header)
            for _ in range(megabytes):
                file.write(bytes(1024**2))
        if member == "fps.npy":
            archive.writestr("joints.npy", _npy(joints()))
        else:
            archive.writestr("fps.npy", _npy(60.0))
    return stream.getvalue()


def _patched(raw: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Bytes after every occurrence of a signature replaced."""
    changed, place = bytearray(raw), raw.find(signature)
    while place >= 0:
        changed[place + offset : place + offset + len(value)] = value
        place = raw.find(signature, place + 1)
    return bytes(changed)


class _Runs:
    """Pickled, it asks for a function to be called when it is read."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def _text_cases() -> dict[str, Files]:
    bvh, trc, asf, amc = (good(kind).decode() for kind in ("bvh", "trc", "asf", "amc"))
    head, _, motion = bvh.partition("MOTION")
    last = bvh.rstrip().rsplit("\n", maxsplit=1)[1]
    deep = "".join(f"JOINT j{n}\n{{\nOFFSET 0 1 0\nCHANNELS 1 Xrotation\n" for n in range(3000))
    names = "".join(f"JOINT {'aB' * 2400}{n}\n{{\nOFFSET 0 1 0\nCHANNELS 1 Xrotation\n}}\n" for n in range(1500))
    root = "HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\n"
    rows = trc.splitlines()
    cases = {
        "bvh cut in its hierarchy": head[: len(head) // 2],
        "bvh cut in its values": bvh[: -len(motion) // 2],
        "bvh without movement": head,
        "bvh with more frames announced": bvh.replace("Frames: 20", "Frames: 21"),
        "bvh with absurdly many frames": bvh.replace("Frames: 20", f"Frames: {10**40}"),
        "bvh with a negative frame time": bvh.replace("0.0166667", "-0.01"),
        "bvh with NaN": bvh.replace(last, last.replace(last.split()[4], "nan", 1)),
        "bvh with an overflow": bvh.replace(last, last.replace(last.split()[4], "1e999", 1)),
        "bvh with an absurd place": bvh.replace(last, "1e200 " + last.partition(" ")[2]),
        "bvh with text among its values": bvh.replace(last, last.replace(last.split()[4], "abc", 1)),
        "bvh with all offsets zero": "\n".join(
            line if "OFFSET" not in line else "OFFSET 0 0 0" for line in bvh.splitlines()
        ),
        "bvh with two roots": head + bvh,
        "bvh nested 3000 deep": root + deep,
        "bvh with endless names": root + names + "}\nMOTION\nFrames: 2\nFrame Time: 0.1\n" + ("0 " * 1501 + "\n") * 2,
        "bvh with channels that are none": bvh.replace("Zrotation", "Qrotation"),
        "bvh of a hand": bvh.replace("Leg", "Finger").replace("Foot", "Nail"),
    }
    cases = {name: {"walk.bvh": text.encode()} for name, text in cases.items()}
    cases["bvh in UTF-16"] = {"walk.bvh": bvh.encode("utf-16")}
    cases["bvh of binary rubbish"] = {"walk.bvh": bytes(range(256)) * 40}
    trc_cases = {
        "trc cut in a row": trc[: len(trc) - 200],
        "trc cut in its header": "\n".join(rows[:3]),
        "trc with more frames announced": trc.replace("60.00\t60.00\t60\t", "60.00\t60.00\t61\t"),
        "trc with more markers announced": trc.replace(f"\t{len(Trc().points)}\tmm", "\t999\tmm"),
        "trc with a word": trc.replace(rows[9].split("\t")[5], "word"),
        "trc with an absurd number": trc.replace(rows[9].split("\t")[5], "1e300"),
        "trc with a wide row": trc.replace(rows[9], rows[9] + "\t1" * 5000),
        "trc without labels": trc.replace(rows[3], "Frame#\tTime"),
        "trc of zeros": "\n".join([*rows[:6], *(f"{n}\t{n / 60:.3f}" + "\t0" * 60 for n in range(1, 61))]),
        "trc with a row of blanks": trc.replace(rows[9].split("\t")[5], "1" + " " * 3_000_000 + "x"),
    }
    cases |= {name: {"walk.trc": text.encode()} for name, text in trc_cases.items()}
    asf_cases = {
        "asf cut": asf[: len(asf) // 2],
        "asf with a cycle": asf.replace("    root ", "    ltoes root\n    root ", 1).replace("lfemur ltibia", "ltoes"),
        "asf with a bone of no number": asf.replace("length ", "length x", 3),
        "asf with an absurd unit": asf.replace("length 0.45", "length 1e-300"),
        "asf of NaN": asf.replace("direction ", "direction nan ", 3),
    }
    cases |= {name: files_of("asf", text.encode()) for name, text in asf_cases.items()}
    amc_cases = {
        "amc cut": amc[: len(amc) - 100],
        "amc with an unknown bone": amc.replace("lfemur", "lwing"),
        "amc with NaN": amc.replace("\nltibia ", "\nltibia nan ", 1),
        "amc with an absurd place": amc.replace("\nroot ", "\nroot 1e300 ", 1),
        "amc with a pose": amc[: amc.index("\n2\n") + 1],
    }
    cases |= {name: files_of("amc", text.encode()) for name, text in amc_cases.items()}
    cases["amc without its asf"] = {"walk.amc": amc.encode()}
    cases["asf alone"] = {"walk.asf": asf.encode()}
    return cases


def _c3d_cases() -> dict[str, Files]:
    raw = good("c3d")

    def at(place: int, *values: int) -> bytes:
        return raw[:place] + bytes(values) + raw[place + len(values) :]

    known = model_outputs()
    cases = {
        "c3d cut in its header": raw[:100],
        "c3d cut in its parameters": raw[:800],
        "c3d cut in its data": raw[: len(raw) * 2 // 3],
        "c3d with 65535 points": at(2, 255, 255),
        "c3d with frames to the end of time": at(raw.index(b"FRAMES") + 11, 255, 127),
        "c3d of another machine": at(515, 99),
        "c3d with data beyond its end": at(16, 255, 255),
        "c3d with a parameter beyond its section": at(raw.index(b"LABELS") + 10, 255, 255),
        "c3d with 65535 analog values": at(4, 255, 255),
        "c3d with its scale gone": raw.replace(b"SCALE", b"SCALP"),
        "c3d of nobody": Writer(C3d({f"box{n}": known["LFEP"] for n in range(4)})).bytes(),
        "c3d of lost markers": Writer(C3d({name: values * np.nan for name, values in known.items()})).bytes(),
        "c3d of absurd places": Writer(C3d({name: values * 1e30 for name, values in known.items()})).bytes(),
    }
    return {name: {"walk.c3d": content} for name, content in cases.items()}


def _numpy_cases() -> dict[str, Files]:
    npz, code = good("npz"), f"open({CANARY!r}, 'w')"
    with_nan = joints().copy()
    with_nan[3, 4, 1] = np.nan
    huge_member = _declared("(99999999999, 22, 3)")
    npy = {
        "npy cut": good("npy")[:-50],
        "npy of a million gigabytes": _declared("(99999999999, 22, 3)"),
        "npy of a negative length": _declared("(-5, 22, 3)") + bytes(1000),
        "npy with a header of 4 GiB": b"\x93NUMPY\x02\x00" + b"\xff" * 4 + b"{" * 1000,
        "npy with code in its header": _npy_header("{'descr': " + code + ", 'shape': (3,)}\n"),
        "npy with brackets in its header": _npy_header("(" * 9000),
        "npy of pickled code": _npy(np.array([_Runs(open, CANARY, "w")], dtype=object)),
        "npy of text": _npy(np.array(["walk"] * 40)),
        "npy of fields": _npy(np.zeros(40, dtype=[("x", "f8"), ("y", "f8")])),
        "npy of complex numbers": _npy(joints() * 1j),
        "npy of NaN": _npy(with_nan),
        "npy of infinities": _npy(np.full((40, 263), np.inf)),
        "npy of absurd places": _npy(joints().astype(np.float64) * 1e300),
        "npy of one place": _npy(np.zeros((40, 22, 3))),
        "npy of 23 joints": _npy(np.zeros((40, 23, 3))),
        "npy of normalised features": _npy(np.random.default_rng(0).normal(size=(40, 263))),
    }
    archives = {
        "npz cut": npz[:-100],
        "npz bomb": _bomb("joints.npy", _declared("(500000, 22, 3)", "'<f4'"), 126),
        "npz bomb in its rate": _bomb("fps.npy", _declared("(16000000,)"), 122),
        "npz bomb in a header": _bomb("joints.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 80 * 1024**2), 80),
        "npz of a million gigabytes": _zipped({"joints.npy": huge_member, "fps.npy": _npy(60.0)}),
        "npz with two rates": _npz(joints=joints(), fps=[30.0, 60.0]),
        "npz with a rate of NaN": _npz(joints=joints(), fps=np.nan),
        "npz of pickled code": _npz(joints=np.array([_Runs(open, CANARY, "w")], dtype=object), fps=60.0),
        "npz with a password": _patched(_patched(npz, b"PK\x03\x04", 6, b"\x01"), b"PK\x01\x02", 8, b"\x01"),
        "npz packed in an unknown way": _patched(_patched(npz, b"PK\x03\x04", 8, b"\x63"), b"PK\x01\x02", 10, b"\x63"),
        "npz with a flipped byte": npz[:900] + bytes([npz[900] ^ 255]) + npz[901:],
        "npz of broken deflate": _zipped({"joints.npy": _npy(joints())}).replace(
            zlib.compress(_npy(joints()))[2:40], bytes(38)
        ),
        "npz of ours with NaN": _npz(joints_m=with_nan, frame_rate_hz=60.0, joints_filled=["head"]),
        "npz of ours with absurd places": _npz(
            joints_m=joints().astype(np.float64) * 1e300, frame_rate_hz=60.0, joints_filled=["head"]
        ),
        "npz of ours without its rate": _npz(joints_m=joints(), joints_filled=["head"]),
        "npz of nothing": _zipped({}),
        "npz of a letter": _zipped({"letter.txt": b"Dear Sir"}),
        "smpl of degrees": _npz(poses=np.full((30, 72), 90.0), trans=np.zeros((30, 3)), mocap_framerate=60.0),
        "smpl with NaN": _npz(poses=np.full((30, 72), np.nan), trans=np.zeros((30, 3)), mocap_framerate=60.0),
        "smpl of absurd places": _npz(
            poses=walking_pose()[:30], trans=walking_trans()[:30] * 1e300, mocap_framerate=60.0
        ),
        "smpl of other lengths": _npz(poses=walking_pose()[:30], trans=walking_trans()[:20], mocap_framerate=60.0),
        "smpl bomb": _bomb("poses.npy", _declared("(300000, 72)", "'<f4'"), 83),
    }
    return {name: {"walk.npy": content} for name, content in npy.items()} | {
        name: {"walk.npz": content} for name, content in archives.items()
    }


def _pickle_cases() -> dict[str, Files]:
    text = b"X" + struct.pack("<I", 500_000) + b"a" * 500_000 + b"q\x00"
    again = b"c_codecs\nencode\nh\x00" + _short("latin1") + b"\x86R0"
    loop: list[object] = []
    loop.append(loop)
    nested: list[object] = []
    for _ in range(150):
        nested = [nested]
    cases = {
        "pickle that opens a file": pickle.dumps({"S": {"w": _Runs(open, CANARY, "w")}}),
        "pickle that runs a command": b"cos\nsystem\n(S'touch " + CANARY.encode() + b"'\ntR.",
        "pickle that evaluates": b"\x80\x02c__builtin__\neval\nX"
        + struct.pack("<I", len(CANARY) + 10) + f"open('{CANARY}')".encode() + b"\x85R.",
        "pickle that names by the stack": b"\x80\x04" + _short("subprocess") + _short("call") + b"\x93)R.",
        "pickle of an instance": b"(S'" + CANARY.encode() + b"'\niposix\nmkdir\n.",
        "pickle that builds": b"\x80\x04" + _short("builtins") + _short("object") + b"\x93)\x81}b.",
        "pickle by an outside reference": b"\x80\x02X\x01\x00\x00\x00aQ.",
        "pickle by a registered extension": b"\x80\x02\x82\x01.",
        "pickle of torch": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
        "pickle cut": good("pkl")[:-300],
        "pickle of a thousand petabytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b"abc",
        "pickle that converts over and over": b"\x80\x04" + text + again * 300_000 + b"}.",
        "pickle that holds itself": pickle.dumps(loop),
        "pickle nested 150 deep": pickle.dumps(nested),
        "pickle of another layout": pickle.dumps({"S": {"w": {"angles": np.zeros((9, 3))}}}),
        "pickle with NaN": pickle.dumps({"S": {"w": record(pose=walking_pose() * np.nan)}}),
        "pickle with a score of 7": pickle.dumps({"S": {"w": record(UPDRS_GAIT=7)}}),
        "pickle of two walks": pickle.dumps({"S": {"a": record(), "b": record()}}),
    }  # fmt: skip
    return {name: {"walk.pkl": content} for name, content in cases.items()}


def _table_cases() -> dict[str, Files]:
    frames = JSON_LAYOUTS["object"]["joints"]
    csv_lines = good("csv").decode().splitlines()
    texts = {
        "json cut": good("json")[:-100].decode(),
        "json nested 100000 deep": "[" * 100_000,
        "json with an endless number": '{"joints": [[[1, 2, ' + "9" * 100_000 + ']]], "fps": 50}',
        "json of another kind": '{"subject": "S1", "score": 2}',
        "json of one point": '{"joints": [[[1, 2, 3]], [[1, 2, 3]]], "fps": 50}',
        "json in two dimensions": json.dumps({"joints": [[[1, 2]] * 17] * 5, "fps": 50}),
        "json of uneven frames": json.dumps({"joints": [*frames[:5], frames[5][:9]], "fps": 50}),
        "json without its rate": json.dumps({"joints": frames}),
        "json with a rate of zero": json.dumps({"joints": frames, "fps": 0}),
        "json of NaN": json.dumps({"joints": [[[float("nan")] * 3] * 17] * 9, "fps": 50}),
        "json of absurd places": json.dumps({"joints": (1e300 * np.array(frames)).tolist(), "fps": 50}),
        "csv with a short row": "\n".join([*csv_lines[:9], csv_lines[9].rpartition(",")[0], *csv_lines[10:]]),
        "csv with a word": "\n".join([*csv_lines[:9], csv_lines[9].replace(".", "x"), *csv_lines[10:]]),
        "csv with an open quote": "\n".join([*csv_lines[:9], '"' + csv_lines[9], *csv_lines[10:]]),
        "csv that goes back in time": "\n".join([csv_lines[0], *csv_lines[:0:-1]]),
        "csv without movement": csv_lines[0],
        "csv without legs": "\n".join(csv_lines).replace("knee", "wheel"),
        "csv of subjects": "file_name,subject_id,score\nwalk.bvh,S1,2\n",
    }
    return {name: {f"walk.{name.partition(' ')[0]}": text.encode()} for name, text in texts.items()} | {
        "csv of zero bytes": {"walk.csv": good("csv").replace(b"0", b"\0")},
        "empty": {"walk.bvh": b""},
        "empty without an extension": {"walk": b""},
        "a picture": {"walk.png": b"\x89PNG\r\n\x1a\n" + bytes(2000)},
    }


MALFORMED: dict[str, Files] = {
    **_text_cases(),
    **_c3d_cases(),
    **_numpy_cases(),
    **_pickle_cases(),
    **_table_cases(),
}
