import Core
import Engine
import Foundation
import Host

/// Which hooks run when, in their order.
struct HookListing: Sendable {
  struct Hook: Sendable {
    var event: String
    /// The pipeline whose YAML names it; `nil` where it lies in a directory.
    var pipeline: String?
    var file: ProgramFile
    /// After the program's own name.
    var arguments: [String]
    /// The stages it is called for; `nil` is all.
    var stages: [String]?
    /// It answers one request per line and stays.
    var stays = false
    var timeout: Duration
    var onError: HookProgram.OnError
  }

  var hooks: [Hook] = []
  /// Directories that no event calls.
  var oddities: [Diagnostic] = []
  /// Names of directories `NAME.d` that nothing calls.
  var uncalled: Set<String> = []

  static func read(
    workspace: Workspace, versions: [Pipeline], settings: Settings, programs: HostPrograms
  ) -> HookListing {
    var listing = HookListing()
    let versions = versions.sorted { $0.name < $1.name }
    var stages: [String] = []
    for stage in versions.flatMap(\.stages) where !stages.contains(stage.name) {
      stages.append(stage.name)
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: workspace.hooks)) ?? []
    let directories = Set(names.filter { $0.hasSuffix(".d") }.map { String($0.dropLast(2)) })
    let known = inOrder(stages: stages)
    for event in known + directories.subtracting(known).sorted() {
      if directories.contains(event) {
        listing.hooks += programs.hooks(of: event).map { file in
          Hook(
            event: event, file: file, arguments: [], timeout: settings.hookTimeout, onError: standard(event))
        }
      }
      for version in versions {
        listing.hooks += (version.hooks[event] ?? []).map { hook in
          Hook(
            event: event, pipeline: version.name,
            file: programs.resolve(hook.program.first ?? "", hashing: true),
            arguments: Array(hook.program.dropFirst()), stages: hook.stages,
            stays: hook.persistent ?? false, timeout: hook.timeout, onError: hook.onError ?? standard(event))
        }
      }
    }
    listing.uncalled = directories.subtracting(known)
    listing.oddities = listing.uncalled.sorted().map { event in
      let hint = Nearest.name(to: event, among: known).map { "did you mean `hooks/\($0).d`?" }
      return Diagnostic(
        .warning, at: Mark(file: "hooks/\(event).d"),
        "nothing calls this directory: no event is called `\(Display.brief(event))`, and no pipeline has such a stage",
        hint: hint ?? "events: " + HookNames.general.map { "`\($0)`" }.joined(separator: ", ")
          + ", `before-STAGE`, `after-STAGE`")
    }
    listing.oddities += names.filter { !$0.hasSuffix(".d") }.sorted().compactMap { name in
      guard Health.mode(of: workspace.hooks + "/" + name)?.isDirectory == true else { return nil }
      return (known.contains(name) ? name : Nearest.name(to: name, among: known)).map { event in
        Diagnostic(
          .warning, at: Mark(file: "hooks/\(name)"), "nothing calls this directory: hooks lie in directories `EVENT.d`",
          hint: "did you mean `hooks/\(event).d`?")
      }
    }
    return listing
  }

  /// Those that run at the moment of this event, in their order.
  func hooks(at event: String, around stage: String?) -> [Hook] {
    let names = HookEvent(named: event, stage: stage)?.names ?? [event]
    return names.flatMap { name in
      hooks.filter { hook in
        hook.event == name && HookProgram(program: [], stages: hook.stages).isCalled(for: stage)
      }
    }
  }

  /// Those that do not run; a name that is plainly switched off is no trouble.
  var refused: [Hook] { hooks.filter { $0.file.refusal != nil && !$0.file.shown.hasSuffix(".disabled") } }

  /// The events in the order of a run.
  static func inOrder(stages: [String]) -> [String] {
    ["on-arrival", "before-run", "before-stage"] + stages.flatMap { ["before-\($0)", "after-\($0)"] }
      + ["after-stage", "after-run", "on-quarantine", "on-verdict"]
  }

  /// DESIGN 7: before-hooks fail, after-hooks warn.
  private static func standard(_ event: String) -> HookProgram.OnError {
    event.hasPrefix("before-") || event == "on-arrival" ? .fail : .warn
  }
}

extension HookListing.Hook {
  /// As `check` says it.
  var diagnostics: [Diagnostic] {
    if let refusal = file.refusal ?? LaunchFailure.foreseen(at: file.path) {
      return [Diagnostic(.warning, at: Mark(file: file.shown), "this hook does not run: \(refusal)")]
    }
    return file.warning.map { [Diagnostic(.warning, at: Mark(file: file.shown), "this hook \($0)")] } ?? []
  }

  var json: JSON {
    [
      "event": .string(event), "source": .string(pipeline == nil ? "directory" : "pipeline"),
      "pipeline": pipeline.map { .string($0) } ?? .null, "program": .string(Display.escaped(file.shown)),
      "arguments": .array(arguments.map { .string($0) }), "runs": .bool(file.refusal == nil),
      "refusal": file.refusal.map { .string($0) } ?? .null,
      "warning": file.warning.map { .string($0) } ?? .null,
      "persistent": .bool(stays), "stages": stages.map { .array($0.map { .string($0) }) } ?? .null,
      "sha256": file.sha256.map { .string($0) } ?? .null, "timeout_s": .number(timeout / .seconds(1)),
      "on_error": .string(onError.rawValue),
    ]
  }
}
