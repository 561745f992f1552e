import Core
import Glibc
import Synchronization

/// What was found of programs and of the directories they lie in, each for as long as its inode, size and times stay.
///
/// Nothing is trusted that changed just before it was looked at, as with digests.
final class ProgramMemory: Sendable {
  private struct Known<Value: Sendable>: Sendable {
    var sample: FileSample
    var value: Value
  }

  /// More are forgotten all at once.
  private static let most = 4096

  /// What lies in a directory of hooks.
  enum Listed: Sendable {
    case program(path: String, isBackup: Bool)
    /// Its name is no text.
    case unusable(ProgramFile)
  }

  private let listings = Mutex<[String: Known<[Listed]>]>([:])
  private let files = Mutex<[String: Known<ProgramFile>]>([:])

  /// What lies in a directory, in order; `read` is asked where it is not known.
  func listing(of path: String, _ status: stat, read: () throws -> [Listed]) rethrows -> [Listed] {
    let sample = FileSample(status)
    if let known = listings.withLock({ $0[path] }), known.sample == sample { return known.value }
    let began = FileDigests.now()
    let found = try read()
    if FileDigests.isSettled(sample, asOf: began) {
      listings.withLock { $0.keep(Known(sample: sample, value: found), of: path, most: Self.most) }
    }
    return found
  }

  /// What was found of the program itself, whatever lies above it; `nil` where it must be looked at.
  func file(_ path: String, _ sample: FileSample, hashing: Bool) -> ProgramFile? {
    guard let known = files.withLock({ $0[path] }), known.sample == sample else { return nil }
    return hashing && known.value.sha256 == nil ? nil : known.value
  }

  /// - Parameter moment: when it was looked at, nanoseconds since 1970.
  func remember(_ file: ProgramFile, _ sample: FileSample, asOf moment: Int64) {
    guard FileDigests.isSettled(sample, asOf: moment) else { return }
    files.withLock { $0.keep(Known(sample: sample, value: file), of: file.path, most: Self.most) }
  }
}

extension Dictionary {
  fileprivate mutating func keep(_ value: Value, of key: Key, most: Int) {
    if count >= most { removeAll() }
    self[key] = value
  }
}
