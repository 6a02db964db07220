"""Somebody who speaks to Sightline's API over one connection, signed in or with a token."""
import http.client
import json
import urllib.parse


class Person:
    def __init__(self, url, token=None):
        at = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
        self.headers = {'Content-Type': 'application/json'}
        if token:
            self.headers['Authorization'] = f'Bearer {token}'

    def sign_in(self, email, password):
        answer, _ = self._ask('POST', '/session', {'email': email, 'password': password})
        # A browser takes the Secure cookie on a loopback address; http.client leaves it to us.
        self.headers['Cookie'] = answer.headers['set-cookie'].split(';')[0]
        return self

    def get(self, path, **query):
        return self._ask('GET', path + ('?' + urllib.parse.urlencode(query) if query else ''))[1]

    def post(self, path, body=None):
        return self._ask('POST', path, body if body is not None else {})[1]

    def _ask(self, method, path, body=None):
        self.connection.request(method, '/api/v1' + path, json.dumps(body) if body is not None else None, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f'{method} {path}: {answer.status} {text.decode()[:500]}')
        return answer, json.loads(text) if text else None
