import Foundation
import Testing

/// A real HTTP server that answers every POST, for the hooks that tell others.
final class HookListener {
  struct Post {
    var path: String
    var key: String
    var authorization: String
    var body: String
  }

  let port: String
  private let program: ScenarioProgram

  /// - Parameter reply: the body of every answer.
  init(in place: ScenarioWorkspace, reply: String = "{}") async throws {
    let program = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", Self.text, reply], environment: ["PATH": "/usr/bin:/bin"],
      logs: place.path("listener"))
    try await until("a port") { program.text.contains("\n") }
    self.program = program
    port = String(program.text.prefix { $0 != "\n" })
  }

  var posts: [Post] {
    let lines = program.text.split(separator: "\n").dropFirst().map(String.init)
    return stride(from: 0, to: lines.count - 3, by: 4).map { n in
      Post(path: lines[n], key: lines[n + 1], authorization: lines[n + 2], body: lines[n + 3])
    }
  }

  private static let text = """
    import http.server, sys
    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode().strip()
            print(self.path, self.headers["Idempotency-Key"], self.headers["Authorization"], body, sep="\\n", flush=True)
            answer = sys.argv[1].encode()
            self.send_response(201)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        def log_message(self, *words): pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """
}
