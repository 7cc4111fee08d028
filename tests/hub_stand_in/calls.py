"""The calls of the Hub that huggingface_hub, transformers and datasets make, answered from a ``Store``.

Names and fields are those that ``huggingface_hub`` 2.4 sends and reads (hf_api.py, _commit_api.py, lfs.py,
file_download.py, hf_file_system.py).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

import yaml

from .server import Handler, Route
from .store import Refused, changed, entries, upload_mode

ROUTES: list[Route] = []

_REPO = r"(?P<repo>[^/]+/[^/]+|[^/]+)"
_API = rf"/api/(?P<kind>model|dataset)s/{_REPO}"
_WEB = rf"/(?:(?P<kind>dataset)s/)?{_REPO}"
_AT = r"(?P<revision>[^/]+)"
_Answer = Callable[[Handler, dict[str, str]], None]


def _call(method: str, path: str) -> Callable[[_Answer], _Answer]:
    def add(function: _Answer) -> _Answer:
        ROUTES.append((method, re.compile(path), function))
        return function

    return add


@_call("GET", "/api/whoami-v2")
def _whoami(request: Handler, at: dict[str, str]) -> None:
    request.sign_in()
    server = request.server
    organizations = [{"name": name, "type": "org", "roleInOrg": "admin"} for name in server.organizations]
    token = {"displayName": "stand-in", "role": "write"}
    request.answer(
        {
            "type": "user",
            "name": server.user,
            "orgs": organizations,
            "auth": {"type": "access_token", "accessToken": token},
        }
    )


@_call("POST", "/api/validate-yaml")
def _validate_yaml(request: Handler, at: dict[str, str]) -> None:
    try:
        data = _front_matter(request.json()["content"])
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        request.answer({"errors": [{"message": f"YAML: {message}"}], "warnings": []}, 400)
        return
    warnings = [] if data else [{"message": "empty or missing yaml metadata in repo card"}]
    request.answer({"errors": [], "warnings": warnings})


def _front_matter(text: str) -> dict[str, Any]:
    match = re.match(r"\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|$)", text, re.DOTALL)
    loaded = yaml.safe_load(match.group(1)) if match else None
    return loaded if isinstance(loaded, dict) else {}


@_call("POST", "/api/repos/create")
def _create(request: Handler, at: dict[str, str]) -> None:
    asked = request.json()
    kind, name = request.owned(asked)
    url = f"{request.server.endpoint}/{'datasets/' * (kind == 'dataset')}{name}"
    if kind not in ("model", "dataset"):
        raise Refused(400, f"expected a repository of type model or dataset, found {kind}")
    private = bool(asked.get("private")) or asked.get("visibility") == "private"
    try:
        request.server.store.create(kind, name, private)
    except Refused as refusal:  # clients that allow an existing repository read the address from this answer
        request.answer({"error": refusal.message, "url": url}, refusal.status, {"X-Error-Message": refusal.message})
        return
    request.answer({"url": url, "name": name, "id": name})


@_call("DELETE", "/api/repos/delete")
def _delete(request: Handler, at: dict[str, str]) -> None:
    kind, name = request.owned(request.json())
    request.repository({"kind": kind, "repo": name}, write=True)
    with request.server.store.lock:
        request.server.store.repositories.pop((kind, name), None)
    request.answer({})


@_call("GET", f"{_API}(?:/revision/{_AT})?")
def _info(request: Handler, at: dict[str, str]) -> None:
    repository, commit = request.repository(at), request.commit_at(at)
    card: dict[str, Any] = {}
    if "README.md" in commit.files:
        text = request.server.store.content(commit.files["README.md"]).read_text(encoding="utf-8")
        try:
            card = json.loads(json.dumps(_front_matter(text), default=str))
        except yaml.YAMLError:
            card = {}  # the Hub shows a repository with a broken card too
    siblings = []
    for path, file in sorted(commit.files.items()):
        lfs = file.entry(path).get("lfs")
        told = {"size": file.size, "blobId": file.blob_id, "lfs": lfs and {**lfs, "sha256": lfs["oid"]}}
        siblings.append({"rfilename": path, **(told if "blobs" in request.query else {})})
    request.answer(
        {
            "id": repository.id,
            "author": repository.id.split("/")[0],
            "sha": commit.id,
            "private": repository.private,
            "gated": False,
            "disabled": False,
            "createdAt": repository.created,
            "lastModified": commit.date,
            "tags": card.get("tags") or [],
            "downloads": 0,
            "likes": 0,
            "cardData": card,
            "siblings": siblings,
            **({"modelId": repository.id, "library_name": card.get("library_name")} if at["kind"] == "model" else {}),
            **({"pipeline_tag": card["pipeline_tag"]} if "pipeline_tag" in card else {}),
        }
    )


@_call("GET", f"{_API}/tree/{_AT}(?:/(?P<path>.+))?")
def _tree(request: Handler, at: dict[str, str]) -> None:
    recursive = request.query.get("recursive", ["false"])[0].lower() in ("true", "1")
    request.answer(entries(request.commit_at(at).files, at["path"].strip("/"), recursive))


@_call("POST", f"{_API}/paths-info/{_AT}")
def _paths_info(request: Handler, at: dict[str, str]) -> None:
    files = request.commit_at(at).files
    known = {entry["path"]: entry for entry in entries(files, "", True)}
    asked = parse_qs(request.body.read().decode()).get("paths", [])
    request.answer([known[path] for path in asked if path in known])


@_call("GET", f"{_API}/refs")
def _refs(request: Handler, at: dict[str, str]) -> None:
    repository = request.repository(at)
    told = {
        kind: [{"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": commit} for name, commit in refs.items()]
        for kind, folder, refs in (("branches", "heads", repository.branches), ("tags", "tags", repository.tags))
    }
    request.answer({**told, "converts": [], "pullRequests": []})


@_call("GET", f"{_API}/commits/{_AT}")
def _commits(request: Handler, at: dict[str, str]) -> None:
    author = [{"user": request.server.user}]
    told = request.repository(at).log(at["revision"])
    request.answer(
        [{"id": c.id, "title": c.title, "message": c.message, "date": c.date, "authors": author} for c in told]
    )


@_call("POST", f"{_API}/(?P<of>branch|tag)/{_AT}")
def _create_reference(request: Handler, at: dict[str, str]) -> None:
    repository, asked = request.repository(at, write=True), request.json()
    if at["of"] == "branch":
        references, name, start = repository.branches, at["revision"], asked.get("startingPoint") or "main"
    else:
        references, name, start = repository.tags, asked["tag"], at["revision"]
    with request.server.store.lock:
        if name in references:
            raise Refused(409, f"Reference already exists: {at['of']} {name}")
        references[name] = repository.at(start).id
    request.answer({})


@_call("PUT", f"{_API}/settings")
def _settings(request: Handler, at: dict[str, str]) -> None:
    repository, asked = request.repository(at, write=True), request.json()
    if "visibility" in asked:
        repository.private = asked["visibility"] == "private"
    request.answer({"visibility": "private" if repository.private else "public"})


@_call("DELETE", f"{_API}/(?P<of>branch|tag)/{_AT}")
def _delete_reference(request: Handler, at: dict[str, str]) -> None:
    repository = request.repository(at, write=True)
    references = repository.branches if at["of"] == "branch" else repository.tags
    if at["of"] == "branch" and at["revision"] == "main":
        raise Refused(403, "The branch main cannot be deleted")
    if references.pop(at["revision"], None) is None:
        raise Refused(404, f"Invalid rev id: {at['revision']}", "RevisionNotFound")
    request.answer({})


@_call("POST", f"{_API}/preupload/{_AT}")
def _preupload(request: Handler, at: dict[str, str]) -> None:
    files, asked = request.repository(at, write=True).at(at["revision"]).files, request.json()["files"]
    modes = []
    for file in asked:
        mode = upload_mode(file["path"], file["size"], base64.b64decode(file.get("sample") or ""))
        known = files.get(file["path"])
        oid = None if known is None else known.sha256 or known.blob_id
        modes.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    request.answer({"files": modes})


@_call("POST", rf"{_WEB}\.git/info/lfs/objects/batch")
def _lfs_batch(request: Handler, at: dict[str, str]) -> None:
    request.repository(at, write=True)
    told: list[dict[str, Any]] = []
    for asked in request.json()["objects"]:
        item = {"oid": asked["oid"], "size": asked["size"]}
        if not (request.server.store.folder / asked["oid"]).exists():
            item["actions"] = {"upload": {"href": f"{request.server.endpoint}/lfs/{asked['oid']}", "header": {}}}
            request.server.announced.add(asked["oid"])
        told.append(item)
    request.answer({"transfer": "basic", "objects": told})


@_call("PUT", "/lfs/(?P<oid>[0-9a-f]{64})")
def _lfs_put(request: Handler, at: dict[str, str]) -> None:
    if at["oid"] not in request.server.announced:
        raise Refused(403, "this object was not announced")
    request.server.store.receive(at["oid"], request.body)
    request.answer({})


@_call("POST", f"{_API}/commit/{_AT}")
def _commit(request: Handler, at: dict[str, str]) -> None:
    repository = request.repository(at, write=True)
    if "create_pr" in request.query:
        raise Refused(400, "the stand-in for the Hub has no pull requests: push to a branch")
    header, *operations = (json.loads(line) for line in request.body.read().splitlines() if line.strip())
    asked, store = header["value"], request.server.store
    with store.lock:
        if at["revision"] not in repository.branches:
            raise Refused(404, f"Invalid rev id: {at['revision']}", "RevisionNotFound")
        before = repository.at(at["revision"])
        if asked.get("parentCommit") not in (None, before.id):
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = changed(before.files, operations, store)
        made = repository.commit(at["revision"], files, asked["summary"], asked.get("description", ""))
    place = f"{request.server.endpoint}/{'datasets/' * (repository.kind == 'dataset')}{repository.id}"
    request.answer({"success": True, "commitOid": made.id, "commitUrl": f"{place}/commit/{made.id}", "hookOutput": ""})


@_call("GET", f"{_WEB}/resolve/(?P<revision>refs/[^/]+/[^/]+|[^/]+)/(?P<path>.+)")
def _resolve(request: Handler, at: dict[str, str]) -> None:
    commit = request.commit_at(at)
    if (at["kind"] or "model", at["repo"]) in request.server.gated:
        status = 403 if request.signed_in() else 401
        raise Refused(status, f"Access to {at['repo']} is restricted: its terms were not accepted.", "GatedRepo")
    file = commit.files.get(at["path"])
    headers = {"X-Repo-Commit": commit.id, "Accept-Ranges": "bytes"}
    if file is None:
        refusal = Refused(404, "Entry not found", "EntryNotFound")
        headers |= {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message}
        request.answer({"error": refusal.message}, refusal.status, headers)
        return
    headers |= {"ETag": f'"{file.sha256 or file.blob_id}"', "Content-Type": "application/octet-stream"}
    if file.sha256 is not None:
        headers |= {"X-Linked-Size": str(file.size), "X-Linked-Etag": f'"{file.sha256}"'}
    start, end, status = 0, file.size, 200
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range") or "")
    if asked and any(asked.groups()):
        first, last = asked.groups()
        start = int(first) if first else max(0, file.size - int(last))
        end = min(file.size, int(last) + 1) if first and last else file.size
        if start >= end:
            request.send(BytesIO(), 0, 416, {**headers, "Content-Range": f"bytes */{file.size}"})
            return
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    with request.server.store.content(file).open("rb") as data:
        data.seek(start)
        request.send(data, end - start, status, headers)
