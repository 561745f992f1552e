import ArgumentParser
import Core
import Foundation
import Host
import Store

/// Which workspace a command is about, and how it answers.
struct Place: ParsableArguments {
  @Option(
    name: [.customShort("C"), .customLong("workspace")],
    help: "The workspace; else PENSTOCK_HOME, else this directory or the nearest above it with etc/penstock.yaml.")
  var directory: String?

  @Flag(help: "Answer in JSON.")
  var json = false

  func workspace() throws -> Workspace {
    try Workspace.find(
      asked: directory, environment: ProcessInfo.processInfo.environment,
      current: FileManager.default.currentDirectoryPath)
  }

  /// What is remembered, without an agent.
  func reader(_ workspace: Workspace) throws -> StateReader {
    try workspace.requireOwnState()
    return try StateReader(path: workspace.database)
  }

  /// Asks the agent; `nil` where none runs.
  func ask(_ request: ControlRequest, _ workspace: Workspace, timeout: Int? = 10) throws -> JSON? {
    try workspace.requireOwnState()
    // who is to wait as long as it takes first asks whether anybody is there to answer
    if timeout == nil, try ControlClient.ask(ControlRequest.ping.line(), at: workspace.socket) == nil { return nil }
    guard let answer = try ControlClient.ask(request.line(), at: workspace.socket, timeout: timeout) else {
      return nil
    }
    return try JSON(parsing: Array(answer.utf8))
  }
}

extension Place {
  /// What is remembered; `nil` where no agent ever worked here.
  func readerIfAny(_ workspace: Workspace) throws -> StateReader? {
    do { return try reader(workspace) } catch StoreError.missing { return nil }
  }

  func settings(_ workspace: Workspace) -> (settings: Settings, diagnostics: [Diagnostic]) {
    SettingsFile.load(workspace: workspace.home)
  }

  /// What the files of the workspace say now.
  func registry(_ workspace: Workspace) -> Registry {
    Registry(
      workspace: workspace, settings: settings(workspace).settings,
      environment: ProcessInfo.processInfo.environment)
  }
}
