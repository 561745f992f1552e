import CSystem
import Core
import Foundation
import Glibc
@testable import Host
import Testing

/// Copies of drops that cannot be moved, step by step.
@Suite struct SpoolCopyTests {
  private let a = FileName("a.csv")

  private func settled(_ place: Spooled, _ name: FileName = FileName("a.csv")) throws -> FileSample {
    guard case .file(let sample, _) = try place.spool.inboxDirectory.look(at: name) else {
      throw HostError("no file")
    }
    return sample
  }

  private func whole(_ copying: any Copying) throws -> CopyProgress {
    while true {
      let progress = try copying.advance()
      if progress != .more { return progress }
    }
  }

  @Test func `a copy has the bytes, the holes, the times and the digest of its source`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "begin")
    let path = place.path("inbox/a.csv")
    #expect(truncate(path, 40 << 20) == 0)
    let fd = open(path, O_WRONLY)
    #expect(pwrite(fd, "middle", 6, 20 << 20) == 6)
    close(fd)
    let copying = try #require(
      try place.spool.beginCopy(of: a, settled(place), as: Spooled.id(1), leaving: 0))
    guard case .whole(let sample, let digest) = try whole(copying) else {
      Issue.record("not copied")
      return
    }
    let copy = place.path("var/work/.copy-\(Spooled.id(1))/a.csv")
    #expect(try SHA256.hex(ofFile: copy) == digest && SHA256.hex(ofFile: path) == digest)
    var (of, to) = (stat(), stat())
    #expect(stat(path, &of) == 0 && stat(copy, &to) == 0)
    #expect(of.st_size == to.st_size && of.st_mtim.tv_nsec == to.st_mtim.tv_nsec && sample.bytes == 40 << 20)
    #expect(to.st_blocks * 512 < 1 << 20, "holes were written out")
  }

  @Test func `a source that is written to while it is copied yields nothing`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", String(repeating: "x", count: 20 << 20))
    let copying = try #require(
      try place.spool.beginCopy(of: a, settled(place), as: Spooled.id(1), leaving: 0))
    #expect(try copying.advance() == .more)
    let fd = open(place.path("inbox/a.csv"), O_WRONLY | O_APPEND)
    #expect(Glibc.write(fd, "y", 1) == 1)
    close(fd)
    #expect(try whole(copying) == .changed)
  }

  @Test func `what took the name since the look is not copied`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "old")
    let sample = try settled(place)
    try place.write("inbox/a.csv", "new")
    #expect(try place.spool.beginCopy(of: a, sample, as: Spooled.id(1), leaving: 0) == nil)
    unlink(place.path("inbox/a.csv"))
    #expect(symlink("/etc/passwd", place.path("inbox/a.csv")) == 0)
    #expect(try place.spool.beginCopy(of: a, sample, as: Spooled.id(1), leaving: 0) == nil)
    #expect(place.names("var/work").isEmpty)
  }

  @Test func `I23 a copy that would take the reserve is refused with both sizes`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", String(repeating: "x", count: 1 << 20))
    let error = #expect(throws: HostError.self) {
      try place.spool.beginCopy(of: a, settled(place), as: Spooled.id(1), leaving: .max / 2)
    }
    #expect(error?.description.contains("it takes 1.0 MiB") == true, "\(String(describing: error))")
    #expect(place.names("var/work").isEmpty)
  }

  @Test func `I25 a source is removed once, whatever crash came in between`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "x")
    let sample = try settled(place)
    // a crash between the rename aside and the removal
    #expect(mkdir(place.path("inbox/.penstock-\(Spooled.id(1))"), 0o700) == 0)
    #expect(rename(place.path("inbox/a.csv"), place.path("inbox/.penstock-\(Spooled.id(1))/a.csv")) == 0)
    for _ in 1...2 { #expect(try place.spool.removeSource(a, sample, of: Spooled.id(1)) == .removed) }
    #expect(place.names("inbox").isEmpty)
  }

  @Test func `I08 I25 what took the name of a source is not removed in its place`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "old")
    let sample = try settled(place)
    unlink(place.path("inbox/a.csv"))
    try place.write("inbox/a.csv", "new")
    #expect(try place.spool.removeSource(a, sample, of: Spooled.id(1)) == .replaced)
    #expect(place.text("inbox/a.csv") == "new" && place.names("inbox") == ["a.csv"])
  }

  @Test func `I08 I25 a drop whose name was taken while it was aside is given back when the name is free`() throws {
    let place = try Spooled()
    let aside = ".penstock-\(Spooled.id(1))"
    try place.write("inbox/\(aside)/a.csv", "second")
    try place.write("inbox/a.csv", "third")
    #expect(place.spool.asideOwner(FileName(aside)) == Spooled.id(1))
    #expect(place.spool.asideOwner(a) == nil && place.spool.asideOwner(FileName(".penstock-x")) == nil)
    #expect(try !place.spool.giveBack(FileName(aside)))
    #expect(place.text("inbox/\(aside)/a.csv") == "second" && place.text("inbox/a.csv") == "third")
    unlink(place.path("inbox/a.csv"))
    #expect(try place.spool.giveBack(FileName(aside)))
    #expect(place.text("inbox/a.csv") == "second" && place.names("inbox") == ["a.csv"])
  }

  @Test func `a claimed drop that is linked elsewhere gets bytes of its own`() throws {
    let place = try Spooled()
    try place.write("elsewhere", "x")
    #expect(link(place.path("elsewhere"), place.path("inbox/a.csv")) == 0)
    guard case .claimed(let sample) = try place.spool.claim(a, as: Spooled.id(1)) else {
      Issue.record("not claimed")
      return
    }
    #expect(sample.links == 2)
    let copying = try #require(try place.spool.beginUnsharing(of: a, sample, of: Spooled.id(1), leaving: 0))
    guard case .whole = try whole(copying) else {
      Issue.record("not copied")
      return
    }
    try place.spool.makeCopiesDurable([(Spooled.id(1), a)])
    try place.spool.finishUnsharing(of: a, of: Spooled.id(1))
    #expect(try place.spool.sample(of: a, of: Spooled.id(1))?.links == 1)
    #expect(place.names("var/work") == [Spooled.id(1).text] && place.text("elsewhere") == "x")
  }

  @Test func `the name a torn rename left in the inbox goes, and no other`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "x")
    try place.write("inbox/b.csv", "y")
    for name in [a, FileName("b.csv")] { _ = try place.spool.claim(name, as: Spooled.id(name == a ? 1 : 2)) }
    #expect(link(place.path("var/work/\(Spooled.id(1))/a.csv"), place.path("inbox/a.csv")) == 0)
    try place.write("inbox/b.csv", "another")
    try place.spool.releaseTwin(of: a, of: Spooled.id(1))
    try place.spool.releaseTwin(of: FileName("b.csv"), of: Spooled.id(2))
    #expect(place.names("inbox") == ["b.csv"] && place.text("var/work/\(Spooled.id(1))/a.csv") == "x")
  }
}
