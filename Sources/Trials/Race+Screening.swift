import Foundation

extension Race {
  /// The first probe of the round that is not there yet; the control's fold before the arm's.
  func missingProbe() -> (arm: Int, fold: Int)? {
    guard holm == nil else { return nil }
    for probe in screening.probes {
      if bank[.screen(fold: probe.fold)] == nil { return (0, probe.fold) }
      if screenSamples[probe] == nil { return (probe.arm, probe.fold) }
    }
    return nil
  }

  mutating func advanceScreening() {
    guard holm == nil, missingProbe() == nil else { return }
    learnFromRound()
    if screening.isLast {
      freezeWeights()
    } else {
      screening.begin(promisingUnscreened())
    }
  }

  private mutating func learnFromRound() {
    for probe in screening.probes {
      guard let sample = screenSamples[probe], let control = bank[.screen(fold: probe.fold)] else { continue }
      screenedArms.insert(probe.arm)
      let difference =
        switch (sample.quality, control.quality) {
        case (let quality?, let reference?): quality - reference
        case (nil, _): -10 * plan.margin
        case (_?, nil): -plan.margin
        }
      screened.append(
        Evidence(arm: probe.arm, value: quality.bounded(difference), variance: 1, fold: probe.fold))
    }
    quality.fit(screened, choosing: true)
    costs.fit(
      screenSamples.compactMap { probe, sample in
        bank[.screen(fold: probe.fold)].map { (probe.arm, sample.cost / $0.cost, probe.fold) }
      }.sorted { ($0.0, $0.2) < ($1.0, $1.2) }.map { ($0.0, $0.1) })
  }

  private func promisingUnscreened() -> [Int] {
    let scores = lines.indices.map { arm in
      let belief = quality.beliefs[arm]
      let saving = max(1 - costs.predicted[arm], 0)
      return belief.probability(above: -plan.margin) * saving * belief.variance.squareRoot().squareRoot()
    }
    return lines.indices.dropFirst().filter { !screenedArms.contains($0) }
      .sorted { (scores[$1], $0) < (scores[$0], $1) }
  }

  /// 85 % on the ten most promising arms by p·saving², the rest spread over all that are not dearer.
  mutating func freezeWeights() {
    let arms = lines.indices.dropFirst().filter { costs.predicted[$0] < 1.05 || screenedArms.isEmpty }
    let scores = arms.map { arm in
      let saving = max(1 - costs.predicted[arm], 0)
      return (arm, quality.beliefs[arm].probability(above: -plan.margin) * saving * saving)
    }
    var weights = [Double](repeating: 0, count: lines.count)
    let best = scores.filter { $0.1 > 0 }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(10)
    let total = best.reduce(0) { $0 + $1.1 }
    let spread = best.isEmpty || screenedArms.isEmpty ? 1 : 0.15
    for (arm, score) in best { weights[arm] = (1 - spread) * score / total }
    for arm in arms { weights[arm] += spread / Double(arms.count) }
    holm = Holm(error: plan.error, weights: weights)
  }
}
