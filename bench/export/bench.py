#!/usr/bin/env python3
"""One large window from a folder of recordings: from the connector's lease until the server has all of it on its disk.

  bench.py FOLDER/OF/PROGRAMS WORKDIR [--rounds 3] [--gib 4] [--state FOLDER]

Beside it, in each round, what nobody can do without, each alone with the same bytes: reading them from the disk, hashing, sending them
over the loopback, writing and syncing them. What was read or written is put out of the page cache before each turn. The connector keeps
its export in --state, which is on the server's disk unless it says otherwise: then that disk writes everything twice.
"""
import argparse
import datetime
import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import server as beside  # noqa: E402
from person import Person  # noqa: E402

MUST_RATIO, MUST_MIB = 0.8, 90.0
MIB = 1 << 20
SEGMENT = datetime.timedelta(seconds=60)
MBIT = 16
NAME = '%Y%m%dT%H%M%SZ.mp4'


def record(folder, size):
    """Segments of a minute until there are so many bytes: one that ffmpeg makes, and copies of it. Answers their paths and the window."""
    os.makedirs(folder, exist_ok=True)
    first = os.path.join(os.path.dirname(folder), 'segment.mp4')
    if not os.path.exists(first):
        picture = f'testsrc2=s=1280x720:r=25:d={SEGMENT.seconds},noise=alls=60:allf=t'
        rate = ['-b:v', f'{MBIT}M', '-minrate', f'{MBIT}M', '-maxrate', f'{MBIT}M', '-bufsize', f'{MBIT}M']
        subprocess.run(['ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', picture, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', *rate,
                        '-pix_fmt', 'yuv420p', '-f', 'mp4', '-y', first + '.new'], check=True)
        os.rename(first + '.new', first)
    count = max(1, round(size / os.path.getsize(first)))
    begin = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - (count + 5) * SEGMENT
    paths = [os.path.join(folder, (begin + index * SEGMENT).strftime(NAME)) for index in range(count)]
    for path in paths:
        shutil.copyfile(first, path)
    os.sync()
    return paths, begin, begin + count * SEGMENT


def forget(*paths):
    """Puts files out of the page cache."""
    os.sync()
    for path in paths:
        with open(path, 'rb') as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def pieces(paths):
    space = memoryview(bytearray(MIB))
    for path in paths:
        with open(path, 'rb', buffering=0) as file:
            while count := file.readinto(space):
                yield space[:count]


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Alone:
    """The parts, each alone; hashing, sending and writing take one segment from the cache as often as there are segments."""

    def __init__(self, paths, work):
        self.paths, self.work = paths, work
        with open(paths[0], 'rb') as file:
            self.segment = memoryview(file.read())

    def reading(self):
        forget(*self.paths)
        return timed(lambda: [None for _ in pieces(self.paths)])

    def hashing(self):
        def work():
            digest = hashlib.sha256()
            for _ in self.paths:
                digest.update(self.segment)
        return timed(work)

    def sending(self):
        listener = socket.create_server(('127.0.0.1', 0))
        sender = socket.create_connection(listener.getsockname())
        receiver, _ = listener.accept()

        def receive():
            space = bytearray(MIB)
            while receiver.recv_into(space):
                pass

        def work():
            thread = threading.Thread(target=receive)
            thread.start()
            for _ in self.paths:
                sender.sendall(self.segment)
            sender.close()
            thread.join()
        return timed(work)

    def writing(self):
        path = os.path.join(self.work, 'written.bin')

        def work():
            with open(path, 'wb', buffering=0) as file:
                for _ in self.paths:
                    for at in range(0, len(self.segment), MIB):
                        file.write(self.segment[at:at + MIB])
                os.fdatasync(file.fileno())
        os.sync()
        taken = timed(work)
        os.unlink(path)
        return taken

    def measure(self):
        return {each.__name__: each() for each in (self.reading, self.hashing, self.sending, self.writing)}


