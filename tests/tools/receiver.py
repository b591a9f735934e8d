#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small receiver of NRDP and of a Pushgateway, for tests.

receiver.py DIRECTORY [CERTIFICATE KEY]

Listens on loopback and writes the port to DIRECTORY/port.  A result that is
taken becomes a line "HOST|SERVICE|STATE|OUTPUT" of DIRECTORY/results; what is
put to the gateway becomes DIRECTORY/metrics.  DIRECTORY/mode says how it
answers: well (up), with 503 (busy), not at all (dead), after it hung up
(drop), or like a page that has nothing to do with it (page).
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


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def nrdp(self, status, message):
        self.answer(200, json.dumps({"result": {"status": status,
                                                "message": message}}))

    def is_ill(self):
        """Whether it does something else than to answer well."""
        now = mode()
        if now == "busy":
            self.answer(503, "no")
        elif now == "page":
            self.answer(200, "<html>please log in</html>")
        elif now == "dead":
            time.sleep(60)
        elif now == "drop":
            self.close_connection = True
        else:
            return False
        return True

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.is_ill():
            return
        with lock, open(path("metrics"), "wb") as file:
            file.write(self.path.encode() + b"\n" + body)
        self.answer(202, "")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
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
