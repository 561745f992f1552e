import Core
import Foundation
import Host

/// Checks the files of a workspace, and pipelines that lie elsewhere against it.
struct CheckReading {
  let workspace: Workspace
  let environment: [String: String]

  /// - Parameter asked: empty checks everything.
  func read(_ asked: [CheckedPath]) -> CheckReport {
    let outside = asked.filter { !$0.isOfWorkspace }
    let (settings, settingsFound) = SettingsFile.load(workspace: workspace.home)
    let registry = Registry(
      workspace: workspace, settings: settings, environment: environment,
      outside: outside.map { ($0.absolute, $0.shown) })
    var found: [(file: String, diagnostics: [Diagnostic])] = [(SettingsFile.path, settingsFound)]
    let manifests = Set(registry.stages.values.map(\.path) + registry.stageDiagnostics.map(\.mark.file))
    for path in manifests {
      found.append((path, registry.stageDiagnostics.filter { $0.mark.file == path }))
    }
    let programs = HostPrograms(
      home: workspace.home, path: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    for file in registry.pipelines {
      found.append((file.path, file.diagnostics + ProgramCheck(programs: programs).check(file)))
    }
    let hooks = HookListing.read(
      workspace: workspace, versions: registry.pipelines.compactMap(\.version?.pipeline), settings: settings,
      programs: programs)
    for hook in hooks.hooks where hook.pipeline == nil { found.append((hook.file.shown, hook.diagnostics)) }
    found += hooks.oddities.map { ($0.mark.file, [$0]) }
    let wanted = found.filter { file, _ in asked.isEmpty || asked.contains { $0.covers(file) } }
    var diagnostics: [Diagnostic] = []
    for diagnostic in wanted.flatMap(\.diagnostics) where !diagnostics.contains(diagnostic) {
      diagnostics.append(diagnostic)
    }
    return CheckReport(
      diagnostics: diagnostics.enumerated().sorted {
        ($0.element.mark, $0.offset) < ($1.element.mark, $1.offset)
      }.map(\.element),
      files: Set(wanted.map(\.file)).count)
  }
}

/// Whether the programs a pipeline names can run here.
struct ProgramCheck {
  let programs: HostPrograms

  func check(_ file: LoadedPipeline) -> [Diagnostic] {
    guard let version = file.version else { return [] }
    var found: [Diagnostic] = []
    for stage in version.pipeline.stages {
      // a registered stage's program lies in its kit: `doctor` says whether the kit works
      guard stage.uses == nil, let program = stage.program.first else { continue }
      found += diagnostics(program, "stage `\(stage.name)`", in: version)
    }
    for (event, hooks) in version.pipeline.hooks {
      for hook in hooks {
        guard let program = hook.program.first else { continue }
        found += diagnostics(program, "the hook of `\(event)`", in: version)
      }
    }
    return found.quoting([file.path: version.source])
  }

  private func diagnostics(_ program: String, _ what: String, in version: PipelineVersion) -> [Diagnostic] {
    guard !program.contains("${") else { return [] }
    let file = programs.resolve(program, hashing: false)
    let mark = Self.mark(of: program, in: version)
    if let refusal = file.refusal ?? LaunchFailure.foreseen(at: file.path) {
      // the agent may have another PATH than this shell
      let severity: Diagnostic.Severity = program.contains("/") ? .error : .warning
      return [Diagnostic(severity, at: mark, "\(what) cannot run `\(Display.brief(program))`: \(refusal)")]
    }
    return file.warning.map { [Diagnostic(.warning, at: mark, "`\(Display.brief(program))` \($0)")] } ?? []
  }

  /// Where the program is written; the first line where it cannot be found, as where a base names it.
  private static func mark(of program: String, in version: PipelineVersion) -> Mark {
    for (index, line) in version.source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard let range = line.range(of: program) else { continue }
      let column = line[..<range.lowerBound].unicodeScalars.count + 1
      return Mark(file: version.path, line: index + 1, column: column, length: program.unicodeScalars.count)
    }
    return Mark(file: version.path)
  }
}
