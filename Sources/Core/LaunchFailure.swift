/// Why a program could not be started, as the spawner tells it.
package struct LaunchFailure: Error, Sendable, Equatable {
  /// What did not work; the raw values are those of wire.h.
  package enum Step: Int, Sendable, Equatable, CaseIterable {
    case unknown
    case request
    case descriptors
    case fork
    case limits
    case priority
    case stdio
    case directory
    case execute
    case keeper
  }

  /// What the file system says of an executable that did not start.
  package struct Evidence: Sendable, Equatable {
    package enum File: Sendable, Equatable {
      case missing
      case directory
      case notExecutable
      case executable
    }

    package var file: File
    /// What stands after `#!` in its first line.
    package var interpreter: String?
    /// The kind of machine it is built for, where that is not this one: `aarch64`.
    package var machine: String?

    package init(file: File, interpreter: String? = nil, machine: String? = nil) {
      self.file = file
      self.interpreter = interpreter
      self.machine = machine
    }
  }

  package var step: Step
  /// errno(3) of Linux; for `keeper` the signal that killed or stopped it.
  package var code: Int32

  package init(step: Step, code: Int32) {
    self.step = step
    self.code = code
  }

  /// Says what did not work, where, and what to do.
  package func words(executable: String, directory: String, evidence: Evidence? = nil) -> String {
    let program = "`\(Display.escaped(executable))`"
    switch step {
    case .directory:
      return "cannot start \(program) in `\(Display.escaped(directory))`: \(directoryReason)"
    case .execute:
      return "cannot start \(program): \(executeReason(evidence))"
    case .keeper where Code.stops.contains(code):
      return "ended \(program): it was rid of the process that watches over it, which signal \(code) stopped"
    case .keeper:
      return "lost \(program): the process that watches over it was killed by signal \(code)"
    case .fork:
      return "cannot start \(program): no further process is possible (\(errorName)); see `ulimit -u`"
    case .descriptors:
      return "cannot start \(program): no descriptor is left (\(errorName)); see `ulimit -n`"
    case .limits: return "cannot start \(program): its limits cannot be set (\(errorName))"
    case .priority: return "cannot start \(program): it cannot be given idle priority (\(errorName))"
    case .request where code == Code.cancelled: return "\(program) was not begun"
    case .request, .stdio, .unknown:
      return "cannot start \(program): the spawner cannot use the request (\(step), \(errorName))"
    }
  }

  /// Whether the machine had no room for another process: then it may have later.
  package var isShortage: Bool {
    switch step {
    case .fork: [Code.again, Code.noMemory].contains(code)
    case .descriptors: [Code.tooManyFiles, Code.tooManyInSystem, Code.noMemory].contains(code)
    default: false
    }
  }

  private var directoryReason: String {
    switch code {
    case Code.noEntry: "the directory is missing"
    case Code.notDirectory: "it is no directory"
    case Code.access: "the agent may not enter the directory"
    default: errorName
    }
  }

  /// Why the program itself does not start.
  package func executeReason(_ evidence: Evidence?) -> String {
    switch (code, evidence?.file, evidence?.interpreter) {
    case (Code.noEntry, .executable?, let interpreter?) where interpreter.hasSuffix("\r"):
      "it has Windows line ends, and its first line asks for `\(Display.escaped(interpreter))`: "
        + "`sed -i 's/\\r$//'` on it removes them"
    case (Code.noEntry, .executable?, let interpreter?):
      "its first line asks for `\(Display.escaped(interpreter))`, which is missing"
    case (Code.access, .executable?, let interpreter?):
      "its first line asks for `\(Display.escaped(interpreter))`, which may not be executed"
    case (Code.noEntry, .executable?, nil): "the loader or interpreter it needs is missing"
    case (Code.noEntry, _, _): "there is no such file"
    case (Code.access, .directory?, _): "it is a directory"
    case (Code.access, .notExecutable?, _): "it is not executable; `chmod +x` makes it so"
    case (Code.access, _, _):
      "the agent may not execute it (error 13: its mode, its directories, or `noexec`)"
    case (Code.format, _, _) where evidence?.machine != nil:
      "it is built for another kind of machine (\(evidence?.machine ?? ""))"
    case (Code.format, _, _): "it is no program for this machine, and no script: a script begins with `#!`"
    case (Code.tooBig, _, _):
      "its arguments and environment are too long together, or one is over 128 KiB (\(errorName))"
    case (Code.busy, _, _): "somebody still has it open for writing; four tries in one second"
    case (Code.loop, _, _): "its links or interpreters go in a circle"
    default: errorName
    }
  }

  private var errorName: String {
    switch code {
    case Code.tooBig: "E2BIG, error 7"
    case Code.again: "EAGAIN, error 11"
    case Code.noMemory: "ENOMEM, error 12"
    case Code.tooManyInSystem: "ENFILE, error 23"
    case Code.tooManyFiles: "EMFILE, error 24"
    case Code.nameTooLong: "ENAMETOOLONG, error 36"
    case Code.proto: "EPROTO, error 71"
    default: "error \(code)"
    }
  }

  /// errno(3) as Linux numbers it on every architecture we build for.
  private enum Code {
    static let noEntry: Int32 = 2
    static let tooBig: Int32 = 7
    static let format: Int32 = 8
    static let again: Int32 = 11
    static let noMemory: Int32 = 12
    static let access: Int32 = 13
    static let notDirectory: Int32 = 20
    static let tooManyInSystem: Int32 = 23
    static let tooManyFiles: Int32 = 24
    static let busy: Int32 = 26
    static let nameTooLong: Int32 = 36
    static let loop: Int32 = 40
    static let proto: Int32 = 71
    static let cancelled: Int32 = 125
    /// SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU of signal(7).
    static let stops: ClosedRange<Int32> = 19...22
  }
}
