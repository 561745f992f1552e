import Core
import Engine
import Foundation
import Host
import Store

/// The composition root: from settings to every object, in the order they need each other.
struct Assembly: Sendable {
  let workspace: Workspace
  let settings: Settings
  let agent: Agent
  let bench: Workbench
  let reactor: Reactor
  let store: StateStore
  let runner: SpawnerRunner
  private let workers: WorkerPools
  private let watcher: InotifyWatcher
  private let lock: InstanceLock
  private let logs: LogFiles
  private let late: LateWork
  private let inboxLock: InboxLock
  private let sentinel: FileSentinel?
  private let clockWatch: ClockWatch

  /// Takes the lock and opens everything.
  /// - Parameter report: told everything that happens, one after another, after it is logged.
  /// - Throws: `InstanceLock.Held`, `StoreError`, `HostError`, or `CommandFailure` for bad settings.
  init(_ workspace: Workspace, report: @escaping @Sendable (Event) -> Void) throws {
    let environment = ProcessInfo.processInfo.environment
    self.workspace = workspace
    settings = try Self.settings(workspace)
    try workspace.prepareState()
    do { try StatePlace.check(workspace.state) } catch let refusal as HostError {
      throw CommandFailure(refusal.description, code: ExitCodes.storageFailed)
    }
    if let trouble = MissingDirectory.trouble(at: workspace.inbox) {
      throw CommandFailure(trouble.description, code: ExitCodes.tryLater)
    }
    lock = try Self.lock(workspace)
    inboxLock = try Self.inboxLock(workspace)
    store = try StateStore(path: workspace.database, patience: nil)
    let spool = try WorkspaceSpool(inboxPath: workspace.inbox, varPath: workspace.state)
    reactor = try Reactor()
    let spawner = Machine.programDirectory() + "/penstock-spawner"
    let groups = ControlGroups.given(environment: environment, own: ControlGroups.own())
    if let groups { ControlGroups.prepare(groups, process: Machine.pid) }
    runner = SpawnerRunner(spawner: spawner, reactor: reactor, lock: lock, groups: groups)
    workers = WorkerPools(runner: runner)
    let secrets = settings.secrets + settings.environment.filter(SecretMask.looksSecret)
    let late = LateWork(pace: .milliseconds(20))
    self.late = late
    let logs = LogFiles(
      workspace: workspace, mask: SecretMask(values: secrets.compactMap { environment[$0] }), late: late)
    self.logs = logs
    bench = Workbench(
      store: store, spool: spool, processes: runner, workers: workers,
      programs: HostPrograms(home: workspace.home, path: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"),
      settings: settings, home: workspace.home, boot: Machine.bootID(),
      environment: Self.passing(environment),
      clock: ReactorClock(reactor: reactor), now: { Date() }, random: { SystemRandomNumberGenerator() },
      report: { event in
        // to word a line for people takes longer than to write it: not in the way of a run
        logs.write(LogWords.record(of: event)) { report(event) }
      }, later: { late.add($0) })
    let (inboxBell, configBell, stateBell, clockBell) = (Bell(), Bell(), Bell(), Bell())
    clockWatch = try ClockWatch(reactor: reactor) { clockBell.ring() }
    // without it a database that is taken away is noticed with the next write
    sentinel = try? FileSentinel(paths: store.paths, reactor: reactor) { stateBell.ring() }
    let kit = Kit(
      settings: settings, workspace: workspace, environment: environment, program: Machine.programDirectory())
    let roots = [workspace.pipelines, workspace.stages] + (kit.directory.map { [$0] } ?? [])
    let bench = bench
    watcher = InotifyWatcher(
      reactor: reactor, spool: spool, configRoots: Array(Set(roots)).sorted(), settings: settings,
      calls: InotifyWatcher.Calls(
        inbox: { inboxBell.ring() }, configs: { configBell.ring() },
        tell: { news in bench.report(Event(at: bench.now(), .watched(news))) }))
    agent = Agent(
      Agent.Parts(
        bench: bench, inbox: spool.inboxDirectory, watcher: watcher,
        loadPipelines: { [settings] in
          Registry(workspace: workspace, settings: settings, environment: environment).pipelines
        },
        monotonic: { Machine.monotonic() }, inboxBell: inboxBell, configBell: configBell,
        stateBell: stateBell, zones: ZoneFiles(environment: environment), sinceBoot: { Machine.sinceBoot() },
        clockBell: clockBell))
  }

  /// Tells what is still to be told of what happened.
  func tellAll() { logs.flush() }

  /// Ends what `init` began, the last first.
  func close() async {
    watcher.stop()
    sentinel?.stop()
    clockWatch.stop()
    await workers.stop()
    await runner.stop()
    reactor.stop()
    try? store.close()
    logs.flush()
    late.finish()
  }

  /// With our own directory at the end of PATH, so that hooks and stages can call `penstock` wherever it lies.
  private static func passing(_ environment: [String: String]) -> [String: String] {
    var environment = environment
    let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    let own = Machine.programDirectory()
    if !path.split(separator: ":").contains(Substring(own)) { environment["PATH"] = path + ":" + own }
    return environment
  }

  private static func settings(_ workspace: Workspace) throws -> Settings {
    let (settings, diagnostics) = SettingsFile.load(workspace: workspace.home)
    guard !diagnostics.hasErrors else {
      throw CommandFailure(diagnostics.map(\.rendered).joined(separator: "\n"), code: ExitCodes.badSettings)
    }
    return settings
  }

  /// An agent that died holds the lock until the last of its programs is gone, a command that works without an agent
  /// until it is done: most often a second or so.
  private static func lock(_ workspace: Workspace) throws -> InstanceLock {
    var tries = 50
    while true {
      do { return try InstanceLock(varPath: workspace.state, boot: Machine.bootID()) } catch let held
        as InstanceLock.Held
      {
        let isAgent = held.isAlive && ControlClient.isHeard(at: workspace.socket)
        if isAgent || !held.isAlive && tries == 0 { throw held }
        if tries == 0 {
          throw CommandFailure(
            "a command works in this workspace (pid \(held.pid ?? 0)), for no agent does: try again when it has ended; "
              + "Ctrl-C there, or `kill \(held.pid ?? 0)`, stops it, and nothing recorded is lost",
            code: ExitCodes.tryLater)
        }
        tries -= 1
        Thread.sleep(forTimeInterval: 0.1)
      }
    }
  }

  /// The kernel lets go of it a moment after the lock of an agent that was just killed.
  private static func inboxLock(_ workspace: Workspace) throws -> InboxLock {
    for _ in 0..<10 {
      do { return try InboxLock(path: workspace.inbox) } catch is InboxLock.Held { Thread.sleep(forTimeInterval: 0.1) }
    }
    return try InboxLock(path: workspace.inbox)
  }
}
