use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::given::{assert_names, everything, identifier, labelled, piece, spoil, talk};
use crate::conformance::at_once::both;
use crate::conformance::{Fixture, is_lost_race, kind, text};
use crate::id::{PieceId, ScoreId};
use crate::model::conversation::{
    ChatRole, NewMessage, NewPiece, NewScore, PieceFilter, Score, ScoreDetails, ScoreFilter, ScoreType,
    ScoreValue,
};
use crate::repository::ScoresExt as _;
use crate::{Clock as _, Conversation, ErrorKind, PageRequest};

fn float(value: &str) -> ScoreDetails {
    ScoreDetails::of(ScoreType::FloatScale, value)
}

async fn score(area: &Conversation, piece: PieceId, details: ScoreDetails) -> Score {
    area.scores.add_one(NewScore::of(piece, details)).await.unwrap()
}

async fn found(area: &Conversation, filter: &ScoreFilter) -> Vec<ScoreId> {
    let scores = everything(|page| async move { area.scores.list(filter, &page).await }).await;
    scores.into_iter().map(|score| score.id).collect()
}

fn full(text: &str) -> ScoreDetails {
    ScoreDetails {
        value_description: Some(text.to_owned()),
        categories: vec![text.to_owned(), String::new(), text.to_owned()],
        rationale: Some(text.to_owned()),
        metadata: [(text.to_owned(), json!({text: [text, 1, 0.5, null]}))].into(),
        scorer: Some(identifier(text)),
        objective: Some(text.to_owned()),
        scorable: Some(json!({"kind": text})),
        ..ScoreDetails::of(ScoreType::Unknown, text)
    }
}

pub async fn a_score_comes_back_as_it_was_given(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    let added = score(&area, piece, full("x")).await;
    assert_eq!((added.piece, added.created_at), (Some(piece), fixture.clock().now()));
    assert_eq!(added.details, full("x"));
    assert_eq!(area.scores.find(added.id).await.unwrap(), Some(added));
    let bare = score(&area, piece, float("0.25")).await;
    let read = area.scores.find(bare.id).await.unwrap().unwrap();
    assert_eq!(read.details.parsed(), Some(ScoreValue::Float(0.25)));
    assert_eq!(read, bare);
    assert_eq!(area.scores.find(ScoreId(Uuid::max())).await.unwrap(), None);
}

pub async fn a_score_brings_its_id_and_time_if_it_has_them(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    let id = ScoreId(Uuid::from_u128(42));
    let then = fixture.clock().now() - Duration::from_nanos(1_000_001);
    let new = NewScore { id: Some(id), created_at: Some(then), ..NewScore::of(piece, float("1")) };
    let added = area.scores.add_one(new.clone()).await.unwrap();
    assert_eq!(added.id, id);
    assert_eq!(added.created_at, fixture.clock().now() - Duration::from_micros(1_001));
    assert_eq!(area.scores.find(id).await.unwrap(), Some(added));
    assert_eq!(kind(area.scores.add_one(new).await), ErrorKind::Conflict);
    assert_eq!(found(&area, &ScoreFilter::default()).await, [id]);
}

pub async fn a_score_of_a_duplicate_is_kept_under_the_original(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let original = piece(&area, talk(1), "hello").await;
    let copy = area.conversations.duplicate(talk(1)).await.unwrap().id;
    let copies =
        area.pieces.list(&PieceFilter::conversation(copy), &PageRequest::first(9).unwrap()).await.unwrap();
    let duplicate = copies.items[0].id;
    let given = score(&area, duplicate, float("0.5")).await;
    assert_eq!(given.piece, Some(original));
    for pieces in [original, duplicate] {
        let filter = ScoreFilter { pieces: Some(vec![pieces]), ..ScoreFilter::default() };
        assert_eq!(found(&area, &filter).await, [given.id]);
    }
    for conversation in [talk(1), copy] {
        let filter = ScoreFilter { conversation: Some(conversation), ..ScoreFilter::default() };
        assert_eq!(found(&area, &filter).await, [given.id]);
    }
    let filter = ScoreFilter { original_pieces: Some(vec![duplicate]), ..ScoreFilter::default() };
    assert!(found(&area, &filter).await.is_empty());
    area.conversations.delete(copy).await.unwrap();
    assert!(area.scores.find(given.id).await.unwrap().is_some());
}

