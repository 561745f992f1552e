import Core
import Synchronization

/// Keeps the end of what a program writes to stderr, and passes lines on: all of a program that says little, of one that
/// says more than 64 MiB the beginning, and at its end the last of it.
final class LineCollector: Sendable {
  fileprivate struct State {
    var tail: [UInt8] = []
    var last: [UInt8]?
    var passed = 0
    /// Whole lines with their ends, of what came when enough was passed on.
    var held: [UInt8] = []
    var dropped = 0
  }

  /// What a line costs in the log beside its own bytes, about: without it a program could fill a disk with empty lines.
  private static let costOfLine = 160
  private static let most = 64 << 20
  private static let mostHeld = 1 << 20
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
    let isPassed = state.withLock { state in
      state.tail += line + [0x0A]
      if state.tail.count > Self.kept { state.tail.removeFirst(state.tail.count - Self.kept) }
      if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) { state.last = line }
      if state.passed < Self.most - Self.mostHeld {
        state.passed += line.count + Self.costOfLine
        return true
      }
      state.hold(line, most: Self.mostHeld)
      return false
    }
    if isPassed { pass(line) }
  }

  /// The program has ended: passes on the last of what was held back, after a line that says how much is missing.
  func finish() {
    let (held, dropped) = state.withLock { state in
      defer { (state.held, state.dropped) = ([], 0) }
      return (state.held, state.dropped)
    }
    if dropped > 0 {
      pass(Array("… more than 64 MiB: \(dropped) bytes are not logged, and this is the end of them …".utf8))
    }
    for line in held.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() { pass(Array(line)) }
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

extension LineCollector.State {
  /// Drops the oldest lines by the half, so that each byte is moved but once.
  fileprivate mutating func hold(_ line: [UInt8], most: Int) {
    held += line
    held.append(0x0A)
    guard held.count > most else { return }
    let middle = held.count / 2
    let cut = held[middle...].firstIndex(of: 0x0A).map { $0 + 1 } ?? held.count
    held.removeFirst(cut)
    dropped += cut
  }
}
