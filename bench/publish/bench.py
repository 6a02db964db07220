#!/usr/bin/env python3
"""How long a connector takes to bring thousands of cameras into the registry, and then a change of one.

  bench.py FOLDER/OF/PROGRAMS WORKDIR [--rounds 5] [--cameras 5000]

The floor is one bare request with the same cameras, for a connector of its own on the same server: what the server alone takes.
The connector has the environment that its service gives it.
"""
import argparse
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.parse

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..'))
import server as beside  # noqa: E402
from person import Person  # noqa: E402

MUST_FIRST, MUST_CHANGE, MUST_MIB = 30.0, 2.0, 20.0
IDLE_SECONDS = 10
UNIT = os.path.join(here, '../../packaging/connector/usr/lib/systemd/system/sightline-connector@.service')


def until(what, seconds=120):
    """Asks until it is so; answers when that was."""
    end = time.perf_counter() + seconds
    while not what():
        if time.perf_counter() > end:
            sys.exit('it did not come about; see the logs')
        time.sleep(0.01)
    return time.perf_counter()


def environment():
    with open(UNIT) as lines:
        set_there = [line.strip().removeprefix('Environment=') for line in lines if line.startswith('Environment=')]
    return {**os.environ, **dict(one.split('=', 1) for one in set_there)}


class Round:
    """A server with nothing in it, and somebody who manages connectors."""

    def __init__(self, programs, work, cameras):
        self.programs, self.work, self.cameras = programs, work, cameras
        data = os.path.join(work, 'data')
        shutil.rmtree(data, ignore_errors=True)
        self.log = open(os.path.join(work, 'log'), 'w')
        sightline = os.path.join(programs, 'sightline')
        token = beside.token(sightline, data, 'administrator')
        self.server = beside.Server(sightline, data, self.log)
        self.person = Person(self.server.url, token)
        self.host = self.person.get('/me')['installation']['host_organization_id']
        self.names = os.path.join(work, 'names')

    def connector(self, name):
        made = self.person.post('/connectors', {'name': name, 'organization_id': self.host})
        return made['connector']['id'], made['connection_file']

    def has(self, connector):
        return self.person.get(f'/connectors/{connector}')['source_count'] == self.cameras

    def write_names(self, first):
        others = [f'Camera {number} at {number % 90 + 1}th & {number % 40 + 1}nd' for number in range(1, self.cameras)]
        with open(self.names + '.new', 'w') as file:
            file.write('\n'.join([first, *others]))
        os.rename(self.names + '.new', self.names)

    def floor(self):
        """One request with all cameras."""
        connector, file = self.connector('bare')
        key = re.search('^key = "(.*)"', file, re.M).group(1)
        program = subprocess.run([sys.executable, os.path.join(here, 'cameras.py'), self.names], text=True, check=True,
                                 input=json.dumps({'id': 1, 'method': 'discover', 'params': {}}), capture_output=True)
        sources = json.loads(program.stdout)['result']['sources']
        body = json.dumps({'sequence': 1, 'sources': sources, 'vanished': []})
        at = urllib.parse.urlsplit(self.server.url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=120)
        begun = time.perf_counter()
        connection.request('PUT', '/api/v1/connector/sources', body,
                           {'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'})
        answer = connection.getresponse()
        if answer.status != 200:
            sys.exit(f'the bare request: {answer.status} {answer.read().decode()[:500]}')
        return until(lambda: self.has(connector)) - begun

    def ours(self):
        connector, file = self.connector('ours')
        folder = os.path.join(self.work, 'connector')
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        connection, config = os.path.join(folder, 'connection.toml'), os.path.join(folder, 'connector.toml')
        with open(connection, 'w') as out:
            out.write(file)
        command = json.dumps(['/usr/bin/python3', os.path.join(here, 'cameras.py'), self.names])
        with open(config, 'w') as out:
            out.write(f'[adapter]\nkind = "command"\ncommand = {command}\n[connector]\ndiscover_seconds = 1\n')
        begun = time.perf_counter()
        process = subprocess.Popen([os.path.join(self.programs, 'sightline-connector'), 'run', '--connection', connection,
                                    '--config', config], stdout=self.log, stderr=self.log, env=environment())
        first = until(lambda: self.has(connector)) - begun
        time.sleep(IDLE_SECONDS)
        begun = time.perf_counter()
        self.write_names('Zenith Gate')
        change = until(lambda: self.person.get('/sources', q='Zenith Gate', limit=1)['items']) - begun
        time.sleep(IDLE_SECONDS)
        memory = beside.resident_mib(process)
        process.terminate()
        process.wait()
        return first, change, memory

    def end(self):
        self.server.end()


def main():
    args = argparse.ArgumentParser()
    args.add_argument('programs')
    args.add_argument('work')
    args.add_argument('--rounds', type=int, default=5)
    args.add_argument('--cameras', type=int, default=5_000)
    args = args.parse_args()
    rows = []
    for turn in range(args.rounds):
        one = Round(os.path.abspath(args.programs), os.path.abspath(args.work), args.cameras)
        one.write_names('Camera 0')
        # who comes first finds an emptier server: they take turns at that too
        order = [one.floor, one.ours] if turn % 2 else [one.ours, one.floor]
        seen = {each.__name__: (one.write_names('Camera 0'), each())[1] for each in order}
        rows.append((seen['floor'], *seen['ours']))
        one.end()
    floor, first, change, memory = (statistics.median(row[index] for row in rows) for index in range(4))
    worst = [max(row[index] for row in rows) for index in range(4)]
    print(f'\n{args.cameras} cameras, {args.rounds} rounds')
    print(f'  {first:6.2f} s    from the connector\'s start until all are in the registry; worst {worst[1]:.2f}')
    print(f'  {floor:6.2f} s    the floor: one bare request with the same cameras')
    print(f'  {statistics.median(row[1] / row[0] for row in rows):6.1f}      ours to the floor')
    print(f'  {change:6.2f} s    from the change of a name until it is found; asked for each second; worst {worst[2]:.2f}')
    print(f'  {memory:6.1f} MiB  the connector, idle; worst {worst[3]:.1f}')
    held = {f'first contact under {MUST_FIRST:.0f} s': first < MUST_FIRST, f'a change under {MUST_CHANGE:.0f} s': change < MUST_CHANGE,
            f'idle under {MUST_MIB:.0f} MiB': memory < MUST_MIB}
    for what, holds in held.items():
        print(f'  {"held    " if holds else "NOT HELD"} {what}')
    print(f'  load {os.getloadavg()[0]:.1f}')
    with open(os.path.join(args.work, 'results.json'), 'w') as file:
        json.dump(rows, file)
    sys.exit(0 if all(held.values()) else 1)


main()