pub async fn a_score_of_a_duplicate_whose_original_is_gone_is_kept_under_the_duplicate(
    fixture: &dyn Fixture,
) {
    let area = fixture.conversation();
    piece(&area, talk(1), "hello").await;
    let copy = area.conversations.duplicate(talk(1)).await.unwrap().id;
    area.conversations.delete(talk(1)).await.unwrap();
    let copies =
        area.pieces.list(&PieceFilter::conversation(copy), &PageRequest::first(9).unwrap()).await.unwrap();
    let duplicate = copies.items[0].id;
    let given = score(&area, duplicate, float("0.5")).await;
    assert_eq!(given.piece, Some(duplicate));
    let filter = ScoreFilter { conversation: Some(copy), ..ScoreFilter::default() };
    assert_eq!(found(&area, &filter).await, [given.id]);
}

pub async fn a_score_of_a_missing_piece_is_not_found_and_none_is_added(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    let missing = PieceId(Uuid::max());
    let scores = vec![NewScore::of(piece, float("0")), NewScore::of(missing, float("0"))];
    let error = area.scores.add(scores).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.report().contains(&missing.to_string()) && error.next_step().is_some(), "{error:?}");
    assert!(found(&area, &ScoreFilter::default()).await.is_empty());
    assert!(area.scores.add(Vec::new()).await.unwrap().is_empty());
}

pub async fn a_score_of_what_was_never_a_piece_is_kept(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let details = ScoreDetails { scorable: Some(json!({"file": "a.png"})), ..float("0.75") };
    let new = NewScore { id: None, piece: None, created_at: None, details };
    let added = area.scores.add_one(new).await.unwrap();
    assert_eq!(added.piece, None);
    assert_eq!(area.scores.find(added.id).await.unwrap(), Some(added));
}

pub async fn a_score_s_value_must_be_what_its_type_says(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    for (score_type, value) in [(ScoreType::TrueFalse, "maybe"), (ScoreType::FloatScale, "1.5")] {
        let new = NewScore::of(piece, ScoreDetails::of(score_type, value));
        let error = area.scores.add_one(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!error.report().contains(value), "{error:?}");
    }
    let undetermined = ScoreDetails { value: None, ..float("") };
    let added = score(&area, piece, undetermined.clone()).await;
    assert_eq!(area.scores.find(added.id).await.unwrap().unwrap().details, undetermined);
}

pub async fn scores_are_found_by_every_filter_alone_and_together(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let first = labelled(&area, talk(1), "one", &[("team", "red"), ("run", "7")]).await;
    let second = labelled(&area, talk(2), "two", &[("team", "blue"), ("run", "7")]).await;
    let start = fixture.clock().now();
    let categories = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let a = ScoreDetails {
        categories: categories(&["hate", "violence"]),
        scorer: Some(identifier("SelfAsk")),
        ..ScoreDetails::of(ScoreType::TrueFalse, "true")
    };
    let a = score(&area, first, a).await.id;
    fixture.clock().advance(Duration::from_micros(1));
    let b = ScoreDetails {
        categories: categories(&["hate"]),
        scorer: Some(identifier("Substring")),
        ..float("0.5")
    };
    let b = score(&area, first, b).await.id;
    fixture.clock().advance(Duration::from_micros(1));
    let c = score(&area, second, ScoreDetails { value: None, ..float("") }).await.id;
    let any = ScoreFilter::default;
    let label = |name: &str, values: &[&str]| {
        [(name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())].into()
    };
    let micros = |n| Some(start + Duration::from_micros(n));
    let of_pieces = PieceFilter { converted_values: Some(categories(&["one"])), ..PieceFilter::default() };
    let wanted: Vec<(ScoreFilter, Vec<ScoreId>)> = vec![
        (any(), vec![a, b, c]),
        (ScoreFilter { ids: Some(vec![a, c]), ..any() }, vec![a, c]),
        (ScoreFilter { pieces: Some(vec![second]), ..any() }, vec![c]),
        (ScoreFilter { original_pieces: Some(vec![first]), ..any() }, vec![a, b]),
        (ScoreFilter { conversation: Some(talk(1)), ..any() }, vec![a, b]),
        (ScoreFilter { labels: label("team", &["red"]), ..any() }, vec![a, b]),
        (ScoreFilter { labels: label("team", &["red", "blue"]), ..any() }, vec![a, b, c]),
        (ScoreFilter { labels: label("team", &["Red"]), ..any() }, vec![]),
        (ScoreFilter { of_pieces: Some(of_pieces), ..any() }, vec![a, b]),
        (ScoreFilter { score_types: Some(vec![ScoreType::FloatScale]), ..any() }, vec![b, c]),
        (ScoreFilter { categories: Some(categories(&["violence", "x"])), ..any() }, vec![a]),
        (ScoreFilter { categories: Some(categories(&["hate"])), ..any() }, vec![a, b]),
        (ScoreFilter { scorers: Some(categories(&["Substring"])), ..any() }, vec![b]),
        (ScoreFilter { undetermined: Some(true), ..any() }, vec![c]),
        (ScoreFilter { undetermined: Some(false), ..any() }, vec![a, b]),
        (ScoreFilter { created_from: micros(1), ..any() }, vec![b, c]),
        (ScoreFilter { created_before: micros(1), ..any() }, vec![a]),
        (ScoreFilter { created_from: micros(1), created_before: micros(2), ..any() }, vec![b]),
        (
            ScoreFilter {
                categories: Some(categories(&["hate"])),
                score_types: Some(vec![ScoreType::FloatScale]),
                labels: label("run", &["7"]),
                ..any()
            },
            vec![b],
        ),
    ];
    for (filter, ids) in wanted {
        assert_eq!(found(&area, &filter).await, ids, "{filter:?}");
    }
}

