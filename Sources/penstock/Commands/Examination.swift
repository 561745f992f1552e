import Core
import Foundation
import Host
import Store

/// What `doctor` looks at, one thing after the other.
struct Examination {
  let workspace: Workspace
  let settings: Settings
  let environment: [String: String]
  /// What the agent answers; `nil` where none does.
  var live: JSON?
  /// One is there and does not.
  var isSilent = false

  func shown(_ path: String) -> String {
    path.hasPrefix(workspace.home + "/") ? String(path.dropFirst(workspace.home.count + 1)) : path
  }

  func directories() -> [HealthFinding] {
    var findings: [HealthFinding] = []
    for (path, isNeeded) in [
      (workspace.inbox, true), (workspace.pipelines, true), (workspace.hooks, false),
      (workspace.stages, false), (workspace.state + "/work", false), (workspace.state + "/runs", false),
      (workspace.state + "/done", false), (workspace.state + "/failed", false),
      (workspace.state + "/quarantine", false),
    ] {
      guard let mode = Health.mode(of: path) else {
        if isNeeded { findings.append(missing(path)) }
        continue
      }
      if !mode.isDirectory || path.hasPrefix(workspace.state + "/") && mode.isLink {
        findings.append(
          .init(
            .bad, shown(path), mode.isLink ? "is a link, which is not followed there" : "is no directory",
            remedy: "move it away and make a directory of that name"))
      } else if path == workspace.inbox, !mode.isWritable {
        findings.append(
          .init(
            .bad, shown(path), "may not be written to by this user",
            remedy: "run as its owner, or chmod u+rwx it"))
      } else if path != workspace.inbox, mode.permissions & 0o002 != 0 {
        findings.append(
          .init(
            .bad, shown(path), "is writable by everyone, so nothing in it is run",
            remedy: "chmod o-w \(shown(path))"))
      }
    }
    if let mode = Health.mode(of: workspace.state), !mode.isMine {
      let owner = UserName.of(mode.owner)
      let what =
        workspace.foreignState == nil ? "" : ", so what is in it, and the agent, cannot be looked at by this one"
      findings.append(
        .init(.bad, "var", "belongs to user \(owner)" + what, remedy: "as its owner: sudo -u \(owner) penstock doctor"))
    }
    return findings.isEmpty
      ? [.init(.good, "directories", "inbox, pipelines, hooks, stages and those of var are as they should be")]
      : findings
  }

  private func missing(_ path: String) -> HealthFinding {
    if let target = MissingDirectory.target(of: path) {
      return .init(
        .bad, shown(path), "is a link to `\(target)`, which is not there", remedy: "make or mount that directory")
    }
    let mount = path == workspace.inbox ? ", or move back or mount what belongs there" : ""
    return .init(.bad, shown(path), "is missing", remedy: "mkdir \(shown(path))\(mount)")
  }

  func settings(_ diagnostics: [Diagnostic]) -> HealthFinding {
    guard let first = diagnostics.first else {
      if let began = live?["started"]?.string.flatMap(Timestamp.date),
        let changed = RegularFile.changed(at: workspace.home + "/" + SettingsFile.path), changed > began
      {
        return .init(
          .odd, "settings", "etc/penstock.yaml changed after the agent began, which reads it at its start",
          remedy: "stop the agent and start it again")
      }
      return .init(.good, "settings", "etc/penstock.yaml is valid")
    }
    return .init(
      diagnostics.hasErrors ? .bad : .odd, "settings", "\(first.mark.displayed): \(first.message)",
      remedy: first.hint ?? "penstock check etc/penstock.yaml")
  }

  func state() async -> [HealthFinding] {
    do {
      let health = try await StateReader(path: workspace.database).health()
      let size = Quantity.text(bytes: health.bytes)
      guard health.damage.isEmpty else {
        let damage = StoreError.corrupt(path: workspace.database, detail: health.damage[0])
        return [.init(.bad, "database", "is damaged: \(health.damage[0])", remedy: damage.remedy)]
      }
      let journal =
        health.journal == "wal"
        ? "write-ahead log; every commit is synced (FULL)" : "journal \(health.journal)"
      return [.init(health.journal == "wal" ? .good : .odd, "database", "sound, \(size), \(journal)")]
    } catch StoreError.missing {
      return [.init(.good, "database", "none yet: the first agent makes it")]
    } catch let error as StoreError {
      return [.init(.bad, "database", error.trouble, remedy: error.remedy)]
    } catch {
      return [.init(.bad, "database", "\(error)")]
    }
  }

