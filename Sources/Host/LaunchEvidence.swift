import Core
import Glibc

extension LaunchFailure.Evidence {
  /// Looks at what could not be executed.
  init(inspecting path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      self.init(file: .missing)
      return
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      self.init(file: .directory)
    } else if access(path, X_OK) != 0 {
      self.init(file: .notExecutable)
    } else {
      self.init(file: .executable, interpreter: Self.interpreter(of: path))
    }
  }

  /// The program after `#!`, execve(2): blanks may stand before and an argument behind it.
  private static func interpreter(of path: String) -> String? {
    // A FIFO would not answer.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { _ = close(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(file, &bytes, bytes.count)
    guard count > 2, bytes.starts(with: "#!".utf8) else { return nil }
    let line = bytes[2..<count].prefix { $0 != UInt8(ascii: "\n") }
    let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let word = line.drop { blanks.contains($0) }.prefix { !blanks.contains($0) }
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }
}
