import CSystem
import Glibc
import Synchronization

/// The one thread on which all descriptors and timers of the host live.
///
/// It sleeps in epoll_wait(2) until a descriptor is ready, a timer is due or a job comes, and never wakes for
/// anything else. Handlers, timers and jobs run on it one after another and must not block. Everything here
/// may be called from any thread.
package final class Reactor: Sendable {
  /// What a descriptor is ready for.
  package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: event_loop_readable)
    package static let writable = Readiness(rawValue: event_loop_writable)
    /// The other side is gone, or an error waits; told without being asked for.
    package static let ended = Readiness(rawValue: event_loop_ended)

    /// Each of them is several bits of epoll(7), any of which means it.
    fileprivate init(events: UInt32) {
      self = []
      for one in [Readiness.readable, .writable, .ended] where one.rawValue & events != 0 { insert(one) }
    }
  }

  /// One descriptor that is watched.
  package struct Registration: Sendable, Hashable { fileprivate let id: UInt64 }

  /// One timer that is set.
  package struct Alarm: Sendable, Hashable { fileprivate let id: UInt64 }

  package typealias Handler = @Sendable (Readiness) -> Void
  package typealias Job = @Sendable () -> Void

  private struct State {
    var nextID: UInt64 = 1
    var watches: [UInt64: (descriptor: Int32, handler: Handler)] = [:]
    var alarms = AlarmQueue()
    var jobs: [Job] = []
    var thread: pthread_t?
    var isStopped = false
  }

  private let state = Mutex(State())
  private let loop: Int32
  private let wake: Int32

  /// Starts the thread, which holds this object until `stop`.
  package init() throws {
    loop = try SystemError.check(event_loop_create(), "make an event loop")
    wake = try SystemError.check(event_loop_wake_create(), "make an event descriptor")
    try SystemError.check(
      event_loop_add(loop, wake, event_loop_readable, 0), "watch an event descriptor")
    try start()
  }

  deinit {
    _ = close(wake)
    _ = close(loop)
  }

  /// Calls `handler` whenever `descriptor` is ready, again and again until it no longer is.
  ///
  /// - Throws: where epoll does not take it, as with an ordinary file.
  package func register(
    _ descriptor: Int32, for readiness: Readiness, handler: @escaping Handler
  ) throws -> Registration {
    try state.withLock { state in
      let id = state.nextID
      state.nextID += 1
      try SystemError.check(
        event_loop_add(loop, descriptor, readiness.rawValue, id), "watch descriptor \(descriptor)")
      state.watches[id] = (descriptor, handler)
      return Registration(id: id)
    }
  }

  /// Watches for `readiness` instead of what was asked for before.
  package func update(_ registration: Registration, for readiness: Readiness) {
    state.withLock { state in
      guard let watch = state.watches[registration.id] else { return }
      _ = event_loop_modify(loop, watch.descriptor, readiness.rawValue, registration.id)
    }
  }

  /// Watches no longer; do it before the descriptor is closed.
  ///
  /// On the reactor's own thread no call of the handler follows; from another thread one may just be running.
  package func cancel(_ registration: Registration) {
    state.withLock { state in
      guard let watch = state.watches.removeValue(forKey: registration.id) else { return }
      _ = event_loop_remove(loop, watch.descriptor)
    }
  }

  /// Calls `job` once `delay` has gone by on CLOCK_MONOTONIC, which stands still while the host sleeps.
  package func after(_ delay: Duration, _ job: @escaping Job) -> Alarm {
    let due = Monotonic.now() + delay.nanoseconds
    let (alarm, mustWake) = state.withLock { state -> (Alarm, Bool) in
      let id = state.nextID
      state.nextID += 1
      let isFirst = state.alarms.add(id: id, due: due, job: job)
      return (Alarm(id: id), isFirst && !Self.isOn(state.thread))
    }
    if mustWake { event_loop_wake(wake) }
    return alarm
  }

  package func cancel(_ alarm: Alarm) {
    state.withLock { $0.alarms.remove(id: alarm.id) }
  }

  /// Runs `job` on the reactor's thread.
  ///
  /// Jobs keep their order; after `stop` they are dropped.
  package func perform(_ job: @escaping Job) {
    let mustWake = state.withLock { state in
      guard !state.isStopped else { return false }
      state.jobs.append(job)
      return state.jobs.count == 1 && !Self.isOn(state.thread)
    }
    if mustWake { event_loop_wake(wake) }
  }

  /// Ends the thread and forgets all handlers, timers and jobs; returns when none of them runs any more.
  package func stop() {
    let thread = state.withLock { state -> pthread_t? in
      state.isStopped = true
      defer { state.thread = nil }
      return state.thread
    }
    guard let thread else { return }
    event_loop_wake(wake)
    if Self.isOn(thread) { pthread_detach(thread) } else { pthread_join(thread, nil) }
  }

  private static func isOn(_ thread: pthread_t?) -> Bool {
    guard let thread else { return false }
    return pthread_equal(thread, pthread_self()) != 0
  }

  private func start() throws {
    let retained = Unmanaged.passRetained(self)
    try state.withLock { state in
      var thread = pthread_t()
      let code = pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          let reactor = Unmanaged<Reactor>.fromOpaque(context).takeRetainedValue()
          event_loop_name_thread("reactor")
          reactor.turn()
          return nil
        }, retained.toOpaque())
      guard code == 0 else {
        retained.release()
        throw SystemError("start a thread", code: code)
      }
      state.thread = thread
    }
  }

  private func turn() {
    let capacity = 64
    var ids = [UInt64](repeating: 0, count: capacity)
    var events = [UInt32](repeating: 0, count: capacity)
    while let timeout = runWhatIsDue() {
      let count = event_loop_wait(loop, &ids, &events, Int32(capacity), timeout)
      for index in 0..<max(0, Int(count)) { dispatch(id: ids[index], events: events[index]) }
    }
    state.withLock { state in
      for watch in state.watches.values { _ = event_loop_remove(loop, watch.descriptor) }
      state.watches = [:]
      state.alarms = AlarmQueue()
      state.jobs = []
    }
  }

  /// Runs jobs and timers; the milliseconds until the next one is due, -1 for never, `nil` to stop.
  private func runWhatIsDue() -> Int32? {
    while true {
      let now = Monotonic.now()
      let (jobs, next, isStopped) = state.withLock { state -> ([Job], Int64?, Bool) in
        defer { state.jobs = [] }
        return (state.jobs + state.alarms.takeDue(now: now), state.alarms.next, state.isStopped)
      }
      if isStopped { return nil }
      if jobs.isEmpty {
        guard let next else { return -1 }
        return Int32(clamping: (next - now + 999_999) / 1_000_000)
      }
      for job in jobs { job() }
    }
  }

  private func dispatch(id: UInt64, events: UInt32) {
    if id == 0 {
      event_loop_wake_clear(wake)
      return
    }
    // Gone where an earlier handler of this batch cancelled it.
    let handler = state.withLock { $0.watches[id]?.handler }
    handler?(Readiness(events: events))
  }
}
