"""OHIF's built pages behind a server of one origin, which passes /dicom-web/ on to ours with a reader's token."""

from __future__ import annotations

import http.client
import mimetypes
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DIST = (Path(__file__).parents[2] / ".venv" / "peers" / "ohif" / "dist").resolve()
PASSED_ON = ("Accept", "Accept-Encoding", "If-None-Match", "Range", "Content-Type")
PASSED_BACK = ("Content-Type", "Content-Encoding", "ETag", "Content-Range", "Vary", "Warning", "Link")
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""Without them a page has no memory that its workers share."""

CONFIGURATION = """
window.config = {
  routerBasename: '/', extensions: [], modes: [], customizationService: {}, showStudyList: true,
  maxNumberOfWebWorkers: 2, showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false,
  strictZSpacingForVolumeViewport: true, investigationalUseDialog: { option: 'never' },
  showErrorDetails: 'always', defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'Farview', name: 'farview',
      qidoRoot: '/dicom-web', wadoRoot: '/dicom-web', wadoUriRoot: '/wado',
      qidoSupportsIncludeField: true, supportsFuzzyMatching: true, supportsWildcard: true,
      imageRendering: 'wadors', thumbnailRendering: 'wadors', enableStudyLazyLoad: true,
      singlepart: 'bulkdata,pdf', bulkDataURI: { enabled: true },
    },
  }],
};
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Ohif

    def do_GET(self) -> None:
        if self.path.startswith(("/dicom-web/", "/wado")):
            self._pass_on(b"")
        else:
            self._page()

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _page(self) -> None:
        name = self.path.split("?")[0].strip("/")
        path = (DIST / name).resolve()
        if not path.is_relative_to(DIST) or not path.is_file():
            path = DIST / "index.html"  # every route of the application is this page
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        body = CONFIGURATION.encode() if name == "app-config.js" else path.read_bytes()
        self._answer(200, {"Content-Type": "application/wasm" if path.suffix == ".wasm" else kind}, body)

    def _pass_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=120)
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        # The address that the browser sees stands in what it is told.
        headers |= {"Authorization": f"Bearer {self.server.token}", "Host": self.headers["Host"]}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.server.asked.append((self.command, self.path, answer.status))
        self._answer(answer.status, {n: answer.headers[n] for n in PASSED_BACK if n in answer.headers}, content)
        connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, **ISOLATED}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Ohif(ThreadingHTTPServer):
    """A context manager; `asked` lists what OHIF asked our server: (method, path, status)."""

    daemon_threads = True

    def __init__(self, behind: int, token: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind, self.token = behind, token
        self.asked: list[tuple[str, str, int]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Ohif:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that goes away breaks off what it asked for."""
