import Core
import Glibc

extension LaunchFailure {
  /// What will keep a file that may be executed from starting, in words; `nil` where nothing can be seen.
  package static func foreseen(at path: String) -> String? {
    let evidence = Evidence(inspecting: path)
    guard evidence.file == .executable else { return nil }
    let code: Int32
    if let interpreter = evidence.interpreter {
      if access(interpreter, X_OK) == 0 { return nil }
      code = errno
    } else {
      // what is no text some other format of the kernel's may take (binfmt_misc)
      guard evidence.machine != nil || Evidence.isText(path) else { return nil }
      code = ENOEXEC
    }
    return LaunchFailure(step: .execute, code: code).executeReason(evidence)
  }
}

extension LaunchFailure.Evidence {
  fileprivate static func isText(_ path: String) -> Bool { !head(of: path).contains(0) }

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
      let head = Self.head(of: path)
      self.init(file: .executable, interpreter: Self.interpreter(in: head), machine: Self.foreignMachine(in: head))
    }
  }

  private static func head(of path: String) -> [UInt8] {
    // A FIFO would not answer.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return [] }
    defer { _ = close(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(file, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }

  /// `e_machine` of elf(5), by name where it is one of the usual ones.
  private static func foreignMachine(in head: [UInt8]) -> String? {
    guard let machine = machine(in: head), machine != Self.machine(in: Self.head(of: "/proc/self/exe")) else {
      return nil
    }
    let names = [3: "i386", 8: "mips", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"]
    return names[machine] ?? "machine \(machine) of elf(5)"
  }

  private static func machine(in head: [UInt8]) -> Int? {
    guard head.count > 19, head.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
    let isLittle = head[5] == 1
    return Int(head[isLittle ? 19 : 18]) << 8 | Int(head[isLittle ? 18 : 19])
  }

  /// The program after `#!`, execve(2): blanks may stand before and an argument behind it.
  private static func interpreter(in head: [UInt8]) -> String? {
    guard head.count > 2, head.starts(with: "#!".utf8) else { return nil }
    let line = head[2...].prefix { $0 != UInt8(ascii: "\n") }
    let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let word = line.drop { blanks.contains($0) }.prefix { !blanks.contains($0) }
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }
}
