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
    var onEnd: (@Sendable () -> Void)?
  }

  private enum Stream: CaseIterable {
    case output
    case log
  }

  private static let readSize = 64 << 10

  private let state = Mutex(State())
  private let reactor: Reactor
  private let output: Descriptor
  private let log: Descriptor
  private let replyLimit: Int
  private let onLogLine: @Sendable ([UInt8]) -> Void

  init(
    reactor: Reactor, output: Descriptor, log: Descriptor, replyLimit: Int,
    onLogLine: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.reactor = reactor
    self.output = output
    self.log = log
    self.replyLimit = replyLimit
    self.onLogLine = onLogLine
  }

  /// Begins to read; `onEnd` is called once, on the reactor's thread, when both pipes have ended or `close` was called.
  func start(onEnd: @escaping @Sendable () -> Void) throws {
    // The lock is held throughout, so that a handler that runs at once finds its registration.
    try state.withLock { state in
      state.onEnd = onEnd
      for stream in Stream.allCases {
        state.registrations[stream] = try reactor.register(
          descriptor(stream).number, for: .readable
        ) { [self] _ in read(stream) }
      }
    }
  }

  /// Reads no further; on the reactor's thread.
  func close() {
    for stream in Stream.allCases { end(stream) }
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
  private func read(_ stream: Stream) {
    withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 16) { buffer in
      let count = Glibc.read(descriptor(stream).number, buffer.baseAddress, buffer.count)
      if count > 0 {
        take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), from: stream)
      } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
        end(stream)
      }
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
    let (registration, onEnd) = state.withLock { state in
      let registration = state.registrations.removeValue(forKey: stream)
      if stream == .log { state.lines.finish { lines.append($0) } }
      let isLast = registration != nil && state.registrations.isEmpty
      defer { if isLast { state.onEnd = nil } }
      return (registration, isLast ? state.onEnd : nil)
    }
    guard let registration else { return }
    reactor.cancel(registration)
    descriptor(stream).close()
    for line in lines { onLogLine(line) }
    onEnd?()
  }
}
