import Core
import Glibc
import Synchronization

/// What one program writes to stdout and stderr, collected as it comes; lives on the reactor's thread.
final class ProgramOutput: Sendable {
  struct Reply: Sendable {
    var bytes: [UInt8] = []
    var isCut = false
  }

  private struct State {
    var reply = Reply()
    var lines = LineSplitter()
    var registrations: [Stream: Reactor.Registration] = [:]
    /// Streams whose end has not come.
    var open = Set(Stream.allCases)
    var onEnd: (@Sendable () -> Void)?
  }

  private enum Stream: CaseIterable {
    case output
    case log
  }

  private static let readSize = 64 << 10
  /// Reads of one stream in a row, when its writers are gone: more than any pipe holds by default.
  private static let lastReads = 4

  private let state = Mutex(State())
  private let reactor: Reactor
  private let output: Descriptor
  private let log: Descriptor
  private let held: [Descriptor]
  private let replyLimit: Int
  private let onLogLine: @Sendable ([UInt8]) -> Void

  /// - Parameter held: ends of the pipes that the program has too, let go of by `finish` or `close`.
  init(
    reactor: Reactor, output: Descriptor, log: Descriptor, held: [Descriptor] = [], replyLimit: Int,
    onLogLine: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.reactor = reactor
    self.output = output
    self.log = log
    self.held = held
    self.replyLimit = replyLimit
    self.onLogLine = onLogLine
  }

  /// `onEnd` will be called once, on the reactor's thread, when both pipes have ended or `close` was called.
  func begin(onEnd: @escaping @Sendable () -> Void) { state.withLock { $0.onEnd = onEnd } }

  /// Reads from now on as it comes; where that cannot be, only at the end.
  func watch() throws {
    // The lock is held throughout, so that a handler that runs at once finds its registration.
    try state.withLock { state in
      for stream in Stream.allCases where state.open.contains(stream) {
        state.registrations[stream] = try reactor.register(
          descriptor(stream).number, for: .readable
        ) { [self] _ in
          _ = read(stream)
          letGo(stream)
        }
      }
    }
  }

  /// Whoever may write is gone: reads what is left; on the reactor's thread.
  ///
  /// Somebody outside the program's tree may still hold a pipe: then reading goes on.
  func finish() {
    for descriptor in held { descriptor.close() }
    for stream in Stream.allCases {
      var left = Self.lastReads
      while left > 0, read(stream) { left -= 1 }
    }
    // whoever waits for it has been told
    for stream in Stream.allCases { letGo(stream) }
  }

  /// Reads no further; on the reactor's thread.
  func close() {
    for descriptor in held { descriptor.close() }
    for stream in Stream.allCases {
      end(stream)
      letGo(stream)
    }
  }

  /// All that was kept of stdout.
  var reply: Reply { state.withLock { $0.reply } }

  private func descriptor(_ stream: Stream) -> Descriptor {
    switch stream {
    case .output: output
    case .log: log
    }
  }

  /// One read a turn, so that no program starves the others.
  /// - Returns: whether there may be more.
  private func read(_ stream: Stream) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 16) { buffer in
      guard state.withLock({ $0.open.contains(stream) }) else { return false }
      let fd = descriptor(stream).number
      let count = Glibc.read(fd, buffer.baseAddress, buffer.count)
      if count > 0 {
        take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), from: stream)
      } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
        end(stream)
      }
      return count > 0
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, from stream: Stream) {
    var lines: [[UInt8]] = []
    state.withLock { state in
      switch stream {
      case .log: state.lines.add(bytes) { lines.append($0) }
      case .output:
        let room = replyLimit - state.reply.bytes.count
        state.reply.bytes.append(contentsOf: bytes.prefix(max(0, room)))
        if bytes.count > room { state.reply.isCut = true }
      }
    }
    for line in lines { onLogLine(line) }
  }

  private func end(_ stream: Stream) {
    var lines: [[UInt8]] = []
    let onEnd = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.open.remove(stream) != nil else { return nil }
      if stream == .log { state.lines.finish { lines.append($0) } }
      guard state.open.isEmpty else { return nil }
      defer { state.onEnd = nil }
      return state.onEnd
    }
    for line in lines { onLogLine(line) }
    onEnd?()
  }

  /// Closes a stream that has ended.
  private func letGo(_ stream: Stream) {
    let (hasEnded, registration) = state.withLock { state in
      let hasEnded = !state.open.contains(stream)
      return (hasEnded, hasEnded ? state.registrations.removeValue(forKey: stream) : nil)
    }
    guard hasEnded else { return }
    if let registration { reactor.cancel(registration) }
    descriptor(stream).close()
  }
}
