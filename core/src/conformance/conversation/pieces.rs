use super::{all, append, conversation, full, messages, piece_id, say, sequences, talk, texts};
use crate::conformance::{Fixture, at_once, kind, text};
use crate::model::{
    ChatRole, DataType, Identifier, NewMessage, NewPiece, PieceFilter, PieceValue, ResponseError, Sha256,
};
use crate::{Clock as _, ErrorKind, PageRequest};

pub async fn an_appended_message_is_found_as_it_was_said(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let message = say(&area, conversation(1), ChatRole::User, "hello").await;
    assert_eq!(
        (message.conversation, message.sequence, message.role()),
        (conversation(1), 0, Some(ChatRole::User))
    );
    let [piece] = message.pieces.as_slice() else { panic!("{message:?}") };
    assert_eq!((piece.sequence, piece.position, piece.original_piece), (0, 0, piece.id));
    assert_eq!(piece.original, PieceValue::text("hello"));
    assert_eq!(piece.converted, piece.original);
    assert_eq!(piece.original.sha256, Sha256::of(b"hello"));
    assert_eq!((piece.error, piece.created_at), (ResponseError::None, fixture.clock().now()));
    assert_eq!(area.pieces.find(piece.id).await.unwrap().as_ref(), Some(piece));
    assert_eq!(messages(&*area.conversations, conversation(1)).await, [message]);
}

pub async fn a_piece_that_is_not_there_is_none(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    assert_eq!(area.pieces.find(piece_id(1)).await.unwrap(), None);
    assert_eq!(all(&*area.pieces, &PieceFilter::default()).await, []);
    assert_eq!(area.pieces.append_all(Vec::new()).await.unwrap(), []);
}

pub async fn messages_of_a_conversation_follow_one_another(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 2).await;
    say(&area, conversation(2), ChatRole::System, "another").await;
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(sequences(&said), [0, 1, 2, 3]);
    assert_eq!(texts(&said), ["question 0", "answer 0", "question 1", "answer 1"]);
    assert_eq!(sequences(&messages(&*area.conversations, conversation(2)).await), [0]);
}

pub async fn the_parts_of_a_message_share_its_sequence_in_their_order(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let parts = |n: usize| (0..n).map(|part| NewPiece::text(ChatRole::User, part.to_string())).collect();
    area.pieces.append(NewMessage::new(conversation(1), parts(3))).await.unwrap();
    // More than a page of one message is read at once.
    area.pieces.append(NewMessage::new(conversation(1), parts(40))).await.unwrap();
    area.pieces.append(NewMessage::new(conversation(1), parts(1))).await.unwrap();
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(sequences(&said), [0, 1, 2]);
    assert_eq!(texts(&said)[0], "0+1+2");
    let positions: Vec<i32> = said[1].pieces.iter().map(|piece| piece.position).collect();
    assert_eq!(positions, (0..40).collect::<Vec<_>>());
}

pub async fn a_message_without_parts_or_of_two_roles_is_refused(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let none = NewMessage::new(conversation(1), Vec::new());
    let mixed = NewMessage::new(
        conversation(1),
        vec![NewPiece::text(ChatRole::User, "a"), NewPiece::text(ChatRole::Assistant, "b")],
    );
    let mut twice = Identifier::of_class("T");
    twice.details.insert("class_name".to_owned(), "U".into());
    let unwritable = NewMessage::new(
        conversation(1),
        vec![NewPiece { target: Some(twice), ..NewPiece::text(ChatRole::User, "a") }],
    );
    for wrong in [none, mixed, unwritable] {
        assert_eq!(kind(area.pieces.append(wrong.clone()).await), ErrorKind::Invalid);
        let right = NewMessage::text(conversation(1), ChatRole::User, "right");
        assert_eq!(kind(area.pieces.append_all(vec![right, wrong]).await), ErrorKind::Invalid);
    }
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap(), None);
}

pub async fn every_field_of_a_piece_is_kept_whatever_the_text(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for hostile in text::HOSTILE {
        let new = full(hostile);
        let piece = append(&area, conversation(1), new.clone()).await;
        let found = area.pieces.find(piece.id).await.unwrap().unwrap();
        assert_eq!(found, piece);
        assert_eq!((found.original, Some(found.converted)), (new.original, new.converted));
        assert_eq!((found.labels, found.metadata), (new.labels, new.metadata));
        assert_eq!((found.target, found.attack, found.converters), (new.target, new.attack, new.converters));
        assert_eq!((Some(found.original_piece), found.error), (new.original_piece, new.error));
    }
}

