import ArgumentParser
import Core
import Foundation
import Host
import Store

/// `penstock -C DIR status`, as git and make have it: the workspace may be named before the command.
enum WorkspaceFirst {
  /// The same words with the workspace behind the command's own, where ArgumentParser looks for it.
  static func arranged(_ words: [String]) -> [String] {
    guard let first = words.first else { return words }
    let isPair = ["-C", "--workspace"].contains(first) && words.count > 2
    guard isPair || first.hasPrefix("--workspace=") else { return words }
    let named = words.prefix(isPair ? 2 : 1)
    let rest = words.dropFirst(named.count)
    let end = rest.firstIndex(of: "--") ?? rest.endIndex
    return Array(rest[..<end] + named + rest[end...])
  }
}

@main
struct Penstock: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "penstock",
    abstract: "Runs the matching pipeline for every file dropped into an inbox.",
    discussion: """
      A drop is claimed durably, each stage is an ordinary program speaking JSON, and your own hooks run before and \
      after every stage. `penstock init DIR` makes a workspace that works at once.
      """,
    version: "0.1.0",
    subcommands: [
      Init.self, Up.self, Put.self, StatusCommand.self, Runs.self, Show.self, Logs.self, InboxCommand.self,
      Why.self, RunCommand.self, Rerun.self, Retry.self, Acknowledge.self, Cancel.self, Check.self,
      SchemaCommand.self, ScheduleCommand.self, Stages.self, PolicyCommand.self, TrialsCommand.self, Hooks.self,
      Doctor.self, Clear.self,
    ])

  /// Wide enough that a task that blocks on a disk keeps no other waiting.
  private static let threads = 4

  static func main() {
    Machine.ignoreBrokenPipes()
    ThreadPool(width: threads).runBlocking { await work() }
  }

  @concurrent private static func work() async {
    do {
      var command = try command(of: WorkspaceFirst.arranged(Array(CommandLine.arguments.dropFirst())))
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      endIfUnheard()
      end(error)
    }
    endIfUnheard()
  }

  private static func command(of words: [String]) throws -> any ParsableCommand {
    let names = CommandNames(root: Penstock.self)
    if let complaint = names.complaint(aboutHelp: words) { throw CommandFailure(complaint) }
    do { return try parseAsRoot(words) } catch {
      guard let complaint = names.complaint(about: words, said: message(for: error)) else { throw error }
      throw CommandFailure(complaint)
    }
  }

  /// An answer that nobody could read is no answer, whatever it says.
  private static func endIfUnheard() {
    if StandardOutput.failure == 0 { return }
    if StandardOutput.isBroken { Foundation.exit(ExitCodes.unread) }
    Output.complain("the answer cannot be written: \(SystemError.words(StandardOutput.failure))")
    Foundation.exit(ExitCodes.storageFailed)
  }

  /// A disk that fails, a machine that is short of something for now, or what the user named.
  private static func exitCode(of trouble: HostError) -> Int32 {
    switch trouble.code {
    case EIO, ENOSPC, EDQUOT, EROFS: ExitCodes.storageFailed
    case EMFILE, ENFILE, ENOMEM, EAGAIN: ExitCodes.tryLater
    default: ExitCodes.usage
    }
  }

  private static func end(_ error: any Error) -> Never {
    switch error {
    case let failure as CommandFailure:
      Output.complain(failure.description)
      Foundation.exit(failure.code)
    case let trouble as HostError:
      Output.complain(trouble.description)
      Foundation.exit(exitCode(of: trouble))
    case let trouble as StoreError:
      Output.complain("\(trouble)")
      let other = trouble.isTransient ? ExitCodes.tryLater : ExitCodes.usage
      Foundation.exit(trouble.isStorageFailure ? ExitCodes.storageFailed : other)
    case let silence as AgentSilent:
      Output.complain(silence.description)
      Foundation.exit(ExitCodes.tryLater)
    case let held as InstanceLock.Held:
      Output.complain(held.description)
      Foundation.exit(ExitCodes.tryLater)
    case let held as InboxLock.Held:
      Output.complain(held.description)
      Foundation.exit(ExitCodes.tryLater)
    case let code as ExitCode: Foundation.exit(code.rawValue)
    default:
      // ArgumentParser's own errors; its usage code is 64, ours is 2
      if exitCode(for: error) == .validationFailure {
        FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
        Foundation.exit(ExitCodes.usage)
      }
      exit(withError: error)
    }
  }
}
