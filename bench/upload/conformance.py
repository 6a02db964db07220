"""What tus 1.0.0 says with MUST (and, marked so, with SHOULD), asked of any server.

Each check is a function that returns None where the server does as it should, and otherwise what it did. A check of an extension
that the server does not announce answers NotAnnounced.
"""
import base64
import hashlib
import time

from client import PART, Closed, Connection

MUSTS = []


class NotAnnounced(Exception):
    pass


def must(says):
    def keep(check):
        MUSTS.append((says, check))
        return check
    return keep


class Server:
    """One server under test: where uploads are created, and what each request carries."""

    def __init__(self, url, headers, metadata):
        self.url, self.headers, self.metadata = url, headers, metadata
        options = self.ask('OPTIONS', url, version=None)
        self.extensions = [e.strip() for e in (options['tus-extension'] or '').split(',')]

    def connect(self):
        return Connection(self.url, self.headers)

    def ask(self, method, url, headers=None, body=b'', **more):
        connection = self.connect()
        try:
            return connection.ask(method, url, headers, body, **more)
        finally:
            connection.close()

    def needs(self, extension):
        if extension not in self.extensions:
            raise NotAnnounced

    def create(self, length, **headers):
        extra = {name.replace('_', '-'): value for name, value in headers.items()}
        answer = self.ask('POST', self.url, {'Upload-Length': length, 'Upload-Metadata': self.metadata, **extra})
        assert answer.status == 201, f'creation gave {answer}'
        return answer['location']

    def patch(self, url, offset, body, headers=None, **more):
        return self.ask('PATCH', url, {'Upload-Offset': offset, 'Content-Type': PART, **(headers or {})}, body, **more)

    def offset(self, url):
        answer = self.ask('HEAD', url)
        return int(answer['upload-offset']) if answer['upload-offset'] is not None else None


def expect(condition, saw):
    return None if condition else saw


@must('OPTIONS answers 200 or 204 with Tus-Version')
def _(server):
    a = server.ask('OPTIONS', server.url, version=None)
    return expect(a.status in (200, 204) and '1.0.0' in (a['tus-version'] or ''), a)


@must('OPTIONS ignores Tus-Resumable')
def _(server):
    a = server.ask('OPTIONS', server.url, version='0.0.1')
    return expect(a.status in (200, 204), a)


@must('another version: 412 with Tus-Version, and nothing processed')
def _(server):
    url = server.create(5)
    a = server.patch(url, 0, b'hello', version='0.2.2')
    if a.status != 412 or not a['tus-version']:
        return a
    return expect(server.offset(url) == 0, 'the part was stored')


@must('no version in PATCH: not taken for 1.0.0')
def _(server):
    url = server.create(5)
    a = server.patch(url, 0, b'hello', version=None)
    return expect(a.status == 412 and server.offset(url) == 0, a)


@must('Tus-Resumable in every answer, refusals included')
def _(server):
    url = server.create(5)
    answers = [server.ask('HEAD', url), server.patch(url, 3, b'x'), server.patch(url, 0, b'hello'), server.ask('HEAD', url + 'x')]
    missing = [a.status for a in answers if a['tus-resumable'] != '1.0.0']
    return expect(not missing, f'missing in {missing}')


@must('creation: 201 with Location')
def _(server):
    server.needs('creation')
    a = server.ask('POST', server.url, {'Upload-Length': 5, 'Upload-Metadata': server.metadata})
    return expect(a.status == 201 and a['location'], a)


@must('creation: Upload-Length must be a non-negative integer')
def _(server):
    for bad in ('-1', 'five', '', '1.5'):
        a = server.ask('POST', server.url, {'Upload-Length': bad, 'Upload-Metadata': server.metadata})
        if not 400 <= a.status < 500:
            return f'{bad!r} gave {a}'


@must('creation: a length or a deferred length is needed')
def _(server):
    a = server.ask('POST', server.url, {'Upload-Metadata': server.metadata})
    return expect(400 <= a.status < 500, a)