pub async fn every_role_kind_of_data_and_error_is_kept(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for &role in ChatRole::ALL {
        let piece = append(&area, conversation(1), NewPiece::text(role, "x")).await;
        assert_eq!(area.pieces.find(piece.id).await.unwrap().unwrap().role, role);
    }
    for &data_type in DataType::ALL {
        let new = NewPiece::new(ChatRole::User, PieceValue::new("x", data_type));
        let piece = append(&area, conversation(1), new).await;
        assert_eq!(area.pieces.find(piece.id).await.unwrap().unwrap().original.data_type, data_type);
    }
    for &error in ResponseError::ALL {
        let new = NewPiece { error, ..NewPiece::text(ChatRole::Assistant, "x") };
        let piece = append(&area, conversation(1), new).await;
        assert_eq!(area.pieces.find(piece.id).await.unwrap().unwrap().error, error);
    }
}

pub async fn a_megabyte_of_text_survives_in_a_piece(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let long = text::megabyte();
    let new = NewPiece {
        labels: [("long".to_owned(), long.clone())].into(),
        metadata: [("long".to_owned(), long.clone().into())].into(),
        ..NewPiece::text(ChatRole::User, long.clone())
    };
    let piece = append(&area, conversation(1), new).await;
    let found = all(&*area.pieces, &PieceFilter::default().label("long", long)).await;
    assert!(found == [piece]);
}

pub async fn a_piece_may_bring_its_id_and_its_time(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let time = crate::Timestamp::from_timestamp_nanos(1_234_567_890_123_456_789);
    let new =
        NewPiece { id: Some(piece_id(1)), created_at: Some(time), ..NewPiece::text(ChatRole::User, "x") };
    let piece = append(&area, conversation(1), new).await;
    assert_eq!((piece.id, piece.created_at.timestamp_subsec_nanos()), (piece_id(1), 123_456_000));
    assert_eq!(area.pieces.find(piece_id(1)).await.unwrap(), Some(piece));
}

pub async fn an_id_that_is_taken_is_a_conflict_and_takes_no_sequence(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let taken = || NewPiece { id: Some(piece_id(1)), ..NewPiece::text(ChatRole::User, "x") };
    append(&area, conversation(1), taken()).await;
    for other in [conversation(1), conversation(2)] {
        let message = NewMessage::new(other, vec![taken()]);
        assert_eq!(kind(area.pieces.append(message.clone()).await), ErrorKind::Conflict);
        let before = NewMessage::text(other, ChatRole::User, "before");
        assert_eq!(kind(area.pieces.append_all(vec![before, message]).await), ErrorKind::Conflict);
    }
    assert_eq!(say(&area, conversation(1), ChatRole::User, "next").await.sequence, 1);
    assert_eq!(area.conversations.find(conversation(2)).await.unwrap(), None);
}

pub async fn many_messages_of_many_conversations_are_appended_in_order(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    say(&area, conversation(3), ChatRole::System, "first").await;
    let new: Vec<NewMessage> = (0..300)
        .map(|n: u128| {
            let parts = (0..=n % 3).map(|part| NewPiece::text(ChatRole::User, format!("{n}.{part}")));
            NewMessage::new(conversation(n % 5), parts.collect())
        })
        .collect();
    let appended = area.pieces.append_all(new.clone()).await.unwrap();
    assert_eq!(appended.len(), new.len());
    for (n, (appended, new)) in (0_i64..).zip(appended.iter().zip(&new)) {
        assert_eq!(appended.conversation, new.conversation);
        assert_eq!(appended.sequence, n / 5 + i64::from(new.conversation == conversation(3)));
        assert_eq!(appended.pieces.len(), new.pieces.len());
    }
    let said = messages(&*area.conversations, conversation(3)).await;
    assert_eq!(sequences(&said), (0..=60).collect::<Vec<_>>());
    assert_eq!(texts(&said)[..3], ["first", "3.0", "8.0+8.1+8.2"]);
    let last = appended.last().unwrap();
    let found = area.pieces.find(last.pieces[1]).await.unwrap().unwrap();
    assert_eq!((found.sequence, found.position, found.original.value.as_str()), (last.sequence, 1, "299.1"));
}

pub async fn appenders_at_once_get_sequences_without_gap_or_double(fixture: &dyn Fixture) {
    const APPENDERS: usize = 12;
    let area = fixture.conversation();
    let appending = (0..APPENDERS).map(|n| {
        let pieces = &area.pieces;
        async move {
            let text = n.to_string();
            match n % 3 {
                0 => {
                    let two =
                        ["a", "b"].map(|_| NewMessage::text(conversation(1), ChatRole::User, text.clone()));
                    pieces.append_all(two.into()).await.map(drop)
                }
                _ => pieces.append(NewMessage::text(conversation(1), ChatRole::User, text)).await.map(drop),
            }
        }
    });
    for outcome in at_once::all(appending).await {
        outcome.unwrap();
    }
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(sequences(&said), (0..16).collect::<Vec<_>>());
    // What was appended in one call follows itself.
    let texts = texts(&said);
    for n in (0..APPENDERS).step_by(3) {
        let at = texts.iter().position(|text| *text == n.to_string()).unwrap();
        assert_eq!(texts[at], texts[at + 1]);
    }
}

