import Core
import Testing
import Trials

@Suite struct ArmTests {
  @Test func `all arms of supported levels, the control first, none twice`() {
    let arms = Arm.all(of: [("clean", [.coarse, .medium, .off]), ("train", [.coarse, .fine])])
    #expect(arms.count == 6)
    #expect(Set(arms).count == 6)
    #expect(arms.first == Arm.control(of: ["clean", "train"]))
    #expect(arms.last == Arm(["clean": .off, "train": .fine]))
  }

  @Test func `k stages of four levels have 4^k arms`() {
    let every = Set(Granularity.allCases)
    for k in 0...5 {
      let stages = (0..<k).map { (name: "s\($0)", supported: every) }
      #expect(Arm.all(of: stages).count == (0..<k).reduce(1) { product, _ in product * 4 })
    }
  }

  @Test func `the key does not depend on the order of making`() {
    var one = Arm(["train": .fine])
    one.levels["clean"] = .medium
    #expect(one.key == "clean=medium train=fine")
    #expect(one == Arm(["clean": .medium, "train": .fine]))
  }
}
