use super::analytics_given::{Given, given};
use super::analytics_model as model;
use super::conversation;
use crate::conformance::{Fixture, kind};
use crate::id::ConversationId;
use crate::model::conversation::analytics::{
    Dimension, Figures, FiguresRequest, GroupChoice, GroupKey, GroupedFigures, MOST_GROUPS, MOST_PROMPTS,
    MOST_RANKED, OutcomeRequest, TimeBucket,
};
use crate::model::conversation::{
    AttackResultFilter, ChatRole, NewMessage, NewPiece, PieceFilter, PieceValue, ResponseError,
};
use crate::{ErrorKind, Timestamp};

fn dimensions() -> Vec<Dimension> {
    let mut all = vec![
        Dimension::Label,
        Dimension::LabelNamed("a".to_owned()),
        Dimension::LabelNamed("in\0side".to_owned()),
        Dimension::LabelNamed("'; DROP TABLE tag; --".to_owned()),
        Dimension::Role,
        Dimension::Error,
        Dimension::DataType,
        Dimension::Scorer,
        Dimension::ScoreCategory,
        Dimension::HarmCategory,
        Dimension::AttackClass,
        Dimension::Model,
    ];
    all.extend(TimeBucket::ALL.map(Dimension::Time));
    all
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Filters of every kind that reports ask for, alone and together.
fn filters(given: &Given) -> Vec<PieceFilter> {
    let some: Vec<ConversationId> = given.pieces.iter().step_by(7).map(|piece| piece.conversation).collect();
    let all = PieceFilter::default;
    vec![
        all(),
        PieceFilter {
            created_from: Some(time("2024-12-29T23:59:59.999999Z")),
            created_before: Some(time("2025-01-01T00:00:00Z")),
            ..all()
        },
        PieceFilter { created_before: Some(time("1970-01-01T00:00:00Z")), ..all() },
        all().label("a", "b").label("in\0side", "\u{1a}0"),
        PieceFilter {
            labels: [("a".to_owned(), vec!["a".to_owned(), "<script>".to_owned()])].into(),
            ..all()
        },
        PieceFilter { roles: Some(vec![ChatRole::Assistant, ChatRole::SimulatedAssistant]), ..all() },
        PieceFilter { conversations: Some(some), ..all() },
        PieceFilter { attack_classes: Some(vec!["a".to_owned(), "\u{1a}".to_owned()]), ..all() },
        PieceFilter {
            errors: Some(vec![ResponseError::Blocked]),
            roles: Some(vec![ChatRole::User]),
            ..all()
        },
        PieceFilter { roles: Some(Vec::new()), ..all() },
    ]
}

pub async fn figures_by_every_dimension_are_those_of_a_plain_model(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let given = given(&area, 1, 14).await;
    fixture.settle().await;
    for by in dimensions() {
        for filter in filters(&given) {
            let request = FiguresRequest { filter, ..FiguresRequest::by(by.clone()) };
            let found = area.analytics.figures(&request).await.unwrap();
            assert_eq!(found, model::figures(&given, &request), "{request:?}");
            assert_eq!((found.other_groups, &found.others), (0, &Figures::default()));
        }
    }
}

pub async fn what_is_left_out_is_counted_exactly_at_every_limit(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let given = given(&area, 2, 10).await;
    fixture.settle().await;
    for by in dimensions() {
        let ranking = model::groups(&given, &PieceFilter::default(), &by);
        for most in [1, 2, 3, 5, ranking.len(), ranking.len() + 1] {
            let request =
                FiguresRequest { groups: GroupChoice::Most(most), ..FiguresRequest::by(by.clone()) };
            let found = area.analytics.figures(&request).await.unwrap();
            assert_eq!(found, model::figures(&given, &request), "{request:?}");
            let ranked = area.analytics.groups(&PieceFilter::default(), &by, most).await.unwrap();
            assert_eq!(ranked.groups, ranking[..most.min(ranking.len())], "{by} {most}");
            assert_eq!(ranked.is_cut, most < ranking.len());
        }
    }
}

pub async fn groups_that_are_asked_for_are_counted_and_all_else_is_left(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let given = given(&area, 3, 8).await;
    fixture.settle().await;
    for by in dimensions() {
        let mut keys: Vec<GroupKey> = model::groups(&given, &PieceFilter::default(), &by)
            .into_iter()
            .step_by(2)
            .map(|group| group.key)
            .collect();
        keys.push(GroupKey::Text("nobody's".to_owned()));
        for keys in [keys, Vec::new()] {
            let request =
                FiguresRequest { groups: GroupChoice::These(keys), ..FiguresRequest::by(by.clone()) };
            let found = area.analytics.figures(&request).await.unwrap();
            assert_eq!(found, model::figures(&given, &request), "{request:?}");
        }
    }
}

pub async fn refusals_are_what_the_named_scorers_and_the_error_say(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let given = given(&area, 4, 12).await;
    fixture.settle().await;
    let scorers =
        [vec![], vec!["a".to_owned(), "in\0side".to_owned()], vec!["SelfAskRefusalScorer".to_owned()]];
    for refusal_scorers in scorers {
        for by in [Dimension::Role, Dimension::Scorer, Dimension::Label] {
            let request =
                FiguresRequest { refusal_scorers: refusal_scorers.clone(), ..FiguresRequest::by(by) };
            let found = area.analytics.figures(&request).await.unwrap();
            assert_eq!(found, model::figures(&given, &request), "{request:?}");
            assert!(found.total.refused > 0 && found.total.refused < found.total.answers);
        }
    }
}

pub async fn outcomes_by_every_dimension_are_those_of_a_plain_model(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let given = given(&area, 5, 14).await;
    fixture.settle().await;
    let filters = [
        AttackResultFilter::default(),
        AttackResultFilter {
            created_from: Some(time("2024-03-01T00:00:00Z")),
            ..AttackResultFilter::default()
        },
        AttackResultFilter {
            conversations: Some(given.attacks.iter().step_by(3).map(|attack| attack.conversation).collect()),
            created_before: Some(time("2027-01-01T00:00:00Z")),
            ..AttackResultFilter::default()
        },
        AttackResultFilter {
            labels: [("a".to_owned(), vec!["b".to_owned(), "in\0side".to_owned()])].into(),
            ..AttackResultFilter::default()
        },
    ];
    for by in dimensions() {
        if !OutcomeRequest::can_be_by(&by) {
            let refused = area.analytics.outcomes(&OutcomeRequest::by(by)).await;
            assert_eq!(kind(refused), ErrorKind::Invalid);
            continue;
        }
        for filter in &filters {
            for most in [1, 3, MOST_GROUPS] {
                let groups = GroupChoice::Most(most);
                let request = OutcomeRequest { filter: filter.clone(), by: by.clone(), groups };
                let found = area.analytics.outcomes(&request).await.unwrap();
                assert_eq!(found, model::outcomes(&given, &request), "{request:?}");
                let ranking = model::outcome_groups(&given, &request);
                let ranked = area.analytics.outcome_groups(&request, most).await.unwrap();
                assert_eq!(ranked.groups, ranking[..most.min(ranking.len())], "{request:?}");
            }
        }
    }
}

pub async fn the_longest_and_the_most_repeated_prompts_are_found(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let given = given(&area, 6, 16).await;
    fixture.settle().await;
    for filter in filters(&given) {
        for most in [1, 3, 100] {
            let size = usize::try_from(most).unwrap();
            let found = area.analytics.longest_prompts(&filter, most).await.unwrap();
            assert_eq!(found, model::longest(&given, &filter, size), "{filter:?}");
            let found = area.analytics.repeated_prompts(&filter, most).await.unwrap();
            assert_eq!(found, model::repeated(&given, &filter, size), "{filter:?}");
        }
    }
}

pub async fn a_preview_of_hostile_text_ends_between_characters(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    // Ends of previews in the middle of what any engine keeps a character as.
    for (number, text) in
        ["\0".repeat(999), format!("a{}", "\0\u{1a}".repeat(500)), "\u{1f468}\u{10ffff}é".repeat(300)]
            .into_iter()
            .enumerate()
    {
        let piece = NewPiece::new(ChatRole::User, PieceValue::text(text.clone()));
        let message = NewMessage::new(conversation(u128::try_from(number).unwrap()), vec![piece]);
        let said = area.pieces.append(message).await.unwrap().pieces[0].id;
        let found = area.analytics.longest_prompts(&PieceFilter::default(), 100).await.unwrap();
        let found = found.into_iter().find(|prompt| prompt.piece == said).unwrap();
        assert_eq!(found.preview, text.chars().take(200).collect::<String>());
        assert_eq!(found.characters, u64::try_from(text.chars().count()).unwrap());
    }
}

pub async fn of_nothing_and_of_another_tenant_s_nothing_is_counted(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    given(&area, 7, 4).await;
    let other = fixture.other_tenant().conversation().unwrap().analytics;
    for by in dimensions() {
        let figures = other.figures(&FiguresRequest::by(by.clone())).await.unwrap();
        assert_eq!(figures, GroupedFigures::empty());
        assert!(other.groups(&PieceFilter::default(), &by, 9).await.unwrap().groups.is_empty());
        if OutcomeRequest::can_be_by(&by) {
            assert_eq!(other.outcomes(&OutcomeRequest::by(by)).await.unwrap().total.count(), 0);
        }
    }
    assert!(other.longest_prompts(&PieceFilter::default(), 9).await.unwrap().is_empty());
    assert!(other.repeated_prompts(&PieceFilter::default(), 9).await.unwrap().is_empty());
}

pub async fn figures_of_two_tenants_merge_into_those_of_both(fixture: &dyn Fixture) {
    let areas = [fixture.conversation(), fixture.other_tenant().conversation().unwrap()];
    let (one, other) = (given(&areas[0], 8, 6).await, given(&areas[1], 9, 5).await);
    let both = one.with(other);
    for by in dimensions() {
        let ranking = model::groups(&both, &PieceFilter::default(), &by);
        let keys: Vec<_> = ranking.into_iter().take(4).map(|group| group.key).collect();
        let request =
            FiguresRequest { groups: GroupChoice::These(keys.clone()), ..FiguresRequest::by(by.clone()) };
        let parts = [
            areas[0].analytics.figures(&request).await.unwrap(),
            areas[1].analytics.figures(&request).await.unwrap(),
        ];
        let whole = model::figures(&both, &request);
        for order in [[0, 1], [1, 0]] {
            let mut merged = GroupedFigures::empty();
            order.into_iter().for_each(|part: usize| merged.merge(&parts[part]));
            assert_eq!(merged.other_groups, parts[0].other_groups + parts[1].other_groups);
            merged.other_groups = whole.other_groups;
            assert_eq!(merged, whole, "{request:?}");
        }
        if !OutcomeRequest::can_be_by(&by) {
            continue;
        }
        let request = OutcomeRequest { groups: GroupChoice::These(keys), ..OutcomeRequest::by(by) };
        let mut merged = areas[1].analytics.outcomes(&request).await.unwrap();
        merged.merge(&areas[0].analytics.outcomes(&request).await.unwrap());
        let whole = model::outcomes(&both, &request);
        merged.other_groups = whole.other_groups;
        assert_eq!(merged, whole, "{request:?}");
    }
}

pub async fn more_than_is_given_is_refused(fixture: &dyn Fixture) {
    let analytics = fixture.conversation().analytics;
    let all = PieceFilter::default();
    for most in [0, MOST_GROUPS + 1] {
        let groups = GroupChoice::Most(most);
        let request = FiguresRequest { groups: groups.clone(), ..FiguresRequest::by(Dimension::Role) };
        assert_eq!(kind(analytics.figures(&request).await), ErrorKind::Invalid);
        let request = OutcomeRequest { groups, ..OutcomeRequest::by(Dimension::Label) };
        assert_eq!(kind(analytics.outcomes(&request).await), ErrorKind::Invalid);
    }
    for most in [0, MOST_RANKED + 1] {
        assert_eq!(kind(analytics.groups(&all, &Dimension::Role, most).await), ErrorKind::Invalid);
    }
    for most in [0, MOST_PROMPTS + 1] {
        assert_eq!(kind(analytics.longest_prompts(&all, most).await), ErrorKind::Invalid);
        assert_eq!(kind(analytics.repeated_prompts(&all, most).await), ErrorKind::Invalid);
    }
}

pub async fn figures_within_a_unit_are_of_what_it_wrote(fixture: &dyn Fixture) {
    let store = fixture.tenant();
    let unit = store.begin().await.unwrap();
    let area = unit.conversation().unwrap();
    let piece = NewPiece::text(ChatRole::Assistant, "no");
    let piece = NewPiece { error: ResponseError::Blocked, ..piece };
    area.pieces.append(NewMessage::new(conversation(1), vec![piece])).await.unwrap();
    for by in dimensions() {
        let found = area.analytics.figures(&FiguresRequest::by(by)).await.unwrap();
        assert_eq!((found.total.pieces, found.total.refused, found.groups.len()), (1, 1, 1));
    }
    let all = PieceFilter { roles: Some(vec![ChatRole::Assistant]), ..PieceFilter::default() };
    assert_eq!(area.analytics.longest_prompts(&all, 1).await.unwrap()[0].preview, "no");
    unit.rollback().await.unwrap();
    let figures = fixture.conversation().analytics.figures(&FiguresRequest::by(Dimension::Role)).await;
    assert_eq!(figures.unwrap(), GroupedFigures::empty());
}

pub async fn what_was_put_aside_is_counted(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let message = NewMessage::text(conversation(1), ChatRole::User, "soon");
    area.pieces.append_buffered(message).await.unwrap();
    let figures = area.analytics.figures(&FiguresRequest::by(Dimension::Role)).await.unwrap();
    assert_eq!(figures.total.pieces, 1);
}