pub async fn appenders_to_different_conversations_at_once_all_succeed(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let appending = (0..8).map(|n| {
        let pieces = &area.pieces;
        async move { pieces.append(NewMessage::text(conversation(n), ChatRole::User, "x")).await }
    });
    for outcome in at_once::all(appending).await {
        assert_eq!(outcome.unwrap().sequence, 0);
    }
}

pub async fn a_message_appended_in_a_unit_takes_effect_with_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    say(&area, conversation(1), ChatRole::User, "before").await;
    let unit = fixture.tenant().begin().await.unwrap();
    let within = unit.conversation().unwrap();
    assert_eq!(say(&within, conversation(1), ChatRole::Assistant, "undone").await.sequence, 1);
    assert_eq!(messages(&*within.conversations, conversation(1)).await.len(), 2);
    unit.rollback().await.unwrap();
    assert_eq!(messages(&*area.conversations, conversation(1)).await.len(), 1);
    let unit = fixture.tenant().begin().await.unwrap();
    let within = unit.conversation().unwrap();
    assert_eq!(say(&within, conversation(1), ChatRole::Assistant, "done").await.sequence, 1);
    unit.commit().await.unwrap();
    assert_eq!(texts(&messages(&*area.conversations, conversation(1)).await), ["before", "done"]);
}

pub async fn the_request_of_a_response_is_the_message_before_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let parts = vec![NewPiece::text(ChatRole::User, "one"), NewPiece::text(ChatRole::User, "two")];
    let request = area.pieces.append(NewMessage::new(conversation(1), parts)).await.unwrap();
    let response = say(&area, conversation(1), ChatRole::Assistant, "answer").await;
    let (asked, answered) = (request.pieces[0].id, response.pieces[0].id);
    assert_eq!(area.pieces.request_of(answered).await.unwrap(), Some(request));
    assert_eq!(kind(area.pieces.request_of(asked).await), ErrorKind::Invalid);
    assert_eq!(kind(area.pieces.request_of(piece_id(1)).await), ErrorKind::NotFound);
    let unasked = say(&area, conversation(2), ChatRole::SimulatedAssistant, "unasked").await;
    assert_eq!(area.pieces.request_of(unasked.pieces[0].id).await.unwrap(), None);
}

pub async fn another_tenant_neither_sees_nor_changes_pieces(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let other = fixture.other_tenant().conversation().unwrap();
    let mine = append(&area, conversation(1), full("mine")).await;
    // The same ids are another's own.
    assert_eq!(other.pieces.find(mine.id).await.unwrap(), None);
    let theirs = NewPiece { id: Some(mine.id), ..full("theirs") };
    let theirs = append(&other, conversation(1), theirs).await;
    assert_eq!(theirs.sequence, 0);
    assert_eq!(all(&*area.pieces, &PieceFilter::default()).await, std::slice::from_ref(&mine));
    assert_eq!(all(&*other.pieces, &PieceFilter::default().label("mine", "mine")).await, []);
    let selection = crate::model::PieceSelection::Pieces(vec![mine.id]);
    assert_eq!(other.pieces.set_labels(&selection, &Default::default()).await.unwrap(), 1);
    assert_eq!(other.pieces.set_metadata(&selection, &Default::default()).await.unwrap(), 1);
    assert_eq!(other.pieces.delete(&[mine.id]).await.unwrap(), 1);
    assert_eq!(area.pieces.find(mine.id).await.unwrap(), Some(mine));
}

pub async fn a_row_that_can_not_be_decoded_is_an_error_that_names_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let piece = say(&area, conversation(1), ChatRole::User, "x").await.pieces.remove(0);
    say(&area, conversation(1), ChatRole::Assistant, "y").await;
    for (column, wrong, right) in [
        ("role", "narrator", "user"),
        ("original_data_type", "smell", "text"),
        ("error", "tired", "none"),
        ("target_identifier", "{", r#"{"class_name":"T"}"#),
    ] {
        let set =
            |value: &str| format!("UPDATE prompt_piece SET {column} = '{value}' WHERE role <> 'assistant'");
        fixture.run_tenant_sql(&[&set(wrong)]).await.unwrap();
        for error in [
            area.pieces.find(piece.id).await.unwrap_err(),
            area.pieces.list(&PieceFilter::default(), &PageRequest::first(9).unwrap()).await.unwrap_err(),
            area.conversations.messages(conversation(1), &PageRequest::first(9).unwrap()).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{column}");
            let report = error.report();
            assert!(report.contains(column) && report.contains("prompt_piece"), "{report}");
            assert!(report.contains(&piece.id.to_string()) && !report.contains("narrator"), "{report}");
        }
        fixture.run_tenant_sql(&[&set(right)]).await.unwrap();
    }
}