@must('deferred length: HEAD says so; where it is not announced, 4xx')
def _(server):
    a = server.ask('POST', server.url, {'Upload-Defer-Length': 1, 'Upload-Metadata': server.metadata})
    if 'creation-defer-length' not in server.extensions:
        return expect(400 <= a.status < 500, a)
    head = server.ask('HEAD', a['location'])
    return expect(head['upload-defer-length'] == '1', head)


@must('larger than Tus-Max-Size: 413')
def _(server):
    most = server.ask('OPTIONS', server.url, version=None)['tus-max-size']
    if most is None:
        raise NotAnnounced
    a = server.ask('POST', server.url, {'Upload-Length': int(most) + 1, 'Upload-Metadata': server.metadata})
    return expect(a.status == 413, a)


@must('HEAD: Upload-Offset and Upload-Length, at the start and at the end')
def _(server):
    url = server.create(5)
    first = server.ask('HEAD', url)
    server.patch(url, 0, b'hello')
    last = server.ask('HEAD', url)
    seen = [(a.status, a['upload-offset'], a['upload-length']) for a in (first, last)]
    return expect([s[1:] for s in seen] == [('0', '5'), ('5', '5')] and all(s[0] in (200, 204) for s in seen), seen)


@must('HEAD: Cache-Control: no-store')
def _(server):
    a = server.ask('HEAD', server.create(5))
    return expect('no-store' in (a['cache-control'] or ''), a)


@must('HEAD: Upload-Metadata as it came')
def _(server):
    a = server.ask('HEAD', server.create(5))
    return expect(a['upload-metadata'] == server.metadata, a['upload-metadata'])


@must('HEAD of nothing: 404, 410 or 403, without Upload-Offset')
def _(server):
    url = server.create(5)
    a = server.ask('HEAD', url[:-4] + 'zzzz')
    return expect(a.status in (403, 404, 410) and a['upload-offset'] is None, a)


@must('PATCH: 204 with the new Upload-Offset')
def _(server):
    url = server.create(10)
    a, b = server.patch(url, 0, b'hello'), server.patch(url, 5, b'world')
    seen = [(a.status, a['upload-offset']), (b.status, b['upload-offset'])]
    return expect(seen == [(204, '5'), (204, '10')], seen)


@must('PATCH: another Content-Type is 415, nothing changed (SHOULD)')
def _(server):
    url = server.create(5)
    a = server.patch(url, 0, b'hello', {'Content-Type': 'application/octet-stream'})
    return expect(a.status == 415 and server.offset(url) == 0, f'{a.status}, offset {server.offset(url)}')


@must('PATCH: another offset is 409, nothing changed')
def _(server):
    url = server.create(10)
    server.patch(url, 0, b'hello')
    for wrong in (0, 4, 6, 10):
        a = server.patch(url, wrong, b'x')
        if a.status != 409 or server.offset(url) != 5:
            return f'offset {wrong}: {a.status}, then {server.offset(url)}'


@must('PATCH: Upload-Offset must be a non-negative integer')
def _(server):
    url = server.create(5)
    for bad in ('-1', 'x', ''):
        a = server.patch(url, bad, b'hello')
        if not 400 <= a.status < 500 or server.offset(url) != 0:
            return f'{bad!r}: {a.status}, then {server.offset(url)}'


@must('PATCH of nothing: 404 or 410 (SHOULD)')
def _(server):
    url = server.create(5)
    a = server.patch(url[:-4] + 'zzzz', 0, b'hello')
    return expect(a.status in (403, 404, 410), a.status)


@must('X-HTTP-Method-Override: the method that counts')
def _(server):
    url = server.create(5)
    a = server.ask('POST', url, {'X-HTTP-Method-Override': 'PATCH', 'Upload-Offset': 0, 'Content-Type': PART}, b'hello')
    return expect(a.status == 204 and server.offset(url) == 5, f'{a.status}, then {server.offset(url)}')