pub async fn an_empty_list_of_a_score_filter_lets_nothing_through(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    score(&area, piece, full("x")).await;
    let any = ScoreFilter::default;
    for filter in [
        ScoreFilter { ids: Some(vec![]), ..any() },
        ScoreFilter { pieces: Some(vec![]), ..any() },
        ScoreFilter { score_types: Some(vec![]), ..any() },
        ScoreFilter { categories: Some(vec![]), ..any() },
        ScoreFilter { labels: [("x".to_owned(), vec![])].into(), ..any() },
    ] {
        assert!(found(&area, &filter).await.is_empty(), "{filter:?}");
    }
    let ids = Some(vec![ScoreId(Uuid::nil()); crate::model::conversation::MOST_VALUES + 1]);
    let page = PageRequest::first(1).unwrap();
    assert_eq!(kind(area.scores.list(&ScoreFilter { ids, ..any() }, &page).await), ErrorKind::Invalid);
}

pub async fn scores_are_paged_while_others_come(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    let new = || NewScore::of(piece, float("0.5"));
    let added = area.scores.add(vec![new(), new(), new()]).await.unwrap();
    let page = area.scores.list(&ScoreFilter::default(), &PageRequest::first(2).unwrap()).await.unwrap();
    let late = area.scores.add_one(new()).await.unwrap();
    let request = PageRequest::first(2).unwrap().after(page.next.unwrap());
    let rest = area.scores.list(&ScoreFilter::default(), &request).await.unwrap();
    let all: Vec<Score> = page.items.into_iter().chain(rest.items).collect();
    assert_eq!(all, added.into_iter().chain([late]).collect::<Vec<_>>());
    assert_eq!(rest.next, None);
}

pub async fn a_deleted_score_is_gone(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    let (gone, stays) = (score(&area, piece, full("x")).await, score(&area, piece, full("y")).await);
    assert!(area.scores.delete(gone.id).await.unwrap());
    assert!(!area.scores.delete(gone.id).await.unwrap());
    assert_eq!(area.scores.find(gone.id).await.unwrap(), None);
    assert_eq!(area.scores.find(stays.id).await.unwrap(), Some(stays));
    assert_eq!(area.scores.scorer_classes().await.unwrap(), ["y"]);
}

