package import Core

/// The files in which the identity of a stage lies: its program, those its manifest or `files:` name, those in its argv.
package struct IdentityFiles: Sendable {
  private let programs: any Programs
  private let digests: any Digests
  private let home: String
  /// The size of a regular file; `nil` where there is none.
  private let bytes: @Sendable (String) -> Int?

  /// - Parameter home: absolute path of the workspace.
  package init(
    programs: any Programs, digests: any Digests, home: String, bytes: @escaping @Sendable (String) -> Int?
  ) {
    self.programs = programs
    self.digests = digests
    self.home = home
    self.bytes = bytes
  }

  /// SHA-256 by path, relative to the kit or the workspace where it lies in it; `nil` where a file is not there.
  /// - Throws: `HostError` where a file cannot be read or is none.
  package func digests(of stage: Stage, _ manifest: Manifest?, params: [String: JSON]) throws -> [String: String?] {
    let root = manifest?.kit ?? home
    var files: [String: String?] = [:]
    for file in manifest?.files ?? stage.files ?? [] {
      let path = file.hasPrefix("/") ? file : root + "/" + file
      files.updateValue(try digests.digest(ofFile: path), forKey: file)
    }
    for (index, word) in stage.program.enumerated() {
      // one that names an input or the working directory is another in each run
      guard
        let expanded = try? ArgumentTemplate.expand(
          argv: [word], input: nil, home: home, out: "", params: params
        ).first
      else { continue }
      let path = index == 0 ? programs.resolve(expanded, hashing: false).path : expanded
      guard path.hasPrefix("/"), bytes(path) != nil, let digest = try digests.digest(ofFile: path) else { continue }
      files[shown(path, root)] = digest
    }
    return files
  }

  private func shown(_ path: String, _ root: String) -> String {
    for base in [root, home] where !base.isEmpty && path.hasPrefix(base + "/") {
      return String(path.dropFirst(base.count + 1))
    }
    return path
  }
}

extension Workbench {
  package var identity: IdentityFiles {
    let spool = spool
    return IdentityFiles(programs: programs, digests: spool.digests, home: home) { spool.bytes(at: $0) }
  }
}