def longer(server, **more):
    url = server.create(5)
    try:
        a = server.patch(url, 0, b'hello world', **more).status
    except Closed:
        a = 'closed'
    end = server.offset(url)
    return expect(end is not None and end <= 5 and a != 204, f'{a}, then offset {end}')


@must('a body longer than Upload-Length is refused, the surplus not kept')
def _(server):
    return longer(server)


@must('the same with a chunked body')
def _(server):
    return longer(server, chunked=True)


@must('a cut connection keeps what was received (SHOULD)')
def _(server):
    url, part = server.create(3_000_000), b'x' * 1_234_567
    connection = server.connect()
    connection.send_head('PATCH', url, {'Upload-Offset': 0, 'Content-Type': PART, 'Content-Length': 3_000_000})
    connection.socket.sendall(part)
    time.sleep(0.5)
    connection.close()
    time.sleep(0.5)
    end = server.offset(url)
    return expect(end == len(part), f'{end} of {len(part)} bytes')


@must('an upload of no bytes is complete at once')
def _(server):
    url = server.create(0)
    a = server.ask('HEAD', url)
    return expect(a['upload-offset'] == '0' and a['upload-length'] == '0', a)


@must('creation with upload: Upload-Offset after the first bytes')
def _(server):
    server.needs('creation-with-upload')
    a = server.ask('POST', server.url, {'Upload-Length': 10, 'Upload-Metadata': server.metadata, 'Content-Type': PART}, b'hello')
    return expect(a.status == 201 and a['upload-offset'] == '5', a)


@must('expiration: Upload-Expires in POST and in every PATCH')
def _(server):
    server.needs('expiration')
    a = server.ask('POST', server.url, {'Upload-Length': 10, 'Upload-Metadata': server.metadata})
    if not a['upload-expires']:
        raise NotAnnounced  # the extension is there, but uploads are kept for good
    b = server.patch(a['location'], 0, b'hello')
    form = '%a, %d %b %Y %H:%M:%S GMT'
    for answer in (a, b):
        if not answer['upload-expires']:
            return answer
        time.strptime(answer['upload-expires'], form)


@must('checksum: sha1 among Tus-Checksum-Algorithm')
def _(server):
    server.needs('checksum')
    a = server.ask('OPTIONS', server.url, version=None)
    return expect('sha1' in (a['tus-checksum-algorithm'] or '').split(','), a)


def checked(server, algorithm, digest):
    url = server.create(10)
    a = server.patch(url, 0, b'hello', {'Upload-Checksum': f'{algorithm} {base64.b64encode(digest).decode()}'})
    return a.status, server.offset(url)


@must('checksum: the right one is accepted')
def _(server):
    server.needs('checksum')
    seen = checked(server, 'sha1', hashlib.sha1(b'hello').digest())
    return expect(seen == (204, 5), seen)


@must('checksum: a wrong one discards the part (460)')
def _(server):
    server.needs('checksum')
    seen = checked(server, 'sha1', hashlib.sha1(b'other').digest())
    return expect(seen[0] in (400, 460) and seen[1] == 0, seen)


@must('checksum: an unknown algorithm discards the part (400)')
def _(server):
    server.needs('checksum')
    seen = checked(server, 'rot13', b'uryyb')
    return expect(seen == (400, 0), seen)


@must('termination: 204, and then nothing there')
def _(server):
    server.needs('termination')
    url = server.create(10)
    server.patch(url, 0, b'hello')
    a = server.ask('DELETE', url)
    b = server.ask('HEAD', url)
    return expect(a.status == 204 and b.status in (404, 410), (a.status, b.status))


def judge(server):
    """Every check's verdict: 'yes', 'not announced', or what was seen."""
    verdicts = []
    for says, check in MUSTS:
        try:
            saw = check(server)
            verdicts.append((says, 'yes' if saw is None else f'no: {saw}'))
        except NotAnnounced:
            verdicts.append((says, 'not announced'))
        except Exception as error:  # a server that closes the connection, or answers nonsense
            verdicts.append((says, f'no: {type(error).__name__} {error}'))
    return verdicts