class Round:
    """A server with nothing in it, the people of a request, and a connector that has published its camera."""

    def __init__(self, programs, work, state, recordings):
        self.data, self.state, self.log = os.path.join(work, 'data'), state, open(os.path.join(work, 'log'), 'w')
        for folder in (self.data, self.state):
            shutil.rmtree(folder, ignore_errors=True)
        sightline = os.path.join(programs, 'sightline')
        tokens = {role: beside.token(sightline, self.data, role) for role in ('administrator', 'investigator', 'approver', 'auditor')}
        self.server = beside.Server(sightline, self.data, self.log)
        self.people = {role: Person(self.server.url, token) for role, token in tokens.items()}
        host = self.people['administrator'].get('/me')['installation']['host_organization_id']
        made = self.people['administrator'].post('/connectors', {'name': 'bench', 'organization_id': host})
        connection, config = os.path.join(work, 'connection.toml'), os.path.join(work, 'connector.toml')
        with open(connection, 'w') as file:
            file.write(made['connection_file'])
        with open(config, 'w') as file:
            file.write(f'[adapter]\nkind = "folder"\npath = {json.dumps(os.path.dirname(recordings))}\npattern = "{{camera}}/{NAME}"\n'
                       'name_precision_ms = 0\nretention_hours = 48\n')
        self.connector = subprocess.Popen([os.path.join(programs, 'sightline-connector'), 'run', '--connection', connection, '--config', config,
                                           '--state', state], stdout=self.log, stderr=self.log)
        self.camera = self.until(lambda: self.people['investigator'].get('/sources', limit=10)['items'])[0]

    def until(self, what, seconds=1800):
        end = time.monotonic() + seconds
        while not (seen := what()):
            if time.monotonic() > end or self.connector.poll() is not None:
                sys.exit(f'it did not come about; see {self.log.name}')
            time.sleep(0.05)
        return seen

    def export(self, start, end):
        """Seconds from the lease to the beginning of the upload and to what is stored, and both programs' peaks in MiB."""
        said = {'from': start.strftime('%Y-%m-%dT%H:%M:%SZ'), 'to': end.strftime('%Y-%m-%dT%H:%M:%SZ')}
        asked = self.people['investigator'].post('/video-requests', {
            'name': 'Bench', 'incident': said, 'items': [{'source_id': self.camera['id'], **said}]})
        for process in (self.connector, self.server.process):
            beside.forget_peak(process)
        self.people['approver'].post(f'/video-requests/{asked["id"]}/approve')

        def stored():
            item = self.people['investigator'].get(f'/video-requests/{asked["id"]}')['items'][0]
            if item['state'] in ('failed', 'unavailable'):
                sys.exit(f'the item ended as {item["state"]}: {item["reason"]}')
            return item if item['evidence'] else None
        item = self.until(stored)
        peaks = [beside.peak_mib(process) for process in (self.connector, self.server.process)]
        file = item['evidence'][0]
        events = [event for thing in (item['id'], file['id'])
                  for event in self.people['auditor'].get('/ledger/events', object=thing, limit=100)['items']]
        at = {event['kind']: datetime.datetime.fromisoformat(event['at']) for event in events}
        begun = at['request_item.export']
        return dict(before_upload=(at['request_item.upload'] - begun).total_seconds(), whole=(at['evidence.receive'] - begun).total_seconds(),
                    bytes=file['size_bytes'], connector_mib=peaks[0], server_mib=peaks[1])

    def end(self):
        self.connector.terminate()
        self.connector.wait()
        self.server.end()
        for folder in (self.data, self.state):
            shutil.rmtree(folder)


def main():
    args = argparse.ArgumentParser()
    args.add_argument('programs')
    args.add_argument('work')
    args.add_argument('--rounds', type=int, default=3)
    args.add_argument('--gib', type=float, default=4)
    args.add_argument('--state')
    args = args.parse_args()
    programs, work = os.path.abspath(args.programs), os.path.abspath(args.work)
    state = os.path.join(args.state or work, 'sightline-bench-state')
    recordings = os.path.join(work, 'recordings', 'yard')
    shutil.rmtree(recordings, ignore_errors=True)
    paths, start, end = record(recordings, args.gib * (1 << 30))
    alone, rounds = Alone(paths, work), []
    try:
        for _ in range(args.rounds):
            parts, one = alone.measure(), Round(programs, work, state, recordings)
            try:
                forget(*paths)
                rounds.append(dict(alone=parts, **one.export(start, end)))
            finally:
                one.end()
    finally:
        shutil.rmtree(recordings)
    sys.exit(0 if show(rounds, end - start, work) else 1)


def show(rounds, window, work):
    def median(of):
        return statistics.median(of(one) for one in rounds)
    print(f'\n{window} of footage, {rounds[0]["bytes"] / (1 << 30):.2f} GiB, {len(rounds)} rounds; load {os.getloadavg()[0]:.1f}')
    print(f'  {median(lambda r: r["whole"]):7.2f} s    from the lease until it is stored')
    print(f'  {median(lambda r: r["before_upload"]):7.2f} s    of that before the upload begins')
    for part in rounds[0]['alone']:
        print(f'  {median(lambda r: r["alone"][part]):7.2f} s    {part} alone')
    ratio = median(lambda r: max(r['alone'].values()) / r['whole'])
    connector, server = median(lambda r: r['connector_mib']), median(lambda r: r['server_mib'])
    print(f'  {ratio:7.2f}      the slowest alone to the whole')
    print(f'  {connector:7.1f} MiB  the connector\'s peak; the server\'s {server:.1f} MiB')
    held = {f'{MUST_RATIO} of the slowest alone': ratio >= MUST_RATIO, f'peaks under {MUST_MIB:.0f} MiB': max(connector, server) < MUST_MIB}
    for what, holds in held.items():
        print(f'  {"held    " if holds else "NOT HELD"} {what}')
    with open(os.path.join(work, 'results.json'), 'w') as file:
        json.dump(rounds, file, indent=1)
    return all(held.values())


main()
