import Core
import Synchronization

/// Keeps the end of what a program writes to stderr, and passes every line on.
final class LineCollector: Sendable {
  private struct State {
    var tail: [UInt8] = []
    var last: [UInt8]?
    var passed = 0
  }

  /// Bytes of one program that are logged; what comes after them is read and thrown away.
  private static let logged = 64 << 20

  private static let kept = 4096
  private let state = Mutex(State())
  private let mask: SecretMask
  private let pass: @Sendable ([UInt8]) -> Void

  init(mask: SecretMask, pass: @escaping @Sendable ([UInt8]) -> Void) {
    self.mask = mask
    self.pass = pass
  }

  /// Masks before anything is cut: half a secret is one too.
  func take(_ raw: [UInt8]) {
    let line = mask.masked(raw)
    let before = state.withLock { state in
      state.tail += line + [0x0A]
      if state.tail.count > Self.kept { state.tail.removeFirst(state.tail.count - Self.kept) }
      if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) { state.last = line }
      defer { state.passed += line.count + 1 }
      return state.passed
    }
    if before < Self.logged {
      pass(line)
      if before + line.count + 1 >= Self.logged { pass(Array("… more than 64 MiB: the rest is not logged".utf8)) }
    }
  }

  /// At most 4 KiB.
  var tail: String { String(decoding: state.withLock { $0.tail }, as: UTF8.self) }

  /// The last line that is not blank, escaped and cut for a reason of one line.
  var lastLine: String? {
    state.withLock { $0.last }.map { line in
      let text = Display.escaped(line)
      return text.count > 300 ? String(text.prefix(300)) + "…" : text
    }
  }
}
