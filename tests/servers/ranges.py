#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""ranges.py <QUESTIONS: what Python's nagiosplugin makes of them"""
import sys

import nagiosplugin

for line in sys.stdin:
    text, *values = line.rstrip("\n").split("\t")
    try:
        wanted = nagiosplugin.Range(text)
    except ValueError:
        print("invalid")
        continue
    print("".join("0" if wanted.match(float(value)) else "1"
                  for value in values if value))