pub async fn scores_go_with_their_piece(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let first = piece(&area, talk(1), "one").await;
    let second = piece(&area, talk(1), "two").await;
    let (stays, goes) = (score(&area, first, full("x")).await.id, score(&area, second, full("y")).await.id);
    area.conversations.delete_after(talk(1), 0).await.unwrap();
    assert_eq!(found(&area, &ScoreFilter::default()).await, [stays]);
    assert_eq!(area.scores.find(goes).await.unwrap(), None);
    assert_eq!(area.scores.scorer_classes().await.unwrap(), ["x"]);
    area.conversations.delete(talk(1)).await.unwrap();
    assert!(found(&area, &ScoreFilter::default()).await.is_empty());
    assert!(area.scores.scorer_classes().await.unwrap().is_empty());
}

pub async fn hostile_text_survives_in_every_field_of_a_score(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    for hostile in text::HOSTILE {
        let added = score(&area, piece, full(hostile)).await;
        assert_eq!(area.scores.find(added.id).await.unwrap().unwrap().details, full(hostile));
        let one = Some(vec![(*hostile).to_owned()]);
        for filter in [
            ScoreFilter { categories: one.clone(), ..ScoreFilter::default() },
            ScoreFilter { scorers: one, ..ScoreFilter::default() },
        ] {
            assert_eq!(found(&area, &filter).await, [added.id], "{hostile:?}");
        }
    }
}

pub async fn a_tenant_s_scores_are_nobody_else_s(fixture: &dyn Fixture) {
    let (mine, theirs) = (fixture.conversation(), fixture.other_tenant().conversation().unwrap());
    let piece = piece(&mine, talk(1), "hello").await;
    let added = score(&mine, piece, full("x")).await;
    assert_eq!(theirs.scores.find(added.id).await.unwrap(), None);
    assert!(found(&theirs, &ScoreFilter::default()).await.is_empty());
    assert!(!theirs.scores.delete(added.id).await.unwrap());
    assert!(theirs.scores.scorer_classes().await.unwrap().is_empty());
    assert_eq!(kind(theirs.scores.add_one(NewScore::of(piece, float("0"))).await), ErrorKind::NotFound);
    assert_eq!(mine.scores.find(added.id).await.unwrap(), Some(added));
}

pub async fn a_score_that_can_t_be_read_is_an_error_that_names_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    let id = score(&area, piece, float("0.5")).await.id;
    for (column, wrong, right) in [("score_type", "no such", "float_scale"), ("metadata", "{", "{}")] {
        spoil(fixture, &format!("UPDATE score SET {column} = '{wrong}'")).await;
        let page = PageRequest::first(9).unwrap();
        assert_names(area.scores.list(&ScoreFilter::default(), &page).await, "score", column, id.0);
        spoil(fixture, &format!("UPDATE score SET {column} = '{right}'")).await;
    }
    assert!(area.scores.find(id).await.unwrap().is_some());
}

pub async fn no_score_outlives_a_conversation_that_is_deleted_meanwhile(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for number in 0..5 {
        let piece = piece(&area, talk(number), "hello").await;
        let adding = area.scores.add_one(NewScore::of(piece, full("x")));
        let (added, deleted) = both(adding, area.conversations.delete(talk(number))).await;
        if let Err(error) = added {
            assert!(error.kind() == ErrorKind::NotFound || is_lost_race(&error), "{error:?}");
        }
        if deleted.is_err() {
            area.conversations.delete(talk(number)).await.unwrap();
        }
    }
    assert!(found(&area, &ScoreFilter::default()).await.is_empty());
    assert!(area.scores.scorer_classes().await.unwrap().is_empty());
}

pub async fn a_piece_that_was_put_aside_can_be_scored(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let message = NewMessage::new(talk(1), vec![NewPiece::text(ChatRole::User, "hello")]);
    let pieces = area.pieces.append_buffered(message).await.unwrap();
    let added = score(&area, pieces[0], float("0.5")).await;
    assert_eq!(added.piece, Some(pieces[0]));
}

pub async fn many_scores_are_added_at_once(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = piece(&area, talk(1), "hello").await;
    let new = |n: u32| NewScore::of(piece, ScoreDetails { categories: vec![n.to_string()], ..float("0.5") });
    let added = area.scores.add((0..5_000).map(new).collect()).await.unwrap();
    assert_eq!(added.len(), 5_000);
    let filter = ScoreFilter { categories: Some(vec!["4999".to_owned()]), ..ScoreFilter::default() };
    assert_eq!(found(&area, &filter).await, [added[4_999].id]);
}
