#!/usr/bin/env python3
"""Uploads: ours beside the Node tus server, rustus and the floor, taking turns in one run.

  bench.py PARTIES.json [--rounds 5] [--size 1024] [--rows parts,durable,four,memory] [--out results.json]

PARTIES.json, written by ./run: {row: [{name, url, pid, folder, headers, metadata}, …]}; the first of a row is ours, and `peer`
names the one that its ratios are taken to. Speed is taken over the wall clock of whole uploads, creation to last answer; CPU and
memory are the server's, from /proc. The medians of per-round ratios count: this machine's speed drifts, both sides drift together.
"""
import argparse
import json
import os
import platform
import random
import statistics
import sys
import threading
import time

from client import Connection
from conformance import MUSTS, Server, judge

MIB = 1 << 20
TICKS = os.sysconf('SC_CLK_TCK')

# Per row: MiB per PATCH (0: all in one), uploads at once, and what ours must reach beside its peer.
ROWS = {
    'parts': dict(says='16 MiB parts, SHA-256 of every byte, synced at the end', part=16, at_once=1, must=dict(speed=1.0, cpu=0.9)),
    'durable': dict(says='the same, durable before each answer', part=16, at_once=1, must=dict(speed=0.95)),
    'memory': dict(says='all in one PATCH', part=0, at_once=1, must=dict(peak_mib=90)),
    'four': dict(says='four at once', part=16, at_once=4, must=dict(speed=1.3)),
}


def source(folder, mib):
    """A file of random bytes, the same each time, in the page cache."""
    path = os.path.join(folder, f'source-{mib}.bin')
    if not os.path.exists(path) or os.path.getsize(path) != mib * MIB:
        rng = random.Random(1)
        with open(path, 'wb') as file:
            for _ in range(mib):
                file.write(rng.randbytes(MIB))
            os.fsync(file.fileno())
    with open(path, 'rb', buffering=0) as file:
        while file.read(MIB):
            pass
    return path


def cpu_seconds(pid):
    fields = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def status_mib(pid, field):
    return next(int(line.split()[1]) for line in open(f'/proc/{pid}/status') if line.startswith(field)) / 1024


def upload(party, path, part, sent):
    size = os.path.getsize(path)
    part = part or size
    connection = Connection(party['url'], party['headers'])
    answer = connection.ask('POST', party['url'], {'Upload-Length': size, 'Upload-Metadata': party['metadata']})
    if answer.status != 201:
        raise SystemExit(f'{party["name"]}: creation gave {answer}')
    url = answer['location']
    with open(path, 'rb', buffering=0) as file:
        for offset in range(0, size, part):
            length = min(part, size - offset)
            answer = connection.send_part(url, offset, length, file)
            if answer.status != 204 or answer['upload-offset'] != str(offset + length):
                raise SystemExit(f'{party["name"]}: a part at {offset} gave {answer}')
    connection.close()
    sent.append(url)


