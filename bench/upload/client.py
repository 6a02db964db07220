"""A tus 1.0.0 client on a plain socket: no more work per byte than sendfile(2), so that what is measured is the server."""
import os
import socket
import struct
from urllib.parse import urljoin, urlsplit

PART = 'application/offset+octet-stream'


class Closed(Exception):
    """The server closed the connection before it answered."""


class Answer:
    def __init__(self, status, headers, body=b''):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, name):
        return self.headers.get(name.lower())

    def __repr__(self):
        return f'{self.status} {self.headers} {self.body[:300]!r}'


class Connection:
    def __init__(self, url, headers=()):
        parts = urlsplit(url)
        self.url, self.address, self.headers = url, (parts.hostname, parts.port or 80), list(headers)
        self.socket = socket.create_connection(self.address, timeout=120)
        self.socket.settimeout(None)  # sendfile wants a blocking socket, so the kernel keeps the time
        for limit in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            self.socket.setsockopt(socket.SOL_SOCKET, limit, struct.pack('ll', 60, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''

    def close(self):
        self.socket.close()

    def send_head(self, method, url, headers, version='1.0.0'):
        target = urlsplit(urljoin(self.url, url))
        lines = [f'{method} {target.path}{"?" + target.query if target.query else ""} HTTP/1.1',
                 f'Host: {self.address[0]}:{self.address[1]}', *self.headers]
        if version:
            lines.append(f'Tus-Resumable: {version}')
        lines += [f'{name}: {value}' for name, value in headers.items()]
        self.socket.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())

    def ask(self, method, url, headers=None, body=b'', version='1.0.0', chunked=False):
        """One request with a small body."""
        headers = dict(headers or {})
        if chunked:
            headers['Transfer-Encoding'] = 'chunked'
        elif body or method in ('POST', 'PATCH'):
            headers.setdefault('Content-Length', len(body))
        self.send_head(method, url, headers, version)
        try:
            if chunked:
                self.socket.sendall(b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body))
            elif body:
                self.socket.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was read; the answer may be there
        return self.answer(method)

    def send_part(self, url, offset, length, file, headers=None):
        """One PATCH whose bytes come from the same place of a file."""
        head = {'Upload-Offset': offset, 'Content-Type': PART, 'Content-Length': length, **(headers or {})}
        self.send_head('PATCH', url, head)
        left = length
        while left:
            sent = os.sendfile(self.socket.fileno(), file.fileno(), offset + length - left, min(left, 4 << 20))
            left -= sent
        return self.answer('PATCH')

    def fill(self):
        try:
            more = self.socket.recv(1 << 16)
        except ConnectionResetError:
            more = b''
        if not more:
            raise Closed(repr(self.buffer[:200]))
        self.buffer += more

    def take(self, length):
        while len(self.buffer) < length:
            self.fill()
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        return taken

    def line(self):
        while b'\r\n' not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b'\r\n', 1)
        return line.decode('latin1')

    def answer(self, method):
        status = 100
        while status == 100:
            status = int(self.line().split()[1])
            headers = {}
            while line := self.line():
                name, _, value = line.partition(':')
                headers[name.strip().lower()] = value.strip()
        body = b''
        if method != 'HEAD' and status not in (204, 304):
            if headers.get('transfer-encoding', '').lower() == 'chunked':
                while size := int(self.line().split(';')[0], 16):
                    body += self.take(size)
                    self.take(2)
                self.line()
            else:
                body = self.take(int(headers.get('content-length', 0)))
        return Answer(status, headers, body)