  func agent(last: AgentRecord?) -> [HealthFinding] {
    if let live {
      let pid = Shown.value(live["pid"] ?? .null)
      var findings = [HealthFinding(.good, "agent", "runs (pid \(pid)) and answers on var/penstock.sock")]
      for trouble in (live["watch"]?["troubles"]?.array ?? []).compactMap(\.string) {
        findings.append(.init(.bad, "watching", trouble))
      }
      for trouble in (live["state"]?["troubles"]?.array ?? []).compactMap(\.string) {
        findings.append(.init(.bad, "database", trouble))
      }
      if let paused = live["watch"]?["paused"]?.string {
        findings.append(
          .init(.bad, "intake", "paused: \(paused)", remedy: live["watch"]?["remedy"]?.string))
      }
      return findings
    }
    if isSilent {
      let pid = last.map { " (pid \($0.pid))" } ?? ""
      return [
        .init(
          .bad, "agent", "is there\(pid) and does not answer: it was stopped, or its disk hangs",
          remedy: "`kill -CONT` lets one go on that was stopped")
      ]
    }
    guard FileManager.default.fileExists(atPath: workspace.socket) else {
      return [.init(.odd, "agent", "does not run", remedy: "penstock up")]
    }
    let died =
      last.map { $0.ended == nil ? "the last one (pid \($0.pid)) died" : "the last one stopped" }
      ?? "none is recorded"
    return [.init(.odd, "agent", "does not run: \(died)", remedy: "penstock up; it takes up what was left")]
  }

  func watching() -> [HealthFinding] {
    let usage = Health.inotifyUsage()
    return [
      ("max_user_instances", usage.instances, "instances"), ("max_user_watches", usage.watches, "watches"),
    ].map { name, used, noun in
      guard let limit = Health.inotifyLimit(name) else {
        return .init(.odd, "inotify", "fs.inotify.\(name) cannot be read")
      }
      let isTight = used * 10 > limit * 9
      return .init(
        isTight ? .bad : .good, "inotify", "\(used) of \(limit) \(noun) are used",
        remedy: isTight ? "sudo sysctl fs.inotify.\(name)=\(limit * 4)" : nil)
    }
  }

  func hooks(_ pipelines: [LoadedPipeline]) -> [HealthFinding] {
    let programs = HostPrograms(
      home: workspace.home, path: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    let listing = HookListing.read(
      workspace: workspace, versions: pipelines.compactMap(\.version?.pipeline), settings: settings, programs: programs)
    let findings = listing.refused.map { hook in
      HealthFinding(
        .bad, "hook", "\(hook.file.shown) does not run: \(hook.file.refusal ?? "")", remedy: "penstock hooks")
    }
    let running = listing.hooks.count - listing.hooks.count { $0.file.refusal != nil }
    return findings.isEmpty ? [.init(.good, "hooks", "\(Shown.count(running, "hook")) will run")] : findings
  }

  func clock(now: Date) -> HealthFinding {
    // this program did not exist before
    let built = Date(timeIntervalSince1970: 1_735_689_600)
    return now < built
      ? .init(
        .bad, "clock", "says \(LocalTime.full(now)), which is in the past",
        remedy: "set it, such as by `timedatectl set-ntp true`")
      : .init(.good, "clock", "\(LocalTime.full(now)), time zone \(TimeZone.current.identifier)")
  }

  func programs() async -> [HealthFinding] {
    let spawner = Machine.programDirectory() + "/penstock-spawner"
    guard FileManager.default.isExecutableFile(atPath: spawner) else {
      return [
        .init(
          .bad, "spawner", "`\(spawner)` is missing: nothing can be run",
          remedy: "install penstock-spawner beside penstock")
      ]
    }
    guard let reactor = try? Reactor() else { return [.init(.bad, "spawner", "no event loop can be made")] }
    let runner = SpawnerRunner(spawner: spawner, reactor: reactor)
    var findings = [
      await answer(
        runner, "/bin/true", [], "spawner", good: "runs programs",
        remedy: "look at the permissions of `\(spawner)`")
    ]
    findings += await kit(runner)
    await runner.stop()
    reactor.stop()
    return findings
  }

  private func kit(_ runner: SpawnerRunner) async -> [HealthFinding] {
    let kit = Kit(
      settings: settings, workspace: workspace, environment: environment, program: Machine.programDirectory())
    guard let directory = kit.directory else {
      return [
        .init(
          .odd, "kit", "there is no stage kit: pipelines may still `run:` any program",
          remedy: "`make kit` in the checkout, then `kit:` in etc/penstock.yaml or PENSTOCK_KIT names its stages/")
      ]
    }
    let python = directory + "/.venv/bin/python"
    guard FileManager.default.isExecutableFile(atPath: python) else {
      return [
        .init(.odd, "kit", "the stages in `\(directory)` have no Python environment yet", remedy: "make kit")
      ]
    }
    return [
      await answer(
        runner, python, ["-c", "import penstock_stages"], "kit", good: "`\(directory)` works",
        remedy: "make kit")
    ]
  }

  private func answer(
    _ runner: SpawnerRunner, _ program: String, _ arguments: [String], _ subject: String, good: String,
    remedy: String
  ) async -> HealthFinding {
    let request = ProgramRequest(
      executable: program, arguments: [program] + arguments, environment: ["PATH": "/usr/bin:/bin"],
      directory: workspace.home, timeout: .seconds(20))
    do {
      let result = try await runner.run(request)
      switch result.termination {
      case .exited(0): return .init(.good, subject, good)
      case .exited(let code):
        return .init(.bad, subject, "`\(program)` ended with exit code \(code)", remedy: remedy)
      case .signaled(let signal):
        return .init(.bad, subject, "`\(program)` was ended by signal \(signal)", remedy: remedy)
      case .unstarted(let why): return .init(.bad, subject, why, remedy: remedy)
      }
    } catch { return .init(.bad, subject, "\(error)", remedy: remedy) }
  }
}
