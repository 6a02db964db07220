#!/usr/bin/env python3
"""From approval to playable: two minutes of footage of the demo's cameras, with the parts of that time.

  bench.py PATH/TO/sightline WORKDIR [--rounds 9]

The parts are told by the ledger's own times. The floor, taken after each round on the same window, is what nobody can do without:
one ffmpeg that copies the window out of the recorder's segments into an MP4 that plays at once, and its SHA-256.
"""
import argparse
import datetime
import glob
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from person import Person  # noqa: E402

MUST_SECONDS = 3.0
WINDOW = datetime.timedelta(minutes=2)
# Each part ends with the event of this kind.
PARTS = [
    ('the connector has the task', 'request_item.export'),
    ('it exports, hashes and begins to send', 'request_item.upload'),
    ('the last byte is on the disk, hashed', 'evidence.receive'),
    ('probed, made playable, released', 'evidence.process'),
]


def moment(text):
    return datetime.datetime.fromisoformat(text)


def said(at):
    return at.strftime('%Y-%m-%dT%H:%M:%SZ')


def start_demo(sightline, work):
    data = os.path.join(work, 'data')
    subprocess.run(['rm', '-rf', data], check=True)
    log = open(os.path.join(work, 'demo.log'), 'w')
    demo = subprocess.Popen([sightline, 'demo', '--data', data, '--listen', '127.0.0.1:18474', '--json'], stdout=subprocess.PIPE, stderr=log, text=True)
    line = next((line for line in demo.stdout if line.startswith('{')), None)
    if line is None:
        sys.exit(f'the demo ended; see {log.name}')
    return demo, json.loads(line), data


def one_round(people, camera, start, end):
    investigator, approver, auditor = people
    asked = investigator.post('/video-requests', {
        'name': 'Bench', 'incident': {'from': said(start), 'to': said(end)},
        'items': [{'source_id': camera['id'], 'from': said(start), 'to': said(end)}],
    })
    before = time.perf_counter()
    approver.post(f'/video-requests/{asked["id"]}/approve')
    while True:
        item = investigator.get(f'/video-requests/{asked["id"]}')['items'][0]
        if item['state'] in ('failed', 'unavailable', 'denied', 'expired'):
            sys.exit(f'the item ended as {item["state"]}: {item["reason"]}')
        if any(file['playable'] == 'ready' for file in item['evidence']):
            break
        time.sleep(0.02)
    seen = time.perf_counter() - before
    file = item['evidence'][0]
    events = [e for thing in (item['id'], file['id']) for e in auditor.get('/ledger/events', object=thing, limit=100)['items']]
    at = {event['kind']: moment(event['at']) for event in events}
    parts, last = [], at['request_item.approve']
    for _, kind in PARTS:
        parts.append((at[kind] - last).total_seconds())
        last = at[kind]
    return dict(seen=seen, parts=parts, whole=(last - at['request_item.approve']).total_seconds(), bytes=file['size_bytes'])


def floor(data, camera, start, end, work):
    """One ffmpeg over the same segments, and the hash."""
    folder = next((f for f in glob.glob(f'{data}/demo/**/{camera["device_id"]}', recursive=True) if os.path.isdir(f)), None)
    if folder is None:
        sys.exit(f'no footage of {camera["device_id"]} under {data}')
    named = sorted((datetime.datetime.strptime(name[:16], '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc), name)
                   for name in os.listdir(folder) if re.match(r'\d{8}T\d{6}Z\.mp4$', name))
    used = [name for at, name in named if at < end and at + datetime.timedelta(seconds=30) > start]
    listed, out = os.path.join(work, 'floor.txt'), os.path.join(work, 'floor.mp4')
    with open(listed, 'w') as file:
        file.writelines(f"file '{os.path.join(folder, name)}'\n" for name in used)
    before = time.perf_counter()
    subprocess.run(['ffmpeg', '-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', listed, '-c', 'copy', '-movflags', '+faststart', out], check=True)
    with open(out, 'rb') as file:
        hashlib.file_digest(file, 'sha256')
    return time.perf_counter() - before


def main():
    args = argparse.ArgumentParser()
    args.add_argument('sightline')
    args.add_argument('work')
    args.add_argument('--rounds', type=int, default=9)
    args = args.parse_args()
    demo, city, data = start_demo(os.path.abspath(args.sightline), os.path.abspath(args.work))
    try:
        rounds, floors = measure(args, city, data)
    finally:
        demo.terminate()
        demo.wait()
    sys.exit(0 if show(rounds, floors, args.work) else 1)


def measure(args, city, data):
    accounts = {account['role']: account for account in reversed(city['accounts'])}  # the first approver decides for all
    people = [Person(city['url']).sign_in(accounts[role]['email'], accounts[role]['password']) for role in ('investigator', 'approver', 'auditor')]
    sources = [s for s in people[0].get('/sources', limit=500)['items'] if s['connector'] and s['connector']['online']]
    cameras = [people[0].get(f'/cameras/{source["id"]}') for source in sources]
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    rounds, floors = [], []
    for turn in range(args.rounds):
        camera, end = cameras[turn % len(cameras)], now - datetime.timedelta(seconds=300 + 100 * (turn % 10))
        rounds.append(one_round(people, camera, end - WINDOW, end))
        floors.append(floor(data, camera, end - WINDOW, end, os.path.abspath(args.work)))
    return rounds, floors


def show(rounds, floors, work):
    median = statistics.median
    whole, base = median(r['seen'] for r in rounds), median(floors)
    print(f'\nFrom approval to playable: {WINDOW.seconds} s of footage, {median(r["bytes"] for r in rounds) / 1e6:.1f} MB, {len(rounds)} rounds')
    for index, (says, _) in enumerate(PARTS):
        print(f'  {median(r["parts"][index] for r in rounds):7.3f} s  {says}')
    print(f'  {whole:7.3f} s  the whole, as the investigator sees it: median; worst {max(r["seen"] for r in rounds):.3f}')
    print(f'  {base:7.3f} s  the floor; the ratio is {median(r["seen"] / f for r, f in zip(rounds, floors)):.1f}')
    held = whole <= MUST_SECONDS
    print(f'  {"held    " if held else "NOT HELD"} {MUST_SECONDS} s at the median; load {os.getloadavg()[0]:.1f}')
    with open(os.path.join(work, 'results.json'), 'w') as file:
        json.dump(dict(rounds=rounds, floors=floors), file, indent=1)
    return held


main()
