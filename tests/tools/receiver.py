#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small receiver of NRDP and of a Pushgateway, for tests.

receiver.py DIRECTORY [CERTIFICATE KEY]

Listens on loopback and writes the port to DIRECTORY/port.  A result that is
taken becomes a line "HOST|SERVICE|STATE|OUTPUT" of DIRECTORY/results; what is
put to the gateway becomes DIRECTORY/metrics.  DIRECTORY/mode says how it
answers: well (up), late (slow), well but to nobody (lost), or ill: one of ILLS.
"""
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

directory = sys.argv[1]
lock = threading.Lock()


def path(name):
    return os.path.join(directory, name)


def mode():
    try:
        with open(path("mode"), encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "up"


def repeat(handler, head, piece, pause=0):
    """What has no end but that of the one who listens."""
    try:
        handler.wfile.write(head)
        for _ in range(100000):
            handler.wfile.write(piece)
            time.sleep(pause)
    except OSError:
        pass


def hang_up(handler, text=b""):
    handler.wfile.write(text)
    handler.close_connection = True


def redirect(handler):
    """To where it is noted that somebody came, with what he brought."""
    handler.send_response(307)
    handler.send_header("Location", "/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


GOOD = b"HTTP/1.1 200 OK\r\n"
ILLS = {
    "busy": lambda handler: handler.answer(503, "no"),
    "broken": lambda handler: handler.answer(500, "no"),
    "missing": lambda handler: handler.answer(404, "no"),
    "limit": lambda handler: handler.answer(
        429, "no", {"Retry-After": "99999999999999999999"}),
    "narrow": lambda handler: handler.answer(413, "no"),
    "page": lambda handler: handler.answer(
        200, "<html>please log in</html>"),
    "redirect": redirect,
    "dead": lambda handler: time.sleep(60),
    "drop": hang_up,
    "garbage": lambda handler: hang_up(
        handler, bytes(range(255, -1, -1)) * 64),
    "cut": lambda handler: hang_up(
        handler, GOOD + b"Content-Length: 9999\r\n\r\n{\"result\":"
        b"{\"status\":0}}"),
    "body": lambda handler: repeat(
        handler, GOOD + b"\r\n", b"x" * 65536),
    "headers": lambda handler: repeat(
        handler, GOOD, b"x-more: " + b"x" * 4096 + b"\r\n"),
    "continues": lambda handler: repeat(
        handler, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drip": lambda handler: repeat(
        handler, GOOD + b"Content-Length: 9999\r\n\r\n", b"x", 0.1),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, text, headers=None):
        body = text.encode()
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def nrdp(self, status, message):
        self.answer(200, json.dumps({"result": {"status": status,
                                                "message": message}}))

    def is_ill(self):
        """Whether it does something else than to answer well."""
        ill = ILLS.get(mode())
        if ill:
            ill(self)
        return bool(ill)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.is_ill():
            return
        with lock, open(path("metrics"), "wb") as file:
            file.write(self.path.encode() + b"\n" + body)
        self.answer(202, "")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/elsewhere":
            with open(path("elsewhere"), "w", encoding="ascii") as file:
                file.write(body)
        if self.is_ill():
            return
        form = urllib.parse.parse_qs(body, strict_parsing=True)
        with open(path("token"), encoding="ascii") as file:
            token = file.read().strip()
        if form["token"] != [token]:
            self.nrdp(-1, "BAD TOKEN")
            return
        if form["cmd"] != ["submitcheck"] or self.path != "/nrdp/":
            self.nrdp(-1, "BAD COMMAND")
            return
        with lock, open(path("results"), "a", encoding="utf-8") as file:
            for one in json.loads(form["json"][0])["checkresults"]:
                assert one["checkresult"]["type"] == "service"
                file.write("|".join((
                    one["hostname"], one["servicename"], one["state"],
                    one["output"].replace("\n", "\\n"))) + "\n")
        if mode() == "slow":
            time.sleep(1)
        if mode() == "lost":
            self.close_connection = True
        else:
            self.nrdp(0, "OK")


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
with open(path("port.new"), "w", encoding="ascii") as port_file:
    port_file.write(str(server.server_address[1]))
os.rename(path("port.new"), path("port"))
server.serve_forever()
