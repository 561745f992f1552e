import CSystem
import Core
import Glibc

/// The keepers of one spawner: the line to each, what it has in hand, and which of them are idle.
///
/// A program goes to the keeper that became idle last: what that touches is still in the caches, and the others grow old.
struct Keepers {
  private struct Keeper {
    /// `nil` where there was no descriptor left for it: the keeper ends after its program.
    let line: Descriptor?
    var token: UInt64?
  }

  /// How long a keeper waits for its next program.
  static let patience = Duration.seconds(30)

  private var known: [UInt64: Keeper] = [:]
  private var idle: [(serial: UInt64, since: Int64)] = []

  /// A keeper was made for the program of `token`.
  mutating func add(_ serial: UInt64, line: Descriptor?, token: UInt64) {
    known[serial] = Keeper(line: line, token: token)
  }

  /// What `serial` had in hand has its result; from now on, nanoseconds of `Monotonic`, it waits for the next one.
  mutating func rest(_ serial: UInt64, now: Int64) {
    guard let line = known[serial]?.line else { return }
    known[serial] = Keeper(line: line, token: nil)
    idle.append((serial, now))
  }

  /// Hands the program of `token` to an idle keeper; false where none takes it.
  mutating func pass(_ packet: [UInt8], _ descriptors: [Int32], token: UInt64) -> Bool {
    while let (serial, since) = idle.popLast() {
      guard let line = known[serial]?.line else { continue }
      var count: Int
      repeat {
        count = packet_send(line.number, packet, packet.count, descriptors, Int32(descriptors.count))
      } while count < 0 && errno == EINTR
      if count >= 0 {
        known[serial]?.token = token
        return true
      }
      if errno != EPIPE && errno != ECONNRESET {
        // too many descriptors on their way, or no memory: nothing is wrong with the keeper
        idle.append((serial, since))
        return false
      }
    }
    return false
  }

  /// Sends a packet to the keeper that has the program of `token` in hand; false where none is known.
  func send(_ packet: [UInt8], toKeeperOf token: UInt64) -> Bool {
    guard let line = line(toKeeperOf: token) else { return false }
    return packet_send(line.number, packet, packet.count, nil, 0) >= 0
  }

  /// Has no program go to the keeper of `token` any more; one that it holds will never begin.
  func cut(toKeeperOf token: UInt64) { line(toKeeperOf: token)?.close() }

  private func line(toKeeperOf token: UInt64) -> Descriptor? { known.values.first { $0.token == token }?.line }

  /// A keeper has ended.
  ///
  /// - Returns: the token of the program it had in hand when it was heard of last.
  mutating func remove(_ serial: UInt64) -> UInt64? {
    idle.removeAll { $0.serial == serial }
    guard let keeper = known.removeValue(forKey: serial) else { return nil }
    keeper.line?.close()
    return keeper.token
  }

  /// Lets go of those that were idle for long.
  ///
  /// - Returns: when the next one is to go, nanoseconds of `Monotonic`.
  mutating func retire(now: Int64) -> Int64? {
    let patience = Self.patience.nanoseconds
    while let oldest = idle.first {
      guard oldest.since + patience <= now else { return oldest.since + patience }
      idle.removeFirst()
      known[oldest.serial]?.line?.close()
    }
    return nil
  }

  /// The spawner is gone, and with it all of them.
  mutating func removeAll() {
    for keeper in known.values { keeper.line?.close() }
    self = Keepers()
  }
}
