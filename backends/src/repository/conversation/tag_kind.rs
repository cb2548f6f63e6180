//! What tags say, and on what.

/// What a tag says, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A piece's label.
    PieceLabel,
    /// A piece's metadata; the value is JSON.
    PieceMetadata,
    /// What is said of a converter that a piece went through: its class, id and hash, by these names.
    PieceConverter,
    /// What is said of the attack a piece belongs to: its class, id and hash, by these names.
    PieceAttack,
    /// A category of a score.
    ScoreCategory,
    /// The class of a score's scorer.
    ScoreScorer,
    /// A harm that a seed is about.
    SeedHarm,
    /// Who wrote a seed.
    SeedAuthor,
    /// A group of people who wrote a seed.
    SeedAuthorGroup,
    /// A parameter of a seed.
    SeedParameter,
    /// A seed's metadata; the value is JSON.
    SeedMetadata,
    /// What an attack result's identifier says: class, hash, evaluation hash, target's class.
    AttackIdentifier,
    /// The class of a converter of an attack.
    AttackConverter,
    /// A label of an attack's result.
    AttackLabel,
    /// Its metadata; the value is JSON.
    AttackMetadata,
    /// A harm that an attack was about.
    AttackHarm,
    /// The scenario's result that an attack's belongs to: the value is its id.
    AttackScenario,
    /// A label of a scenario's result.
    ScenarioLabel,
    /// What is said of a scenario's target: class, endpoint, model.
    ScenarioTarget,
    /// The class of a scenario's scorer.
    ScenarioScorer,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Kind; 20] = [
        Kind::PieceLabel,
        Kind::PieceMetadata,
        Kind::PieceConverter,
        Kind::PieceAttack,
        Kind::ScoreCategory,
        Kind::ScoreScorer,
        Kind::SeedHarm,
        Kind::SeedAuthor,
        Kind::SeedAuthorGroup,
        Kind::SeedParameter,
        Kind::SeedMetadata,
        Kind::AttackIdentifier,
        Kind::AttackConverter,
        Kind::AttackLabel,
        Kind::AttackMetadata,
        Kind::AttackHarm,
        Kind::AttackScenario,
        Kind::ScenarioLabel,
        Kind::ScenarioTarget,
        Kind::ScenarioScorer,
    ];

    /// Its name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::PieceLabel => "piece.label",
            Kind::PieceMetadata => "piece.metadata",
            Kind::PieceConverter => "piece.converter",
            Kind::PieceAttack => "piece.attack",
            Kind::ScoreCategory => "score.category",
            Kind::ScoreScorer => "score.scorer",
            Kind::SeedHarm => "seed.harm",
            Kind::SeedAuthor => "seed.author",
            Kind::SeedAuthorGroup => "seed.author_group",
            Kind::SeedParameter => "seed.parameter",
            Kind::SeedMetadata => "seed.metadata",
            Kind::AttackIdentifier => "attack.identifier",
            Kind::AttackConverter => "attack.converter",
            Kind::AttackLabel => "attack.label",
            Kind::AttackMetadata => "attack.metadata",
            Kind::AttackHarm => "attack.harm",
            Kind::AttackScenario => "attack.scenario",
            Kind::ScenarioLabel => "scenario.label",
            Kind::ScenarioTarget => "scenario.target",
            Kind::ScenarioScorer => "scenario.scorer",
        }
    }

    /// The one of this name; `None` if there is none.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
