# SPDX-License-Identifier: MIT
"""tools/bench --scale with the ends of its curves made small: for bench_smoke. usage: scale_short.py DRIVER'S-PARENT PROGRAMS"""
import json
import resource
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

from driver import main, peers, report, scale  # noqa: E402

scale.CONNECTIONS = (1, 60)
scale.LINES = scale.BYTEWISE = (16, 64)
scale.LIMITS = (1024, 4096)
scale.SUM = scale.BYTEWISE_SUM = 4096
scale.ROUNDS = 1

_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (150, hard))    # room for 50 connections
options = main.parse(["--scale", "--seconds", "0.05", "--warmup", "0.05"])
setup = main.Setup(sys.argv[2], options, None)
present = main.order_by_base(peers.find(["rill", "raw"], [], sys.argv[2]))
print(json.dumps(list(scale.curves(setup, options, present, report.Live()))))
