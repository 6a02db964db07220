#!/usr/bin/env python3
"""How fast bytes can come from a loopback connection to the disk at all: one thread per connection that receives, hashes and
writes a mebibyte at a time, with just enough tus for the benchmark's client. A yardstick, not a server.

  floor.py PORT FOLDER [durable]      hashes with SHA-256; `durable` syncs before each answer, otherwise once at the end
"""
import hashlib
import os
import socket
import sys
import threading

port, folder, durable = int(sys.argv[1]), sys.argv[2], 'durable' in sys.argv[3:]
uploads, lock = {}, threading.Lock()


def answer(connection, status, **headers):
    lines = [f'HTTP/1.1 {status}', 'Tus-Resumable: 1.0.0', *(f'{k.replace("_", "-")}: {v}' for k, v in headers.items())]
    if status != '204 No Content':
        lines.append('Content-Length: 0')
    connection.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    space = memoryview(bytearray(1 << 20))
    pending = b''
    while True:
        while b'\r\n\r\n' not in pending:
            more = connection.recv(1 << 16)
            if not more:
                return
            pending += more
        head, pending = pending.split(b'\r\n\r\n', 1)
        first, *rest = head.decode('latin1').split('\r\n')
        method, path, _ = first.split()
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(':') for line in rest)}
        if method == 'POST':
            with lock:
                name = str(len(uploads))
                file = os.open(os.path.join(folder, name), os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
                uploads[name] = [file, 0, int(headers['upload-length']), hashlib.sha256()]
            answer(connection, '201 Created', Location=f'/files/{name}')
            continue
        upload = uploads[path.rsplit('/', 1)[1]]
        if method == 'PATCH':
            left = int(headers['content-length'])
            while left:
                if pending:
                    piece, pending = memoryview(pending[:left]), pending[left:]
                else:
                    piece = space[:connection.recv_into(space, min(left, len(space)))]
                    if not piece:
                        return
                upload[3].update(piece)
                os.write(upload[0], piece)
                upload[1] += len(piece)
                left -= len(piece)
            if durable or upload[1] == upload[2]:
                os.fdatasync(upload[0])
            if upload[1] == upload[2]:
                os.close(upload[0])
            answer(connection, '204 No Content', Upload_Offset=upload[1])
        else:
            answer(connection, '200 OK', Upload_Offset=upload[1], Upload_Length=upload[2])


listener = socket.create_server(('127.0.0.1', port), backlog=64)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
