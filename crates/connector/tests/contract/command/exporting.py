"""A program that lists no recordings, but exports windows whole, has a clock and holds: what the example does not do.

    exporting.py EXAMPLE FOLDER AHEAD_SECONDS
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone

sys.dont_write_bytecode = True
EXAMPLE, FOLDER, AHEAD = sys.argv[1:]
spec = importlib.util.spec_from_file_location("example", EXAMPLE)
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
moment, Failure = example.moment, example.Failure


class Exporting(example.Recorder):
    can = ["snapshot", "coverage", "export", "clock", "hold", "free"]

    def clock(self, _params):
        now = datetime.now(timezone.utc) + timedelta(seconds=float(AHEAD))
        return {"now": now.replace(microsecond=0).isoformat(), "precision_ms": 1000}

    def hold(self, params):
        names = [row["name"] for row in self.recordings(params)["recordings"]]
        with open(os.path.join(FOLDER, "held"), "w", encoding="utf-8") as file:
            file.write("\n".join(names))
        return {"name": "the only one"}

    def free(self, params):
        assert params["name"] == "the only one"
        if os.path.exists(os.path.join(FOLDER, "held")):
            os.remove(os.path.join(FOLDER, "held"))
        return {}

    def coverage(self, params):
        rows = self.recordings(params)["recordings"]
        spans = [{"from": row["begins"], "to": row["ends"] or params["now"]} for row in rows]
        return {"spans": spans, "complete": all(row["ends"] for row in rows)}

    def export(self, params):
        rows = self.recordings(params)["recordings"]
        start, end, now = (moment(params[name]) for name in ("from", "to", "now"))
        there = {row["name"]: long(os.path.join(FOLDER, row["name"])) for row in rows}
        for row in rows:
            if row["ends"] is None and moment(row["begins"]) + there[row["name"]] < end and now - end < timedelta(hours=1):
                raise Failure("not_yet")
        if not rows:
            raise Failure("unavailable", **self.why(params["device_id"], start, end))
        self.join(rows, there, params["into"])
        return {"begins": rows[0]["begins"]}

    def why(self, device_id, start, end):
        bounds = self.bounds({"device_id": device_id})["bounds"]
        if not bounds or start >= moment(bounds["newest"]) or end <= moment(bounds["oldest"]):
            return {"reason": "never_recorded", "detail": "There is no recording of it."}
        return {"reason": "gap", "detail": "There are recordings before and after."}

    def join(self, rows, there, into):
        """Frames keep their distance in time: gaps stay, and of what two recordings hold the later is left out."""
        with tempfile.NamedTemporaryFile("w", suffix=".ffconcat") as file:
            file.write("ffconcat version 1.0\n")
            until = moment(rows[0]["begins"])
            for row, after in zip(rows, rows[1:] + [None]):
                begins = moment(row["begins"])
                skip = max(until - begins, timedelta(0))
                file.write(f"file 'file:{os.path.join(FOLDER, row['name'])}'\n")
                if skip:
                    file.write(f"inpoint {skip.total_seconds()}\n")
                until = begins + there[row["name"]]
                if after:
                    next_one = max(until, moment(after["begins"]))
                    file.write(f"duration {(next_one - begins - skip).total_seconds()}\n")
            file.flush()
            subprocess.run(
                ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", file.name, "-c", "copy", "-f", "mp4", into],
                stdin=subprocess.DEVNULL, check=True,
            )


def long(path):
    show = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]
    return timedelta(seconds=float(subprocess.run(show, capture_output=True, check=True).stdout))


example.serve(Exporting(FOLDER))
