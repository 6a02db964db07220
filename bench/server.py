"""A Sightline server of its own, and what is typed beside it."""
import http.client
import socket
import subprocess
import sys
import time


class Server:
    """Sightline on a data directory."""

    def __init__(self, sightline, data, log):
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        before = time.perf_counter()
        self.process = subprocess.Popen([sightline, 'serve', '--listen', f'127.0.0.1:{self.port}', '--data', data], stdout=log, stderr=log)
        while not self.ready():
            if self.process.poll() is not None:
                sys.exit(f'the server ended; see {log.name}')
            time.sleep(0.002)
        self.seconds = time.perf_counter() - before

    def ready(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=5)
        try:
            connection.request('GET', '/readyz')
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def end(self):
        self.process.terminate()
        self.process.wait()


def told(sightline, data, *command, asked=''):
    return subprocess.run([sightline, *command, '--data', data], input=asked, check=True, capture_output=True, text=True).stdout.strip()


def token(sightline, data, role):
    """An account with that role, and a token of its own."""
    email = f'{role}@example.org'
    told(sightline, data, 'account', 'add', email, '--role', role, '--password-stdin', asked='correct horse battery staple')
    return told(sightline, data, 'token', 'create', '--account', email)


def resident_mib(process):
    return _status_mib(process, 'VmRSS')


def peak_mib(process):
    """Its largest resident memory since `forget_peak`."""
    return _status_mib(process, 'VmHWM')


def forget_peak(process):
    with open(f'/proc/{process.pid}/clear_refs', 'w') as file:
        file.write('5')


def _status_mib(process, field):
    with open(f'/proc/{process.pid}/status') as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024
