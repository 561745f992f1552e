import Core
import Glibc

/// Names of configuration files below a directory.
enum ConfigurationTree {
  /// Directories below each other; deeper ones are a mistake or a circle of links.
  private static let deepest = 8
  /// Files; more are a mistake.
  private static let most = 10_000

  /// Paths relative to `directory` with one of the endings, in order; what stands there need not be a file.
  ///
  /// Hidden and backup names are left out, as are directories that cannot be read; links to directories are not
  /// followed.
  static func files(
    in directory: String, endings: [String], leavingOut skipped: Set<String> = []
  ) -> [String] {
    func isMeant(_ name: String) -> Bool { endings.contains { name.hasSuffix($0) && name != $0 } }
    var found: [String] = []
    var waiting: [(path: String, depth: Int)] = [("", 0)]
    while let (path, depth) = waiting.popLast(), found.count < most {
      guard let stream = opendir(path.isEmpty ? directory : directory + "/" + path) else { continue }
      defer { closedir(stream) }
      while let entry = readdir(stream) {
        let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
        guard let name = String(validating: bytes, as: UTF8.self), !isLeftOut(name) else { continue }
        let relative = path.isEmpty ? name : path + "/" + name
        switch kind(of: entry.pointee.d_type, directory + "/" + relative) {
        case .directory where depth < deepest && !skipped.contains(name):
          waiting.append((relative, depth + 1))
        // what only looks like a file is told by who reads it
        case .file where isMeant(name), .other where isMeant(name): found.append(relative)
        default: break
        }
      }
    }
    return found.sorted()
  }

  private enum Kind { case directory, file, other }

  private static func kind(of type: UInt8, _ path: String) -> Kind {
    switch Int32(type) {
    case Int32(DT_DIR): return .directory
    case Int32(DT_REG): return .file
    default: break
    }
    var status = stat()
    guard lstat(path, &status) == 0 else { return .other }
    if status.st_mode & S_IFMT == S_IFDIR { return .directory }
    guard stat(path, &status) == 0 else { return .other }
    return status.st_mode & S_IFMT == S_IFREG ? .file : .other
  }

  private static func isLeftOut(_ name: String) -> Bool {
    name.hasPrefix(".") || name.hasPrefix("#") || name.hasSuffix("~")
  }
}
