import Core
import Testing

@Suite struct WatchModeTests {
  private let local = Filesystem(magic: 0xEF53)

  private func choose(_ setting: WatchSetting, _ filesystem: Filesystem, _ refusal: String? = nil) -> WatchMode {
    WatchMode.choose(setting, filesystem: filesystem, refusal: refusal, poll: .seconds(5))
  }

  @Test(arguments: [
    (UInt32(0x6969), "nfs"), (0xFF53_4D42, "cifs"), (0xFE53_4D42, "smb2"), (0x6573_5546, "fuse"), (0x0102_1997, "9p"),
    (0x00C3_6400, "ceph"), (0x0BD0_0BD0, "lustre"), (0x786F_4256, "vboxsf"),
  ])
  func `I21 what others may write to unseen is polled, and said by its name`(magic: UInt32, name: String) {
    let filesystem = Filesystem(magic: magic)
    #expect(filesystem == Filesystem(name: name, isRemote: true))
    guard case .polling(.seconds(5), let reason) = choose(.auto, filesystem) else {
      Issue.record("\(name) is not polled")
      return
    }
    #expect(reason.contains(name))
  }

  @Test(arguments: [UInt32(0xEF53), 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x1234])
  func `a local filesystem is watched by events`(magic: UInt32) {
    #expect(choose(.auto, Filesystem(magic: magic)) == .events)
  }

  @Test func `an unknown one is called by its number`() {
    #expect(Filesystem(magic: 0x1234) == Filesystem(name: "type 0x1234", isRemote: false))
  }

  @Test func `I20 where the kernel refuses, and where a person says so, it is polled`() {
    #expect(choose(.auto, local, "no watches are left") == .polling(every: .seconds(5), because: "no watches are left"))
    #expect(choose(.poll, local).words == "every 5s: `watch: poll` says so")
    #expect(choose(.auto, local).words == "by events of the kernel")
  }
}

@Suite struct OverflowPacingTests {
  @Test func `I19 the first overflows are followed by a scan at once, and rapid ones more and more slowly`() {
    var pacing = OverflowPacing()
    let waits = (0..<12).map { pacing.overflowed(at: .seconds($0)) }
    #expect(waits[..<3].allSatisfy { $0 == .zero })
    #expect(waits[3...8].map { $0 / .milliseconds(1) } == [100, 200, 400, 800, 1600, 3200])
    #expect(waits[9...].allSatisfy { $0 == .seconds(4) } && pacing.count == 12)
  }

  @Test func `I19 after a quiet time the next one is followed at once again`() {
    var pacing = OverflowPacing()
    for n in 0..<8 { _ = pacing.overflowed(at: .seconds(n)) }
    #expect(pacing.overflowed(at: .seconds(18)) == .zero)
  }
}

@Suite struct ShortageTests {
  private func shortage(free: Int = 1 << 30, files: Int? = 10_000, isReadOnly: Bool = false) -> Shortage? {
    Shortage(of: Room(freeBytes: free, freeFiles: files, isReadOnly: isReadOnly), at: "var/", reserve: 1 << 20)
  }

  @Test func `I23 under the reserve and without room for files nothing is claimed`() {
    #expect(shortage() == nil && shortage(free: 1 << 20) == nil && shortage(files: nil) == nil)
    #expect(shortage(free: (1 << 20) - 1) == .space(free: (1 << 20) - 1, reserve: 1 << 20))
    #expect(shortage(files: 255) == .files(free: 255))
  }

  @Test func `I24 read-only comes first: more room would not help`() {
    #expect(shortage(free: 0, isReadOnly: true)?.words == "the filesystem of `var/` is read-only")
  }

  @Test func `the same trouble with other figures is no news`() {
    let space = Shortage.space(free: 1, reserve: 9)
    #expect(space.isSameKind(as: .space(free: 2, reserve: 9)) && !space.isSameKind(as: .readOnly("var/")))
    #expect(!Shortage.refused("a").isSameKind(as: .refused("b")))
  }

  @Test func `errors that every other drop would meet as well are shortages`() {
    for code: Int32 in [12, 23, 24, 28, 30, 122] { #expect(HostError("x", code: code).isShortage) }
    for code: Int32 in [0, 1, 2, 13, 18] { #expect(!HostError("x", code: code).isShortage) }
  }
}
