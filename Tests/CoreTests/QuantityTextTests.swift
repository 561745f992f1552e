import Core
import Testing

@Suite struct QuantityTextTests {
  @Test(arguments: [
    (0.0, "0s"), (-1, "0s"), (0.0001, "1ms"), (0.25, "250ms"), (0.9991, "1s"), (0.9996, "1s"), (1, "1s"),
    (2.54, "2.5s"),
    (59.94, "59.9s"), (59.96, "1m"), (90, "1m30s"), (3600, "1h"), (5400, "1h30m"), (5401, "1h30m"), (86_399.7, "1d"),
    (90_000, "1d1h"), (86_460, "1d"),
  ])
  func `a duration is at most two units`(seconds: Double, text: String) {
    #expect(Quantity.text(.seconds(seconds)) == text)
  }

  @Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (10_239, "10 KiB"), (1_048_575, "1.0 MiB"),
    (10 << 30, "10 GiB"), (Int.max, "8192 PiB"),
  ])
  func `a size is told in units of 1024`(bytes: Int, text: String) {
    #expect(Quantity.text(bytes: bytes) == text)
  }
}
