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
  let live: JSON?

  private func shown(_ path: String) -> String {
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
        if isNeeded {
          findings.append(.init(.bad, shown(path), "is missing", remedy: "mkdir \(shown(path))"))
        }
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
      findings.append(.init(.bad, "var", "belongs to user \(mode.owner)", remedy: "run as its owner"))
    }
    return findings.isEmpty
      ? [.init(.good, "directories", "inbox, pipelines, hooks, stages and those of var are as they should be")]
      : findings
  }

  func settings(_ diagnostics: [Diagnostic]) -> HealthFinding {
    guard let first = diagnostics.first else { return .init(.good, "settings", "etc/penstock.yaml is valid") }
    return .init(
      diagnostics.hasErrors ? .bad : .odd, "settings", "\(first.mark.displayed): \(first.message)",
      remedy: first.hint ?? "penstock check etc/penstock.yaml")
  }

  func state() async -> [HealthFinding] {
    do {
      let health = try await StateReader(path: workspace.database).health()
      let size = Quantity.text(bytes: health.bytes)
      guard health.damage.isEmpty else {
        return [
          .init(
            .bad, "database", "is damaged: \(health.damage[0])",
            remedy: StoreError.corrupt(path: workspace.database, detail: health.damage[0]).description)
        ]
      }
      let journal =
        health.journal == "wal"
        ? "write-ahead log; every commit is synced (FULL)" : "journal \(health.journal)"
      return [.init(health.journal == "wal" ? .good : .odd, "database", "sound, \(size), \(journal)")]
    } catch StoreError.missing {
      return [.init(.good, "database", "none yet: the first agent makes it")]
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

  func disks() -> [HealthFinding] {
    var findings: [HealthFinding] = []
    let state = Health.mode(of: workspace.state) == nil ? workspace.home : workspace.state
    for path in [workspace.inbox, state] {
      guard let disk = Health.disk(of: path) else { continue }
      let name = path == workspace.home ? "var" : shown(path)
      findings.append(
        disk.kind.isRemote
          ? .init(
            .odd, name,
            "is on \(disk.kind.name), which others may write to unseen by this kernel: \(path == workspace.inbox ? "it is looked at every \(Quantity.spelled(settings.poll)), and drops settle five times as long" : "locks and syncs may be weaker there")",
            remedy: "keep \(name)/ on a local disk where that can be")
          : .init(.good, name, "is on \(disk.kind.name), \(Quantity.text(bytes: disk.free)) free"))
      if disk.free < settings.reserve {
        findings.append(
          .init(
            .bad, name,
            "only \(Quantity.text(bytes: disk.free)) are free, less than the reserve of \(Quantity.text(bytes: settings.reserve)): nothing is claimed",
            remedy: "free space, or lower `reserve` in etc/penstock.yaml"))
      }
    }
    if let trouble = Health.renameTrouble(from: workspace.inbox, to: state) {
      findings.append(
        .init(
          .bad, "claim", "a drop cannot be renamed from inbox/ into var/: \(trouble)",
          remedy: "keep inbox/ and var/ on one filesystem"))
    } else {
      findings.append(.init(.good, "claim", "a drop can be renamed from inbox/ into var/"))
    }
    findings.append(
      Health.leasesWork(in: workspace.inbox)
        ? .init(.good, "leases", "the kernel tells here whether a drop is still being written")
        : .init(
          .odd, "leases",
          "the kernel does not tell here whether a drop is still being written: drops settle by their age",
          remedy: "producers should rename finished files into inbox/, as `penstock put` does"))
    return findings
  }

  func hooks(_ pipelines: [LoadedPipeline]) -> [HealthFinding] {
    let programs = HostPrograms(
      home: workspace.home, path: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    let listing = HookListing.read(
      workspace: workspace, versions: pipelines.compactMap(\.version?.pipeline), settings: settings, programs: programs)
    // a name that is plainly switched off is no trouble
    let refused = listing.hooks.filter { $0.file.refusal != nil && !$0.file.shown.hasSuffix(".disabled") }
    let findings = refused.map { hook in
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
