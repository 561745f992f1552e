/// What a pipeline says of its nightly trials; where it says nothing it has none.
package struct TrialRules: Sendable, Equatable, Codable {
  /// The hours of the night; `nil` leaves trials to `trials start`.
  package var window: TrialWindow?
  /// CPU time of one night.
  package var budget: Duration
  /// CPU time of trials as a part of what the runs of the pipeline used, see `NightBudget`; above 0.
  package var share: Double
  /// The metric that must not get worse, as a stage calls it.
  package var metric: String
  /// The stage that gives it; `nil` is the last one that gave it in the latest done run.
  package var stage: String?
  package var goal: Goal
  package var margin: Margin
  /// How sure a verdict must be, 0.5 < c < 1.
  package var confidence: Double
  /// Parts into which the rows of a block are split, each held out once.
  package var folds: Int
  package var cost: Cost
  /// Arms given by hand; `nil` tries every combination of levels.
  package var arms: [Variant]?
  /// Whether what the data cannot certify for the population is promoted all the same.
  package var relaxed: Bool

  /// What an arm given by hand changes.
  package struct Variant: Sendable, Equatable, Codable {
    package var name: String
    /// By stage.
    package var levels: [String: Granularity]
    /// By stage, merged over its own.
    package var params: [String: [String: JSON]]

    package init(name: String, levels: [String: Granularity] = [:], params: [String: [String: JSON]] = [:]) {
      self.name = name
      self.levels = levels
      self.params = params
    }
  }

  package enum Goal: String, Sendable, Codable, CaseIterable {
    case maximize
    case minimize

    /// What is meant by a metric of this name where nobody says so: errors and losses are to be small.
    package init(metric: String) {
      let words = metric.lowercased().split { !$0.isLetter && !$0.isNumber }
      let small = ["error", "loss", "rmse", "mae", "mse", "mape", "smape", "logloss", "brier", "deviance"]
      self = words.contains { small.contains(String($0)) } ? .minimize : .maximize
    }
  }

  /// The loss of quality that is allowed.
  package enum Margin: Sendable, Equatable, Codable {
    /// In the unit of the metric.
    case absolute(Double)
    /// As a part of what the control reaches.
    case share(Double)

    package var value: Double {
      switch self {
      case .absolute(let value), .share(let value): value
      }
    }
  }

  /// What is to be saved.
  package enum Cost: String, Sendable, Codable, CaseIterable {
    case cpu
    case wall
  }

  package init(
    window: TrialWindow? = nil, budget: Duration = .seconds(2400), share: Double = 0.2, metric: String = "accuracy",
    stage: String? = nil,
    goal: Goal? = nil, margin: Margin = .absolute(0.01), confidence: Double = 0.95, folds: Int = 5, cost: Cost = .cpu,
    arms: [Variant]? = nil, relaxed: Bool = false
  ) {
    self.window = window
    self.budget = budget
    self.share = share
    self.metric = metric
    self.stage = stage
    self.goal = goal ?? Goal(metric: metric)
    self.margin = margin
    self.confidence = confidence
    self.folds = folds
    self.cost = cost
    self.arms = arms
    self.relaxed = relaxed
  }

  /// Whether a trial by these rules asks what one by others asks: when it runs and what it may use is no part of it.
  package func asksTheSame(as other: TrialRules) -> Bool {
    var other = other
    (other.window, other.budget, other.share) = (window, budget, share)
    return self == other
  }
}

extension TrialRules {
  /// Also of trials that were recorded before there was a `share`.
  package init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      window: try keys.decodeIfPresent(TrialWindow.self, forKey: .window),
      budget: try keys.decode(Duration.self, forKey: .budget), metric: try keys.decode(String.self, forKey: .metric),
      stage: try keys.decodeIfPresent(String.self, forKey: .stage), goal: try keys.decode(Goal.self, forKey: .goal),
      margin: try keys.decode(Margin.self, forKey: .margin),
      confidence: try keys.decode(Double.self, forKey: .confidence), folds: try keys.decode(Int.self, forKey: .folds),
      cost: try keys.decode(Cost.self, forKey: .cost), arms: try keys.decodeIfPresent([Variant].self, forKey: .arms),
      relaxed: try keys.decode(Bool.self, forKey: .relaxed))
    share = try keys.decodeIfPresent(Double.self, forKey: .share) ?? share
  }
}

extension TrialRules.Margin {
  /// As a person writes it.
  package var text: String {
    switch self {
    case .absolute(let value): "\(value)"
    case .share(let value): Quantity.text(percent: value)
    }
  }
}
