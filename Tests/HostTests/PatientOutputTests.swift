import Foundation
import Glibc
import Host
import Synchronization
import Testing

@Suite struct PatientOutputTests {
  /// A terminal whose other end nobody reads yet.
  private struct Terminal: Sendable {
    let reader: Descriptor
    let writer: Descriptor

    init() throws {
      let (unlock, peer): (UInt, UInt) = (0x4004_5431, 0x5441)  // TIOCSPTLCK, TIOCGPTPEER
      var isLocked: CInt = 0
      reader = Descriptor(owning: open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC))
      try #require(ioctl(reader.number, unlock, &isLocked) == 0)
      writer = Descriptor(owning: ioctl(reader.number, peer, O_RDWR | O_NOCTTY | O_CLOEXEC))
      try #require(writer.number >= 0)
    }

    /// What comes until `end` has come.
    func text(until end: String) -> String {
      var bytes: [UInt8] = []
      var part = [UInt8](repeating: 0, count: 65536)
      while !bytes.suffix(end.utf8.count + 2).starts(with: end.utf8) {
        let count = read(reader.number, &part, part.count)
        guard count > 0 else { break }
        bytes += part.prefix(count)
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  @Test(.timeLimit(.minutes(2))) func `a reader that is slow at the end gets all of it`() async throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    let (reader, writer) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    let output = PatientOutput(descriptor: writer.number) { "\($0) lost\n" }
    let text = String(repeating: "x", count: 400_000) + "\n"
    output.write(text)
    let got = Mutex(0)
    let isRead = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      var part = [UInt8](repeating: 0, count: 40_000)
      while case let count = read(reader.number, &part, part.count), count > 0 {
        got.withLock { $0 += count }
        usleep(50_000)
      }
      isRead.signal()
    }
    try await onThread {
      output.finish(patience: .milliseconds(200))
      writer.close()
      isRead.wait()
    }
    #expect(got.withLock { $0 } == text.utf8.count)
  }

  @Test(.timeLimit(.minutes(2))) func `a terminal that nobody reads makes nobody wait, and gets all of it later`()
    async throws
  {
    let terminal = try Terminal()
    let reactor = try Reactor()
    defer { reactor.stop() }
    let output = PatientOutput(descriptor: terminal.writer.number) { "\($0) lost\n" }
    let written = DispatchSemaphore(value: 0)
    let lines = (0..<4000).map { "line \($0) " + String(repeating: "x", count: 60) }
    Thread.detachNewThread {
      for line in lines { output.write(line + "\n") }
      output.attach(to: reactor)
      output.write("the end\n")
      written.signal()
    }
    let isWritten = try await onThread { written.wait(timeout: .now() + 20) == .success }
    #expect(isWritten, "it waits for a reader")
    let text = try await onThread { terminal.text(until: "the end") }
    #expect(text.split(separator: "\r\n").map(String.init) == lines + ["the end"])
  }
}
