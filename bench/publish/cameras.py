"""A video system with as many cameras as a file of names has lines: a program for the connector's adapter `command`."""
import json
import sys


def discover():
    with open(sys.argv[1]) as names:
        return {'sources': [{
            'device_id': str(number), 'name': name.strip(), 'bearing_deg': number % 360, 'tags': ['north', 'street'],
            'position': {'lat': 40 + number % 317 / 1000, 'lon': -90 + number // 317 / 1000},
        } for number, name in enumerate(names)]}


METHODS = {
    'hello': lambda: {'protocol': 1, 'can': ['recordings', 'bounds', 'fetch']},
    'discover': discover,
    'recordings': lambda: {'recordings': []},
    'bounds': lambda: {'bounds': None},
}
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({'id': asked['id'], 'result': METHODS[asked['method']]()}), flush=True)
