/// What a filesystem's magic number, statfs(2), tells of it.
package struct Filesystem: Sendable, Equatable {
  package var name: String
  /// Whether others than this kernel may write to it: their events do not arrive here, and its leases say nothing of
  /// them.
  package var isRemote: Bool

  /// - Parameter magic: `f_type` of statfs(2).
  package init(magic: UInt32) {
    let known = Self.known[magic]
    name = known?.name ?? "type 0x" + String(magic, radix: 16)
    isRemote = known?.isRemote ?? false
  }

  package init(name: String, isRemote: Bool) {
    self.name = name
    self.isRemote = isRemote
  }

  // from linux/magic.h and statfs(2); FUSE counts as remote, for what is behind it is not known
  private static let known: [UInt32: (name: String, isRemote: Bool)] = [
    0xEF53: ("ext4", false), 0x5846_5342: ("xfs", false), 0x9123_683E: ("btrfs", false),
    0x0102_1994: ("tmpfs", false), 0x794C_7630: ("overlayfs", false), 0x2FC1_2FC1: ("zfs", false),
    0xF2F5_2010: ("f2fs", false), 0x4D44: ("vfat", false), 0x2011_BAB0: ("exfat", false),
    0xCA45_1A4E: ("bcachefs", false), 0x7366_746E: ("ntfs3", false),
    0x6969: ("nfs", true), 0xFF53_4D42: ("cifs", true), 0xFE53_4D42: ("smb2", true), 0x517B: ("smb", true),
    0x6573_5546: ("fuse", true), 0x00C3_6400: ("ceph", true), 0x0102_1997: ("9p", true),
    0x0BD0_0BD0: ("lustre", true), 0x5346_414F: ("afs", true), 0x6B41_4653: ("afs", true),
    0x0116_1970: ("gfs2", true), 0x7461_636F: ("ocfs2", true), 0x4750_4653: ("gpfs", true),
    0x1983_0326: ("beegfs", true), 0x2003_0528: ("orangefs", true), 0x7375_7245: ("coda", true),
    0x564C: ("ncp", true), 0x786F_4256: ("vboxsf", true), 0xBACB_ACBC: ("hgfs", true), 0xAAD7_AAEA: ("panfs", true),
    0x0187: ("autofs", true),
  ]
}
