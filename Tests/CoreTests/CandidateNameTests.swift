import Core
import Testing

@Suite struct CandidateNameTests {
  @Test(arguments: [
    (".hidden.csv", "a hidden file"), ("a.csv.part", "a transfer that is not finished"),
    ("a.csv.PART", "a transfer that is not finished"), ("a.crdownload", "a download that is not finished"),
    ("a.csv.filepart", "a transfer that is not finished"), ("a.tmp", "a temporary file"),
    ("a.csv~", "an editor's backup"), (".~lock.a.csv#", "a lock of an office program"),
    ("4913", "an editor's probe whether it may write here"),
    (".nfs0000000000c0ffee", "deleted, but kept by NFS for a program that has it open"),
    (".a.csv.AbC123", "a transfer of rsync that is not finished"),
    (".~tmp~", "a transfer of rsync that is not finished"),
    ("~$a.xlsx", "a lock of an office program"), (".a.csv.swp", "an editor's swap file"),
    ("a.swp", "an editor's swap file"),
    ("#a.csv#", "an editor's autosave"),
  ])
  func `I15: a name on its way to a drop is left alone, with the reason`(name: String, reason: String) {
    #expect(CandidateName.refusal(of: FileName(name)) == reason)
  }

  @Test(arguments: ["a.csv", "4913.csv", "part", "tmp", "a.parts", "~a", "a~b", "#", "a.csv.AbC123", " .csv"])
  func `any other name is a drop`(name: String) {
    #expect(CandidateName.refusal(of: FileName(name)) == nil)
  }

  @Test func `a name that is not UTF-8 is judged by its bytes`() {
    #expect(CandidateName.refusal(of: FileName([0xFF, 0xFE])) == nil)
    #expect(CandidateName.refusal(of: FileName([0xFF] + Array(".tmp".utf8))) == "a temporary file")
  }

  @Test func `I04 what fills an empty drop is known by its name`() {
    let fillers = CandidateName.fillers(of: FileName("a.pdf"))
    #expect(fillers.contains(FileName("a.pdf.part")) && fillers.contains(FileName("a.pdf.crdownload")))
    #expect(fillers.allSatisfy { CandidateName.refusal(of: $0) != nil })
  }

  @Test func `I15 transfers age, hidden files and locks do not`() {
    for name in ["a.part", "a.crdownload", "a.tmp", ".a.AbC123"] {
      #expect(CandidateName.isTransient(FileName(name)), "\(name)")
    }
    for name in ["a.csv", ".gitkeep", "~$a.xls", "a~", "4913"] {
      #expect(!CandidateName.isTransient(FileName(name)), "\(name)")
    }
  }
}
