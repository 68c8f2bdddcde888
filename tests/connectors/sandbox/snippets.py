"""Thirty things that ordinary programs do. They must all work where code is run at all; the last ones need a disk."""

# ruff: noqa: E501  # a program a line

SNIPPETS = [
    "import asyncio\nasync def f():\n    await asyncio.gather(*[asyncio.sleep(0.001) for _ in range(9)])\nasyncio.run(f())",
    "import asyncio\nasync def f(): return await asyncio.to_thread(sum, [1, 2])\nassert asyncio.run(f()) == 3",
    "import threading\nx = []\nt = [threading.Thread(target=x.append, args=(n,)) for n in range(20)]\n[a.start() for a in t]; [a.join() for a in t]\nassert len(x) == 20",
    "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as p: assert list(p.map(abs, [-1])) == [1]",
    "import sqlite3\nd = sqlite3.connect(':memory:'); d.execute('create table a(b)'); assert d.execute('select count(*) from a').fetchone() == (0,)",
    "import unittest, io\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 1)\n"
    "r = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))\nassert r.wasSuccessful()",
    "import csv, io\nassert list(csv.DictReader(io.StringIO('a,b\\n1,2'))) == [{'a': '1', 'b': '2'}]",
    "import json\nassert json.loads(json.dumps({'a': [1, None]})) == {'a': [1, None]}",
    "from dataclasses import dataclass, asdict\n@dataclass\nclass P:\n    x: int = 1\nassert asdict(P()) == {'x': 1}",
    "import traceback\ntry: 1 / 0\nexcept ZeroDivisionError: assert 'ZeroDivisionError' in traceback.format_exc()",
    "import re\nassert re.sub(r'(\\d+)', r'<\\1>', 'a12') == 'a<12>'",
    "import datetime, zoneinfo\nassert datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc).isoformat().startswith('2025')",
    "import decimal, fractions\nassert decimal.Decimal('0.1') * 3 == decimal.Decimal('0.3')",
    "import statistics, math, cmath\nassert statistics.median([1, 2, 3]) == 2",
    "import random\nrandom.seed(1); assert 0 <= random.random() < 1\nimport secrets; assert len(secrets.token_hex(4)) == 8",
    "import collections, heapq, bisect, itertools, functools\nassert collections.Counter('aab').most_common(1) == [('a', 2)]",
    "import hashlib, hmac, base64, zlib\nassert hashlib.sha256(b'').hexdigest().startswith('e3b0c442')",
    "import gzip, bz2, lzma\nassert gzip.decompress(gzip.compress(b'x')) == b'x' and lzma.decompress(lzma.compress(b'y')) == b'y'",
    "import typing, enum, abc\nclass C(enum.Enum): A = 1\nassert C.A.value == 1",
    "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as o: print('x')\nassert o.getvalue() == 'x\\n'",
    "import logging, io\ns = io.StringIO(); logging.basicConfig(stream=s, force=True); logging.warning('hm'); assert 'hm' in s.getvalue()",
    "import os, contextlib\nwith open(os.devnull, 'w') as n, contextlib.redirect_stdout(n): print('x')",
    "import time\nt = time.perf_counter(); time.sleep(0.001); assert time.perf_counter() > t",
    "import queue, threading\nq = queue.Queue(); threading.Thread(target=q.put, args=(1,)).start(); assert q.get(timeout=5) == 1",
    "import pickle, copy\nassert pickle.loads(pickle.dumps({1: (2,)})) == copy.deepcopy({1: (2,)})",
    "import xml.etree.ElementTree as E\nassert E.fromstring('<a><b/></a>').find('b') is not None\nimport html; assert html.escape('<') == '&lt;'",
    "import doctest, inspect, ast\nassert ast.literal_eval('[1]') == [1]\nimport platform, sys, os; platform.platform(); assert os.cpu_count()",
    "import subprocess\ntry: subprocess.run(['true'])\nexcept OSError: pass\nelse: raise AssertionError",
    "import signal\nhit = []\nsignal.signal(signal.SIGALRM, lambda *a: hit.append(1)); signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
    "import time\nwhile not hit: time.sleep(0.005)",
    "def f(n): return n if n < 2 else f(n - 1) + f(n - 2)\nassert f(15) == 610\nimport textwrap, string, pprint, difflib, urllib.parse, uuid; uuid.uuid4()",
]
ON_DISK = [
    "import tempfile, pathlib, shutil\nwith tempfile.TemporaryDirectory() as d:\n    p = pathlib.Path(d) / 'a'; p.write_text('x')\n"
    "    shutil.copy2(p, p.with_name('b')); assert p.with_name('b').read_text() == 'x'; p.rename(p.with_name('c'))",
    "import sqlite3\nd = sqlite3.connect('a.db'); d.execute('create table a(b)'); d.execute('insert into a values(1)'); d.commit(); d.close()\n"
    "assert sqlite3.connect('a.db').execute('select b from a').fetchone() == (1,)",
]


def program(on_disk: bool) -> str:
    """One program that runs every snippet by itself and prints the number of each that works."""
    snippets = SNIPPETS + (ON_DISK if on_disk else [])
    return (
        "import traceback\n"
        f"for number, code in enumerate({snippets!r}):\n"
        "    try:\n"
        "        exec(code, {'__name__': '__main__', '__builtins__': __builtins__})\n"
        "        print('works', number)\n"
        "    except BaseException:\n"
        "        traceback.print_exc()\n"
    )
