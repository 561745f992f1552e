import CSystem
import Core
import Glibc

/// An output that a program named, open where it lies.
struct OpenOutput {
  let descriptor: Descriptor
  let bytes: Int

  /// Opens an output by its path in the working directory; nothing outside is ever followed.
  /// - Throws: `HostError` naming the output that is missing, no regular file, outside, or in the checkpoint.
  init(_ output: StageReply.Output, in directory: Directory) throws {
    let shown = "output `\(Display.escaped(output.name))`"
    if WorkspaceSpool.isInCheckpoint(output.path) {
      throw HostError(
        "\(shown) lies in `\(WorkspaceSpool.checkpoint)/`, which is for the next try and is never published: leave it beside it"
      )
    }
    let path = "`\(Display.escaped(output.path))`"
    let fd = penstock_open_beneath(directory.fd, output.path, O_RDONLY | O_NONBLOCK)
    guard fd >= 0 else { throw HostError("\(shown) \(Self.refusal(code: -fd, path))", code: -fd) }
    descriptor = Descriptor(owning: fd)
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("\(shown) is no regular file: \(path)")
    }
    bytes = Int(status.st_size)
  }

  private static func refusal(code: Int32, _ path: String) -> String {
    switch code {
    case ENOENT: "is not there: no file \(path) in the working directory"
    case EXDEV, ELOOP: "leaves the working directory: \(path)"
    default: "cannot be read: \(path): \(String(cString: strerror(code)))"
    }
  }
}