def measure(party, path, row):
    """One turn: the uploads of the row, all at once."""
    os.sync()
    try:
        with open(f'/proc/{party["pid"]}/clear_refs', 'w') as file:
            file.write('5')
    except OSError:
        pass
    idle, before, start, sent = status_mib(party['pid'], 'VmRSS'), cpu_seconds(party['pid']), time.perf_counter(), []
    threads = [threading.Thread(target=upload, args=(party, path, row['part'] * MIB, sent)) for _ in range(row['at_once'])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, spent = time.perf_counter() - start, cpu_seconds(party['pid']) - before
    if len(sent) != row['at_once']:
        sys.exit(f'{party["name"]}: an upload failed')
    peak = status_mib(party['pid'], 'VmHWM')
    clean(party)
    megabytes = os.path.getsize(path) * row['at_once'] / 1e6
    return dict(speed=megabytes / wall, cpu=spent / megabytes * 1000, peak_mib=peak, over_idle_mib=peak - idle)


def clean(party):
    """Frees the disk and the page cache that the upload filled; the files only, the party goes on."""
    for folder in party['clean']:
        for at, _, names in os.walk(folder):
            for name in names:
                try:
                    os.unlink(os.path.join(at, name))
                except FileNotFoundError:
                    pass


def disk_speed(folder, mib):
    """MB/s of the disk alone, written in order and synced: nothing that syncs is faster, and a server that never does may be."""
    path, piece = os.path.join(folder, 'disk.bin'), bytes(MIB)
    start = time.perf_counter()
    with open(path, 'wb', buffering=0) as file:
        for _ in range(mib):
            file.write(piece)
        os.fdatasync(file.fileno())
    wall = time.perf_counter() - start
    os.unlink(path)
    return mib * MIB / 1e6 / wall


def compare(row, parties, peer, turns):
    """The row's lines: medians, and medians of the per-round ratios to the peer."""
    lines = []
    for party in parties:
        mine = turns[party['name']]
        line = dict(party=party['name'], **{key: round(statistics.median(t[key] for t in mine), 2) for key in mine[0]})
        line['speed_all'] = [round(t['speed']) for t in mine]
        if peer in turns:
            line['speed_ratio'] = round(statistics.median(a['speed'] / b['speed'] for a, b in zip(mine, turns[peer])), 2)
            line['cpu_ratio'] = round(statistics.median(a['cpu'] / max(b['cpu'], 1e-9) for a, b in zip(mine, turns[peer])), 2)
        lines.append(line)
    ours, must = lines[0], row['must']
    held = {}
    if 'speed' in must and 'speed_ratio' in ours:
        held[f'speed at least {must["speed"]} of {peer}'] = ours['speed_ratio'] >= must['speed']
    if 'cpu' in must and 'cpu_ratio' in ours:
        held[f'CPU at most {must["cpu"]} of {peer}'] = ours['cpu_ratio'] <= must['cpu']
    if 'peak_mib' in must:
        held[f'peak at most {must["peak_mib"]} MiB'] = ours['peak_mib'] <= must['peak_mib']
    return lines, held


def show(row, lines, held):
    print(f'\n{row["says"]}')
    print(f'  {"":14}{"MB/s":>7}{"ratio":>7}{"CPU s/GB":>10}{"ratio":>7}{"peak MiB":>10}{"over idle":>10}')
    for line in lines:
        print(f'  {line["party"]:14}{line["speed"]:7.0f}{line.get("speed_ratio", ""):>7}{line["cpu"]:10.2f}{line.get("cpu_ratio", ""):>7}'
              f'{line["peak_mib"]:10.1f}{line["over_idle_mib"]:10.1f}   {line["speed_all"]}')
    for what, yes in held.items():
        print(f'  {"held    " if yes else "NOT HELD"} {what}')
    sys.stdout.flush()


def conformance(parties):
    """The protocol's MUSTs for every party."""
    table = {}
    for party in parties:
        table[party['name']] = judge(Server(party['url'], party['headers'], party['metadata']))
        clean(party)
    names = list(table)
    print('\nWhat tus 1.0.0 says' + ''.join(f' | {name}' for name in names))
    for index, (says, _) in enumerate(MUSTS):
        print('  ' + says + ''.join(' | ' + table[name][index][1].split(':')[0] for name in names))
    for name in names:
        for says, verdict in table[name]:
            if verdict.startswith('no:'):
                print(f'  {name}: {says}: {verdict[4:200]}')
    return table


def main():
    args = argparse.ArgumentParser()
    args.add_argument('parties')
    args.add_argument('--rounds', type=int, default=5)
    args.add_argument('--size', type=int, default=1024)
    args.add_argument('--rows', default=','.join(ROWS))
    args.add_argument('--out')
    args.add_argument('--no-conformance', action='store_true')
    args = args.parse_args()
    told = json.load(open(args.parties))
    path = source(os.path.dirname(os.path.abspath(args.parties)), args.size)
    out = dict(machine=platform.platform(), cores=os.cpu_count(), mib=args.size, rounds=args.rounds, rows={})
    if not args.no_conformance:
        out['conformance'] = conformance(told['conformance'])
    good = all(not verdict.startswith('no:') for _, verdict in out.get('conformance', {}).get('ours', []))
    for name in args.rows.split(','):
        row, parties, peer = ROWS[name], told['rows'][name]['parties'], told['rows'][name]['peer']
        turns, disk = {party['name']: [] for party in parties}, []
        for turn in range(args.rounds):
            disk.append(disk_speed(os.path.dirname(path), args.size))
            for party in parties if turn % 2 == 0 else parties[::-1]:
                turns[party['name']].append(measure(party, path, row))
        lines, held = compare(row, parties, peer, turns)
        show(row, lines, held)
        print(f'  the disk alone: {statistics.median(disk):.0f} MB/s   {[round(speed) for speed in disk]}')
        out['rows'][name] = dict(says=row['says'], peer=peer, lines=lines, held=held, disk=disk, load=os.getloadavg()[0])
        good = good and all(held.values())
    if args.out:
        with open(args.out, 'w') as file:
            json.dump(out, file, indent=1)
    sys.exit(0 if good else 1)


main()
