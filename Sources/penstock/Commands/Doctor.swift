import ArgumentParser
import Core
import Foundation
import Host
import Store

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examines the workspace and this machine, and says what to do.",
    discussion: "Exit code 4 where something is impaired.")

  @OptionGroup var place: Place

  func run() async throws {
    let workspace = try place.workspace()
    let (settings, diagnostics) = place.settings(workspace)
    var examination = Examination(
      workspace: workspace, settings: settings, environment: ProcessInfo.processInfo.environment, live: nil)
    do { examination.live = try place.ask(.live, workspace) } catch is AgentSilent {
      examination.isSilent = true
    } catch {}
    var findings = examination.directories()
    findings.append(examination.settings(diagnostics))
    // of what this user may not look at nothing can be told
    let isForeign = workspace.foreignState != nil
    if !isForeign {
      findings += await examination.state()
      findings += examination.agent(last: try? await place.readerIfAny(workspace)?.agent())
    }
    findings += examination.watching()
    findings += examination.disks()
    if !isForeign { findings += examination.handover() }
    findings += await examination.programs()
    findings += examination.hooks(place.registry(workspace).pipelines)
    findings.append(examination.clock(now: Date()))
    let page = DoctorPage(findings: findings)
    try place.give(page)
    if page.isImpaired { throw ExitCode(ExitCodes.degraded) }
  }
}
