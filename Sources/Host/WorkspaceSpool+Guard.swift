import CSystem
package import Core
import Glibc

extension WorkspaceSpool {
  private static let beside = "drop.beside"

  package func state(of name: FileName, of id: RunID) -> DropState? {
    guard let own = try? work.directory(id.text), let file = own.sample(of: name) else { return nil }
    var status = stat()
    guard fstat(own.fd, &status) == 0 else { return nil }
    return DropState(file: file, directory: FileSample(status))
  }

  package func clear(besides name: FileName, of id: RunID) throws -> [FileName] {
    let own = try work.directory(id.text)
    var others: [FileName] = []
    try own.forEachName { if $0 != name { others.append($0) } }
    if others.isEmpty { return [] }
    let place = try runs.directory(id.text, making: true).directory(Self.beside, making: true)
    for other in others {
      try place.removeTree(other)
      let status = other.withCName { penstock_rename_noreplace(own.fd, $0, place.fd, $0) }
      guard status == 0 || status == -ENOENT else {
        throw HostError.failed("move", own.path + "/" + other.displayed, code: -status)
      }
    }
    return others
  }

  package func sample(at path: String) -> FileSample? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return FileSample(status)
  }

  package func digest(at path: String) throws -> String { try SHA256.hex(ofFile: path) }
}
