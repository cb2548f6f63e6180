use std::time::Duration;

use serde_json::json;

use super::{all, append, conversation, piece_id, say};
use crate::conformance::{Fixture, kind, text};
use crate::model::{
    ChatRole, DataType, Identifier, Labels, NewPiece, Piece, PieceFilter, PieceValue, ResponseError, Sha256,
};
use crate::{Clock as _, Conversation, ErrorKind, PageRequest};

/// Six pieces that differ in everything that can be asked for, a second apart.
async fn six(fixture: &dyn Fixture) -> (Conversation, Vec<Piece>) {
    let area = fixture.conversation();
    let mut pieces = Vec::new();
    for n in 0..6_u8 {
        let role = if n % 2 == 0 { ChatRole::User } else { ChatRole::Assistant };
        let data_type = [DataType::Text, DataType::Url, DataType::Error][usize::from(n) % 3];
        let mut labels: Labels = [("n".to_owned(), n.to_string())].into();
        if n < 4 {
            labels.insert("half".to_owned(), if n < 2 { "low" } else { "high" }.to_owned());
        }
        let new = NewPiece {
            original: PieceValue::text(format!("original {n}")),
            converted: Some(PieceValue::new(format!("converted {n}"), data_type)),
            original_piece: (n == 5).then(|| piece_id(0)),
            labels,
            metadata: [("n".to_owned(), json!(n)), ("list".to_owned(), json!([n % 2]))].into(),
            attack: Some(
                Identifier::of_class(if n < 3 { "Crescendo" } else { "Tree" }).with_id(format!("attack {n}")),
            ),
            converters: (0..n % 3).map(|c| Identifier::of_class(format!("Converter{c}"))).collect(),
            error: if n == 3 { ResponseError::Blocked } else { ResponseError::None },
            ..NewPiece::text(role, "")
        };
        pieces.push(append(&area, conversation(u128::from(n / 2)), new).await);
        fixture.clock().advance(Duration::from_secs(1));
    }
    (area, pieces)
}

/// Asserts that the filter finds these of the six and no other.
async fn finds<const N: usize>(
    area: &Conversation,
    pieces: &[Piece],
    filter: PieceFilter,
    wanted: [usize; N],
) {
    let wanted = wanted.map(|n| pieces[n].clone());
    assert_eq!(all(&*area.pieces, &filter).await, wanted, "{filter:?}");
}

fn none() -> PieceFilter {
    PieceFilter::default()
}

pub async fn without_a_condition_all_are_found_in_the_order_of_ids(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    finds(&area, &six, none(), [0, 1, 2, 3, 4, 5]).await;
}

pub async fn pieces_are_found_by_conversation_role_and_id(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    finds(&area, &six, PieceFilter::conversation(conversation(1)), [2, 3]).await;
    let two = Some(vec![conversation(0), conversation(2), conversation(9)]);
    finds(&area, &six, PieceFilter { conversations: two, ..none() }, [0, 1, 4, 5]).await;
    finds(&area, &six, PieceFilter { roles: Some(vec![ChatRole::Assistant]), ..none() }, [1, 3, 5]).await;
    finds(&area, &six, PieceFilter { roles: Some(vec![ChatRole::Tool]), ..none() }, []).await;
    let ids = Some(vec![six[4].id, six[0].id, piece_id(3)]);
    finds(&area, &six, PieceFilter { ids, ..none() }, [0, 4]).await;
    let originals = Some(vec![piece_id(0), six[1].id]);
    finds(&area, &six, PieceFilter { original_pieces: originals, ..none() }, [1, 5]).await;
}

pub async fn an_empty_list_is_met_by_nothing(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    for filter in [
        PieceFilter { conversations: Some(Vec::new()), ..none() },
        PieceFilter { roles: Some(Vec::new()), ..none() },
        PieceFilter { ids: Some(Vec::new()), ..none() },
        PieceFilter { labels: [("n".to_owned(), Vec::new())].into(), ..none() },
        PieceFilter { metadata: [("n".to_owned(), Vec::new())].into(), ..none() },
        PieceFilter { original_values: Some(Vec::new()), ..none() },
        PieceFilter { converted_sha256: Some(Vec::new()), ..none() },
        PieceFilter { attack_ids: Some(Vec::new()), ..none() },
        PieceFilter { converter_classes: Some(Vec::new()), ..none() },
        PieceFilter { errors: Some(Vec::new()), ..none() },
    ] {
        finds(&area, &six, filter, []).await;
    }
    finds(&area, &six, PieceFilter { not_data_types: Vec::new(), ..none() }, [0, 1, 2, 3, 4, 5]).await;
}

