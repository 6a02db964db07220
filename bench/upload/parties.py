#!/usr/bin/env python3
"""Starts everybody who takes part, and then bench.py.

  parties.py PATH/TO/sightline WORKDIR [bench.py's options]
"""
import atexit
import base64
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SIGHTLINE, WORK = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
RUSTUS = os.environ.get('RUSTUS') or shutil.which('rustus')
processes = []


@atexit.register
def end():
    for process in processes:
        process.terminate()


def folder(name):
    path = os.path.join(WORK, 'data', name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def port():
    with socket.create_server(('127.0.0.1', 0)) as free:
        return free.getsockname()[1]


def start(name, *command, **environment):
    log = open(os.path.join(WORK, f'{name}.log'), 'w')
    process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment})
    processes.append(process)
    return process


def wait_for(at):
    for _ in range(200):
        try:
            return socket.create_connection(('127.0.0.1', at), timeout=1).close()
        except OSError:
            time.sleep(0.1)
    sys.exit(f'nobody listens on port {at}')


def metadata(**values):
    return ','.join(f'{key} {base64.b64encode(value.encode()).decode()}' for key, value in values.items())


def plain(name, at, process, stored, path='/files'):
    wait_for(at)
    return dict(name=name, url=f'http://127.0.0.1:{at}{path}', pid=process.pid, clean=[stored], headers=[], metadata=metadata(filename='bench.bin'))


def ours(name, **settings):
    """Sightline with an account, a token and a case."""
    data, at = folder(name), port()

    def told(*command, asked=''):
        return subprocess.run([SIGHTLINE, *command, '--data', data], input=asked, check=True, capture_output=True, text=True).stdout.strip()

    told('account', 'add', 'bench@example.org', '--role', 'investigator', '--password-stdin', asked='correct horse battery staple')
    token = told('token', 'create', '--account', 'bench@example.org')
    # Before the server runs: nothing else has the database open.
    case = 'cas_01h455vb4pex5vsknk084sn02q'
    with sqlite3.connect(os.path.join(data, 'sightline.db')) as db:
        (account,) = db.execute("SELECT id FROM accounts WHERE email = 'bench@example.org'").fetchone()
        db.execute('INSERT INTO cases (id, number, name, created_by, search_text, created_at, version) VALUES (?, ?, ?, ?, ?, 0, 1)', (case, 'C-1', 'Bench', account, ''))
        db.execute('INSERT INTO case_access (case_id, principal_id, level) VALUES (?, ?, 4)', (case, account))
    db.close()
    process = start(name, SIGHTLINE, 'serve', '--listen', f'127.0.0.1:{at}', '--data', data, **settings)
    wait_for(at)
    urllib.request.urlopen(f'http://127.0.0.1:{at}/readyz').read()
    stored = [os.path.join(data, 'blobs', 'evidence'), os.path.join(data, 'uploads')]
    return dict(name='ours', url=f'http://127.0.0.1:{at}/api/v1/uploads', pid=process.pid, clean=stored,
                headers=[f'Authorization: Bearer {token}'], metadata=metadata(filename='bench.bin', case_id=case))


def node():
    at, stored = port(), folder('node')
    return plain('Node tus', at, start('node', 'node', os.path.join(HERE, 'peer.mjs'), str(at), stored, os.path.join(WORK, 'peers')), stored)


def rustus(name, *more):
    at, stored = port(), folder(name)
    process = start(name, RUSTUS, '--host', '127.0.0.1', '--port', str(at), '--url', '/files', '--data-dir', stored, '--info-dir', stored,
                    '--max-body-size', str(2 << 30), *more)
    return plain('rustus', at, process, stored)


def floor(name, *more):
    at, stored = port(), folder(name)
    return plain('floor', at, start(name, sys.executable, os.path.join(HERE, 'floor.py'), str(at), stored, *more), stored)


def main():
    mine, peer, ground = ours('ours'), node(), floor('floor')
    synced = ours('ours-durable', SIGHTLINE_EVIDENCE__DURABLE_PARTS='true')
    others, durable, reference = [], [floor('floor-durable', 'durable')], 'floor'
    if RUSTUS:
        others = [rustus('rustus')]
        durable.insert(0, rustus('rustus-fsync', '--force-fsync', 'yes'))
        reference = 'rustus'
    everybody = [mine, peer, *others, ground]
    told = dict(
        conformance=[mine, peer, *others],
        rows=dict(
            parts=dict(peer='Node tus', parties=everybody),
            durable=dict(peer=reference, parties=[synced, *durable]),
            four=dict(peer='Node tus', parties=everybody),
            memory=dict(peer=reference, parties=everybody),
        ),
    )
    path = os.path.join(WORK, 'parties.json')
    with open(path, 'w') as file:
        json.dump(told, file, indent=1)
    sys.exit(subprocess.run([sys.executable, os.path.join(HERE, 'bench.py'), path, '--out', os.path.join(WORK, 'results.json'), *sys.argv[3:]]).returncode)


main()
