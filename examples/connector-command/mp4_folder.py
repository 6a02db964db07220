#!/usr/bin/env python3
"""An adapter for Sightline's connector: serves a folder of MP4 files that an index.json describes.

    mp4_folder.py FOLDER

It speaks the protocol of docs/guide/connectors/command.md and needs nothing but Python 3. What must be written anew for
another video system is the class Recorder; the rest is the protocol.
"""

import json
import os
import shutil
import sys
from datetime import datetime


class Failure(Exception):
    """Why a request cannot be done: `kind`, and what else belongs to it."""

    def __init__(self, kind, **more):
        super().__init__(kind)
        self.said = {"kind": kind, **more}


class Recorder:
    """A folder of MP4 files. Its index is read anew for each request, as it may have been changed."""

    can = ["snapshot", "recordings", "bounds", "fetch"]

    def __init__(self, folder):
        self.folder = folder

    def index(self):
        try:
            with open(os.path.join(self.folder, "index.json"), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError) as error:
            print(f"index.json: {error}", file=sys.stderr, flush=True)
            raise Failure("broken", detail="The index of the recordings cannot be read.") from error

    def of(self, device_id):
        return [row for row in self.index()["recordings"] if row["camera"] == device_id]

    def discover(self, _params):
        cameras = self.index()["cameras"]
        return {"sources": [{"device_id": camera["id"], "name": camera["name"]} for camera in cameras]}

    def snapshot(self, params):
        for camera in self.index()["cameras"]:
            if camera["id"] == params["device_id"] and "picture" in camera:
                self.copy(camera["picture"], params["into"])
                return {}
        raise Failure("broken", retryable=False, detail="There is no picture of this camera.")

    def recordings(self, params):
        start, end = moment(params["from"]), moment(params["to"])

        def reaches(row):
            return moment(row["begins"]) < end and ("ends" not in row or moment(row["ends"]) > start)

        rows = [row for row in self.of(params["device_id"]) if reaches(row)]
        return {"recordings": [
            {"name": row["file"], "begins": row["begins"], "ends": row.get("ends")} for row in rows
        ]}

    def bounds(self, params):
        begins = sorted((row["begins"] for row in self.of(params["device_id"])), key=moment)
        return {"bounds": {"oldest": begins[0], "newest": begins[-1]} if begins else None}

    def fetch(self, params):
        # only what the index names is read, whatever is asked for
        if params["name"] not in [row["file"] for row in self.of(params["device_id"])]:
            raise Failure("gone")
        self.copy(params["name"], params["into"])
        return {}

    def copy(self, name, into):
        try:
            shutil.copyfile(os.path.join(self.folder, name), into)
        except FileNotFoundError as error:
            raise Failure("gone") from error


def moment(text):
    """A time of the protocol, or of the index: RFC 3339."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def answer(recorder, request):
    """What is written for a request, besides its id."""
    method, params = request["method"], request["params"]
    try:
        if method == "hello":
            return {"result": {"protocol": 1, "can": recorder.can}}
        if method == "discover" or method in recorder.can:
            return {"result": getattr(recorder, method)(params)}
        return {"error": {"kind": "broken", "retryable": False, "detail": f"{method} is not known here."}}
    except Failure as failure:
        return {"error": failure.said}
    except Exception as error:  # one request that fails is no reason to end
        print(f"{method}: {error!r}", file=sys.stderr, flush=True)
        return {"error": {"kind": "broken", "detail": "The adapter of the MP4 folder broke."}}


def serve(recorder):
    """Answers until the connector closes standard input."""
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue  # nothing to answer: the connector has given a request up
        print(json.dumps({"id": request["id"], **answer(recorder, request)}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: mp4_folder.py FOLDER")
    serve(Recorder(sys.argv[1]))