pub async fn labels_are_all_wanted_each_with_one_of_its_values(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    finds(&area, &six, none().label("half", "low"), [0, 1]).await;
    finds(&area, &six, none().label("half", "low").label("n", "1"), [1]).await;
    finds(&area, &six, none().label("half", "high").label("n", "1"), []).await;
    let either = |name: &str, values: [&str; 2]| (name.to_owned(), values.map(str::to_owned).to_vec());
    let labels = [either("half", ["low", "high"]), either("n", ["1", "3"])].into();
    finds(&area, &six, PieceFilter { labels, ..none() }, [1, 3]).await;
    // A name is not a value, and neither is cut anywhere else.
    finds(&area, &six, none().label("low", "half"), []).await;
    finds(&area, &six, none().label("hal", "flow"), []).await;
}

pub async fn metadata_is_found_by_its_json(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    let metadata = |name: &str, values: &[serde_json::Value]| PieceFilter {
        metadata: [(name.to_owned(), values.to_vec())].into(),
        ..none()
    };
    finds(&area, &six, metadata("n", &[json!(2), json!(4)]), [2, 4]).await;
    finds(&area, &six, metadata("n", &[json!("2")]), []).await;
    finds(&area, &six, metadata("list", &[json!([1])]), [1, 3, 5]).await;
    let both = PieceFilter {
        metadata: [("n".into(), vec![json!(3)]), ("list".into(), vec![json!([1])])].into(),
        ..none()
    };
    finds(&area, &six, both, [3]).await;
    // A label of the same name and value is something else.
    finds(&area, &six, metadata("half", &[json!("low")]), []).await;
}

pub async fn a_time_range_has_its_beginning_and_not_its_end(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    let (from, before) = (six[2].created_at, six[4].created_at);
    finds(&area, &six, PieceFilter { created_from: Some(from), ..none() }, [2, 3, 4, 5]).await;
    finds(&area, &six, PieceFilter { created_before: Some(before), ..none() }, [0, 1, 2, 3]).await;
    let both = PieceFilter { created_from: Some(from), created_before: Some(before), ..none() };
    finds(&area, &six, both, [2, 3]).await;
    let micro = chrono::TimeDelta::microseconds(1);
    finds(&area, &six, PieceFilter { created_from: Some(from + micro), ..none() }, [3, 4, 5]).await;
    finds(&area, &six, PieceFilter { created_before: Some(from + micro), ..none() }, [0, 1, 2]).await;
}

pub async fn times_are_compared_to_the_microsecond(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let start = fixture.clock().now();
    let mut pieces = Vec::new();
    // Across the fraction's every length, and into the next second.
    for micros in [0, 1, 10, 100_000, 123_456, 500_000, 999_000, 999_999, 1_000_000, 1_000_001] {
        let created_at = Some(start + chrono::TimeDelta::microseconds(micros));
        let new = NewPiece { created_at, ..NewPiece::text(ChatRole::User, "x") };
        pieces.push(append(&area, conversation(1), new).await);
    }
    for (n, piece) in pieces.iter().enumerate() {
        let from = PieceFilter { created_from: Some(piece.created_at), ..none() };
        assert_eq!(all(&*area.pieces, &from).await, pieces[n..]);
        let before = PieceFilter { created_before: Some(piece.created_at), ..none() };
        assert_eq!(all(&*area.pieces, &before).await, pieces[..n]);
    }
}

