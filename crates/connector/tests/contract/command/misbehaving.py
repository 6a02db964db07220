"""The example of examples/connector-command, which misbehaves while a file says so.

    misbehaving.py EXAMPLE FOLDER FAULTS

FAULTS is a file with a word for the fault and a method, or `*` for any.
"""

import importlib.util
import json
import os
import sys
import time

sys.dont_write_bytecode = True
EXAMPLE, FOLDER, FAULTS = sys.argv[1:]
spec = importlib.util.spec_from_file_location("example", EXAMPLE)
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def misbehave(fault, request):
    number = request["id"]
    if fault == "dies":
        os._exit(3)
    elif fault == "dies_within_a_line":
        write('{"id": %d, "res' % number)
        os._exit(0)
    elif fault == "nonsense":
        write("Traceback (most recent call last):\n")
    elif fault == "no_text":
        sys.stdout.buffer.write(b"\xff\xfe\x00\n")
        sys.stdout.flush()
    elif fault == "another_form":
        write('{"id": %d, "result": {"sources": 7, "recordings": {"a": 1}, "protocol": "x"}}\n' % number)
    elif fault == "another_id":
        write('{"id": %d, "result": {}}\n' % (number + 1000))
    elif fault == "both":
        write('{"id": %d, "result": {}, "error": {"kind": "gone"}}\n' % number)
    elif fault == "line_without_end":
        while True:
            write('{"id": ' + " " * 65536)
    elif fault == "lines_without_end":
        while True:
            write('{"id": %d, "progress": {}}\n' % number)
    elif fault == "file_without_end":
        with open(request["params"]["into"], "wb") as file:
            while True:
                file.write(b"\0" * (1 << 20))
                time.sleep(0.001)
    elif fault == "link":
        os.remove(request["params"]["into"])
        os.symlink("/etc/passwd", request["params"]["into"])
        write('{"id": %d, "result": {}}\n' % number)
    elif fault == "no_file":
        os.remove(request["params"]["into"])
        write('{"id": %d, "result": {}}\n' % number)
    elif fault == "an_empty_file":
        write('{"id": %d, "result": {}}\n' % number)
    elif fault == "talks":
        while True:
            sys.stderr.write("password=correct horse\n" * 1000)
    elif fault == "silent":
        while True:
            time.sleep(60)
    else:
        sys.exit(f"no such fault: {fault}")


def due(method):
    try:
        with open(FAULTS, encoding="utf-8") as file:
            fault, which = file.read().split()
    except FileNotFoundError:
        return None
    return fault if which in ("*", method) else None


recorder = example.Recorder(FOLDER)
for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    fault = due(request["method"])
    if fault:
        misbehave(fault, request)
    else:
        write(json.dumps({"id": request["id"], **example.answer(recorder, request)}) + "\n")
