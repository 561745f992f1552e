/// What may be wrong with rules and targets.
extension PipelineMistakesTests {
  static let rules: [Mistake] = [
    Mistake(
      "a target that is none", good + "targets: { max_latency: 5, cpu: 1.5, priority: quality }",
      """
      x:3:25: error: `max_latency`: `5` has no unit
        write `5s` or `5m`
      x:3:33: error: `cpu`: `1.5` has no unit
        write `1.5%`
      x:3:48: error: `priority`: expected one of `accuracy`, `speed`, got `quality`
      """),
    Mistake(
      "a rule for a stage that is wrong itself",
      "pipeline: { name: x }\nstages: [ { name: a } ]\nrules: [ { stage: a, when: \"1\", set: fine } ]",
      """
      x:2:19: error: stage `a` has neither `uses` nor `run`
        `uses` names a registered stage, `run` a program of your own
      """),
    Mistake(
      "rules that decide nothing",
      good + "rules:\n  - { stage: b, when: \"1\", set: fine }\n  - { stage: \"*\", when: \"1\", set: fast }\n"
        + "  - { stage: a, when: \"1\", set: fine }",
      """
      x:4:14: error: no stage is called `b`
        stages: `a`
      x:5:35: error: `set`: expected one of `coarse`, `medium`, `fine`, `off`, got `fast`
      x:6:14: warning: the rule decides nothing: `a` is not `auto`
        `granularity: auto` of a stage leaves its level to rules, policy and trials
      """),
  ]
}