pub async fn pieces_are_found_by_what_they_said_and_were_to_say(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    let values = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
    let original = values(&["original 1", "original 5", "converted 2"]);
    finds(&area, &six, PieceFilter { original_values: original, ..none() }, [1, 5]).await;
    let converted = values(&["converted 2", "original 1", "CONVERTED 3"]);
    finds(&area, &six, PieceFilter { converted_values: converted, ..none() }, [2]).await;
    let original = Some(vec![Sha256::of(b"original 4")]);
    finds(&area, &six, PieceFilter { original_sha256: original, ..none() }, [4]).await;
    let converted = Some(vec![Sha256::of(b"converted 0"), Sha256::of(b"converted 3"), Sha256::of(b"x")]);
    finds(&area, &six, PieceFilter { converted_sha256: converted, ..none() }, [0, 3]).await;
}

pub async fn pieces_are_found_by_kind_of_data_and_by_what_it_is_not(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    let types = |types: &[DataType]| Some(types.to_vec());
    finds(&area, &six, PieceFilter { data_types: types(&[DataType::Url]), ..none() }, [1, 4]).await;
    let two = types(&[DataType::Url, DataType::Text]);
    finds(&area, &six, PieceFilter { data_types: two.clone(), ..none() }, [0, 1, 3, 4]).await;
    let not = vec![DataType::Url];
    finds(&area, &six, PieceFilter { not_data_types: not.clone(), ..none() }, [0, 2, 3, 5]).await;
    finds(&area, &six, PieceFilter { data_types: two, not_data_types: not, ..none() }, [0, 3]).await;
}

pub async fn pieces_are_found_by_attack_converter_and_error(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    finds(&area, &six, PieceFilter { attack_ids: names(&["attack 3", "attack 4"]), ..none() }, [3, 4]).await;
    finds(&area, &six, PieceFilter { attack_classes: names(&["Crescendo"]), ..none() }, [0, 1, 2]).await;
    finds(&area, &six, PieceFilter { attack_classes: names(&["attack 3"]), ..none() }, []).await;
    let both = PieceFilter {
        attack_classes: names(&["Tree"]),
        attack_ids: names(&["attack 4", "attack 1"]),
        ..none()
    };
    finds(&area, &six, both, [4]).await;
    finds(&area, &six, PieceFilter { converter_classes: names(&["Converter0"]), ..none() }, [1, 2, 4, 5])
        .await;
    finds(&area, &six, PieceFilter { converter_classes: names(&["Converter1"]), ..none() }, [2, 5]).await;
    finds(&area, &six, PieceFilter { errors: Some(vec![ResponseError::Blocked]), ..none() }, [3]).await;
}

pub async fn conditions_are_met_all_together(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    let piece = &six[3];
    let every = PieceFilter {
        conversations: Some(vec![piece.conversation]),
        roles: Some(vec![piece.role]),
        ids: Some(vec![piece.id]),
        original_pieces: Some(vec![piece.id]),
        labels: piece.labels.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect(),
        metadata: piece.metadata.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect(),
        created_from: Some(piece.created_at),
        created_before: Some(six[4].created_at),
        original_values: Some(vec![piece.original.value.clone()]),
        converted_values: Some(vec![piece.converted.value.clone()]),
        original_sha256: Some(vec![piece.original.sha256]),
        converted_sha256: Some(vec![piece.converted.sha256]),
        data_types: Some(vec![piece.converted.data_type]),
        not_data_types: vec![DataType::Url],
        attack_ids: Some(vec!["attack 3".to_owned()]),
        attack_classes: Some(vec!["Tree".to_owned()]),
        converter_classes: None,
        errors: Some(vec![ResponseError::Blocked]),
    };
    finds(&area, &six, every.clone(), [3]).await;
    // Each of them counts.
    let other = |change: fn(&mut PieceFilter)| {
        let mut filter = every.clone();
        change(&mut filter);
        filter
    };
    for filter in [
        other(|filter| filter.conversations = Some(vec![conversation(0)])),
        other(|filter| filter.roles = Some(vec![ChatRole::User])),
        other(|filter| filter.ids = Some(vec![piece_id(1)])),
        other(|filter| filter.original_pieces = Some(vec![piece_id(1)])),
        other(|filter| drop(filter.labels.insert("x".to_owned(), vec!["y".to_owned()]))),
        other(|filter| drop(filter.metadata.insert("x".to_owned(), vec![json!(1)]))),
        other(|filter| filter.created_from = filter.created_before),
        other(|filter| filter.created_before = filter.created_from),
        other(|filter| filter.original_values = Some(vec!["x".to_owned()])),
        other(|filter| filter.converted_values = Some(vec!["x".to_owned()])),
        other(|filter| filter.original_sha256 = Some(vec![Sha256::of(b"x")])),
        other(|filter| filter.converted_sha256 = Some(vec![Sha256::of(b"x")])),
        other(|filter| filter.data_types = Some(vec![DataType::Reasoning])),
        other(|filter| filter.not_data_types = vec![DataType::Text]),
        other(|filter| filter.attack_ids = Some(vec!["x".to_owned()])),
        other(|filter| filter.attack_classes = Some(vec!["x".to_owned()])),
        other(|filter| filter.converter_classes = Some(vec!["Converter0".to_owned()])),
        other(|filter| filter.errors = Some(vec![ResponseError::Empty])),
    ] {
        finds(&area, &six, filter, []).await;
    }
}

