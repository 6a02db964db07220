#!/usr/bin/env python3
"""Start to /readyz, on a full data directory and on an empty one, taking turns.

  bench.py PATH/TO/sightline WORKDIR [--rounds 7] [--things 100000]

Both were filled through the front door: every camera and request has its events, and those their leaves in the ledger.
"""
import argparse
import json
import os
import shutil
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from person import Person  # noqa: E402
from server import Server, resident_mib, token  # noqa: E402

MUST_SECONDS = 1.0
IDLE_SECONDS = 10
SENDERS = 8


def make(sightline, data, things, log):
    """A data directory with so many cameras and requests, each made by somebody who may."""
    done = os.path.join(data, 'filled')
    if os.path.exists(done):
        return
    shutil.rmtree(data, ignore_errors=True)
    tokens = {role: token(sightline, data, role) for role in ('operator', 'investigator', 'auditor')}
    server = Server(sightline, data, log)
    try:
        fill(server, tokens, things)
        settle(server, tokens)
    finally:
        server.end()
    open(done, 'w').close()


def fill(server, tokens, things):
    me = Person(server.url, tokens['operator'])
    host = me.get('/me')['installation']['host_organization_id']
    made, lock = [], threading.Lock()

    def everyone(role, work):
        def some(first):
            person = Person(server.url, tokens[role])
            for number in range(first, things, SENDERS):
                work(person, number)
                if first == 0 and number % (things // 10 or 1) < SENDERS:
                    print(f'  {work.__name__.replace("_", " ")}: {number} of {things}', flush=True)
        threads = [threading.Thread(target=some, args=(first,)) for first in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def make_camera(person, number):
        camera = person.post('/cameras', {
            'organization_id': host, 'name': f'Camera {number} at {number % 90 + 1}th & {number % 40 + 1}nd', 'published': True,
            'position': {'lat': 40.0 + number % 317 / 1000, 'lon': -90.0 + number // 317 / 1000}, 'bearing_deg': number % 360,
        })
        with lock:
            made.append(camera['id'])

    def make_request(person, number):
        person.post('/video-requests', {
            'name': f'Collision {number}', 'incident': {'from': '2026-11-22T21:00:00Z', 'to': '2026-11-22T21:02:00Z'},
            'items': [{'source_id': made[number % len(made)], 'from': '2026-11-22T21:00:00Z', 'to': '2026-11-22T21:02:00Z'}],
        })

    if things:
        everyone('operator', make_camera)
        everyone('investigator', make_request)


def settle(server, tokens):
    """Until every event has its leaf."""
    auditor = Person(server.url, tokens['auditor'])
    while auditor.get('/ledger/events', limit=1)['items'][0]['leaf_index'] is None:
        time.sleep(0.5)


def main():
    args = argparse.ArgumentParser()
    args.add_argument('sightline')
    args.add_argument('work')
    args.add_argument('--rounds', type=int, default=7)
    args.add_argument('--things', type=int, default=100_000)
    args = args.parse_args()
    sightline, work = os.path.abspath(args.sightline), os.path.abspath(args.work)
    log = open(os.path.join(work, 'server.log'), 'w')
    folders = {'full': os.path.join(work, f'data-{args.things}'), 'empty': os.path.join(work, 'data-0')}
    make(sightline, folders['full'], args.things, log)
    make(sightline, folders['empty'], 0, log)
    seconds, memory = {name: [] for name in folders}, {}
    for turn in range(args.rounds):
        for name, data in folders.items():
            server = Server(sightline, data, log)
            seconds[name].append(server.seconds)
            if turn == args.rounds - 1:
                time.sleep(IDLE_SECONDS)
                memory[name] = resident_mib(server.process)
            server.end()
    full, empty = (statistics.median(seconds[name]) for name in ('full', 'empty'))
    print(f'\nStart to /readyz, {args.things} cameras and as many requests, {args.rounds} rounds')
    print(f'  {full:6.3f} s  full: median; worst {max(seconds["full"]):.3f}; idle {memory["full"]:.0f} MiB after {IDLE_SECONDS} s')
    print(f'  {empty:6.3f} s  empty; idle {memory["empty"]:.0f} MiB')
    print(f'  {statistics.median(a / b for a, b in zip(seconds["full"], seconds["empty"])):6.1f}    full to empty')
    held = full < MUST_SECONDS
    print(f'  {"held    " if held else "NOT HELD"} under {MUST_SECONDS} s; load {os.getloadavg()[0]:.1f}')
    with open(os.path.join(work, 'results.json'), 'w') as file:
        json.dump(dict(seconds=seconds, memory_mib=memory), file, indent=1)
    sys.exit(0 if held else 1)


main()
