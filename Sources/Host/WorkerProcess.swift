import Core
import Glibc
import Synchronization

/// One worker: its process and the pipes to it, from its start to the end of its tree.
///
/// What it does is told on the reactor's thread.
final class WorkerProcess: SpawnedProgram {
  enum News: Sendable {
    /// It runs.
    case begun(process: Int32)
    /// A line of stderr. Told before replies that were written after it.
    case log([UInt8])
    case replies([[UInt8]])
    /// The beginning of a line of stdout that is too long.
    case tooLong([UInt8])
    /// It closed a stream although it is still there: which, in words.
    case closed(String)
    /// It and its tree are gone, and all it wrote was told.
    case ended(Result<SpawnerWire.Outcome, any Error>)
  }

  private struct State {
    var outbox: [UInt8] = []
    var sent = 0
    var inputIsOpen = true
    var writing: Reactor.Registration?
    var reading: [Stream: Reactor.Registration] = [:]
    var replies = ReplyLines()
    var lines = LineSplitter()
    var outcome: SpawnerWire.Outcome?
    var drain: Reactor.Alarm?
    var hasEnded = false
  }

  private enum Stream: CaseIterable {
    case output
    case log
  }

  private static let readSize = 64 << 10

  let token: UInt64
  private let state = Mutex(State())
  private let link: SpawnerLink
  private let reactor: Reactor
  private let pipes: WorkerPipes
  private let replyLimit: Int
  private let news: @Sendable (News) -> Void

  init(
    token: UInt64, link: SpawnerLink, reactor: Reactor, pipes: WorkerPipes, replyLimit: Int,
    news: @escaping @Sendable (News) -> Void
  ) {
    self.token = token
    self.link = link
    self.reactor = reactor
    self.pipes = pipes
    self.replyLimit = replyLimit
    self.news = news
  }

  /// Begins to read what it writes, and has the spawner start it.
  /// - Throws: `SystemError` where it cannot be watched; `SpawnerGone` comes as news.
  func start() throws {
    // The lock is held throughout, so that a handler that runs at once finds its registration.
    try state.withLock { state in
      for stream in Stream.allCases {
        state.reading[stream] = try reactor.register(descriptor(stream).number, for: .readable) { [self] _ in
          read(stream)
        }
      }
    }
    do { try link.start(self, pipes.order) } catch { reactor.perform { [self] in lost(error) } }
  }

  /// Gives it a line; one that does not take it any more is told as `closed`.
  func send(_ line: [UInt8]) {
    let isBroken = state.withLock { state -> Bool in
      guard state.inputIsOpen else { return false }
      if !state.outbox.isEmpty {
        state.outbox += line
        return false
      }
      let count = WorkerPipes.send(line[...], to: pipes.input)
      if count == line.count { return false }
      if count < 0, errno != EAGAIN, errno != EINTR { return true }
      state.outbox = Array(line[max(0, count)...])
      waitForRoom(&state)
      return state.writing == nil
    }
    if isBroken { reactor.perform { [self] in news(.closed("its stdin")) } }
  }

  /// It has nothing more to do.
  func closeInput() {
    state.withLock { state in
      guard state.inputIsOpen else { return }
      state.inputIsOpen = false
      if let writing = state.writing { reactor.cancel(writing) }
      state.writing = nil
      pipes.input.close()
    }
  }

  /// Ends its whole tree: asks first, and kills after the grace.
  func end() { link.cancel(token) }

  func begun(process: Int32) { news(.begun(process: process)) }

  func ended(_ outcome: SpawnerWire.Outcome) {
    let mustDrain = state.withLock { state in
      state.outcome = outcome
      return !state.reading.isEmpty
    }
    if mustDrain {
      let alarm = reactor.after(ProgramRun.drain) { [self] in
        for stream in Stream.allCases { endReading(stream) }
      }
      state.withLock { $0.drain = alarm }
    }
    finishIfDone()
  }

  func lost(_ error: any Error) {
    for stream in Stream.allCases { endReading(stream) }
    finish(.failure(error))
  }

  private func descriptor(_ stream: Stream) -> Descriptor {
    switch stream {
    case .output: pipes.output
    case .log: pipes.log
    }
  }

  private func waitForRoom(_ state: inout State) {
    guard state.writing == nil else { return }
    state.writing = try? reactor.register(pipes.input.number, for: .writable) { [self] _ in flush() }
  }

  private func flush() {
    let isBroken = state.withLock { state -> Bool in
      guard let writing = state.writing else { return false }
      let rest = state.outbox[state.sent...]
      let count = WorkerPipes.send(rest, to: pipes.input)
      if count < 0, errno == EAGAIN || errno == EINTR { return false }
      state.sent += max(0, count)
      guard count < 0 || state.sent == state.outbox.count else { return false }
      reactor.cancel(writing)
      state.writing = nil
      state.outbox = []
      state.sent = 0
      return count < 0
    }
    if isBroken { news(.closed("its stdin")) }
  }

  /// One read of stdout a turn, so that no worker starves the others; before it what came on stderr, which is older.
  private func read(_ stream: Stream) {
    if stream == .output { while take(.log) == Self.readSize { continue } }
    _ = take(stream)
  }

  /// Bytes that were read.
  private func take(_ stream: Stream) -> Int {
    guard state.withLock({ $0.reading[stream] != nil }) else { return 0 }
    return withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 16) { buffer in
      let count = Glibc.read(descriptor(stream).number, buffer.baseAddress, buffer.count)
      if count > 0 {
        take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), from: stream)
      } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
        endReading(stream)
        if stream == .output, state.withLock({ $0.outcome == nil && !$0.hasEnded }) { news(.closed("its stdout")) }
        finishIfDone()
      }
      return max(0, count)
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, from stream: Stream) {
    var lines: [[UInt8]] = []
    var tooLong: [UInt8]?
    state.withLock { state in
      switch stream {
      case .log: state.lines.add(bytes) { lines.append($0) }
      case .output:
        lines = state.replies.add(bytes)
        if state.replies.rest.count > replyLimit { tooLong = state.replies.takeRest() }
      }
    }
    switch stream {
    case .log: for line in lines { news(.log(line)) }
    case .output:
      if !lines.isEmpty { news(.replies(lines)) }
      if let tooLong { news(.tooLong(tooLong)) }
    }
  }

  private func endReading(_ stream: Stream) {
    var lines: [[UInt8]] = []
    let registration = state.withLock { state in
      if stream == .log { state.lines.finish { lines.append($0) } }
      return state.reading.removeValue(forKey: stream)
    }
    guard let registration else { return }
    reactor.cancel(registration)
    descriptor(stream).close()
    for line in lines { news(.log(line)) }
  }

  private func finishIfDone() {
    let outcome = state.withLock { $0.reading.isEmpty ? $0.outcome : nil }
    if let outcome { finish(.success(outcome)) }
  }

  private func finish(_ result: Result<SpawnerWire.Outcome, any Error>) {
    closeInput()
    let (isFirst, drain) = state.withLock { state in
      defer { state.hasEnded = true }
      return (!state.hasEnded, state.drain)
    }
    if let drain { reactor.cancel(drain) }
    if isFirst { news(.ended(result)) }
  }
}
