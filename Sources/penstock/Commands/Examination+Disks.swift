import Core
import Host

/// Where the inbox and the state lie, and how drops get from one into the other.
extension Examination {
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
    return findings
  }

  /// How drops get from the inbox into the state; nothing where there is no inbox, which is told by itself.
  func handover() -> [HealthFinding] {
    guard Health.mode(of: workspace.inbox)?.isDirectory == true else { return [] }
    let state = Health.mode(of: workspace.state) == nil ? workspace.home : workspace.state
    let claim =
      switch Health.renameTrouble(from: workspace.inbox, to: state) {
      case nil: HealthFinding(.good, "claim", "a drop can be renamed from inbox/ into var/")
      case .otherFilesystem:
        HealthFinding(
          .odd, "claim", "inbox/ and var/ are on different filesystems: each drop is copied in, and then removed",
          remedy: "keep them on one filesystem where that can be: a rename is at once, whatever the size")
      case .failed(let why):
        HealthFinding(
          .bad, "claim", "a drop cannot be moved from inbox/ into var/: \(why)",
          remedy: "look at the permissions of both")
      }
    let leases: HealthFinding =
      Health.leasesWork(in: workspace.inbox)
      ? .init(.good, "leases", "the kernel tells here whether a drop is still being written")
      : .init(
        .odd, "leases",
        "the kernel does not tell here whether a drop is still being written: drops settle by their age",
        remedy: "producers should rename finished files into inbox/, as `penstock put` does")
    return [claim, leases]
  }
}