pub async fn hostile_text_is_found_by_exactly_itself(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let mut pieces = Vec::new();
    for hostile in text::HOSTILE {
        let new = NewPiece {
            labels: [((*hostile).to_owned(), (*hostile).to_owned())].into(),
            metadata: [((*hostile).to_owned(), json!(hostile))].into(),
            attack: Some(Identifier::of_class(*hostile).with_id(*hostile)),
            converters: vec![Identifier::of_class(*hostile)],
            ..NewPiece::text(ChatRole::User, *hostile)
        };
        pieces.push(append(&area, conversation(1), new).await);
    }
    for (n, hostile) in text::HOSTILE.iter().map(|hostile| (*hostile).to_owned()).enumerate() {
        let values = || Some(vec![hostile.clone()]);
        for filter in [
            none().label(hostile.clone(), hostile.clone()),
            PieceFilter { metadata: [(hostile.clone(), vec![json!(hostile)])].into(), ..none() },
            PieceFilter { original_values: values(), ..none() },
            PieceFilter { converted_values: values(), ..none() },
            PieceFilter { attack_ids: values(), ..none() },
            PieceFilter { attack_classes: values(), ..none() },
            PieceFilter { converter_classes: values(), ..none() },
        ] {
            assert_eq!(all(&*area.pieces, &filter).await, [pieces[n].clone()], "{filter:?}");
        }
    }
}

pub async fn pieces_that_come_and_go_while_paging_disturb_no_other(fixture: &dyn Fixture) {
    let (area, six) = six(fixture).await;
    let first = area.pieces.list(&none(), &PageRequest::first(2).unwrap()).await.unwrap();
    assert_eq!(first.items, six[..2]);
    let late = say(&area, conversation(0), ChatRole::User, "late").await;
    area.pieces.delete(&[six[1].id, six[2].id]).await.unwrap();
    let rest = PageRequest::first(9).unwrap().after(first.next.unwrap());
    let rest = area.pieces.list(&none(), &rest).await.unwrap();
    assert_eq!(rest.items, [&six[3..], &late.pieces[..]].concat());
    assert_eq!(rest.next, None);
}

pub async fn a_filter_or_a_cursor_that_can_not_be_is_refused(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let page = PageRequest::first(1).unwrap();
    let most = PieceFilter { ids: Some((0..40_000).map(piece_id).collect()), ..none() };
    assert_eq!(kind(area.pieces.list(&most, &page).await), ErrorKind::Invalid);
    let many = PieceFilter { ids: Some((0..20_000).map(piece_id).collect()), ..none() };
    assert_eq!(area.pieces.list(&many, &page).await.unwrap().items, []);
    let page = page.after(crate::Cursor::new("nowhere"));
    assert_eq!(kind(area.pieces.list(&none(), &page).await), ErrorKind::Invalid);
    assert_eq!(kind(area.conversations.list(&page).await), ErrorKind::Invalid);
    assert_eq!(kind(area.conversations.messages(conversation(1), &page).await), ErrorKind::Invalid);
}
