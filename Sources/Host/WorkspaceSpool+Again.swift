package import Core
import Glibc

extension WorkspaceSpool {
  package func copyIn(filed filing: Filing, as id: RunID) throws -> FileSample {
    guard let name = filing.name else { throw HostError("run `\(filing.id)` had no drop") }
    let shown = "var/\(filing.destination.rawValue)/\(filing.id)/\(name.displayed)"
    let own: Directory
    do { own = try filed.directory(filing.destination).directory(filing.id.text) } catch {
      throw HostError("`\(shown)` is not there any more")
    }
    let source = name.withCName { openat(own.fd, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
    guard source >= 0 else {
      switch errno {
      case ENOENT: throw HostError("`\(shown)` is not there any more")
      case ELOOP:
        throw HostError("`\(shown)` is a symbolic link, and no link is ever followed: `penstock put` what it points to")
      default: throw HostError.failed("read", shown)
      }
    }
    defer { close(source) }
    var status = stat()
    guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("`\(shown)` is no regular file: there is nothing to run on")
    }
    return try copyIn(source, path: FileName(shown), name: name, as: id)
  }
}
