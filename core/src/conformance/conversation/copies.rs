use std::time::Duration;

use super::{append, conversation, full, messages, say, sequences, talk, texts};
use crate::conformance::{Fixture, at_once, kind};
use crate::model::{ChatRole, Identifier, NewMessage, NewPiece, PieceFilter};
use crate::{Clock as _, ErrorKind};

pub async fn a_duplicate_says_the_same_and_is_its_own(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = conversation(1);
    area.conversations.register(id, Some(Identifier::of_class("T"))).await.unwrap();
    append(&area, id, NewPiece { original_piece: None, ..full("a") }).await;
    append(&area, id, full("b")).await;
    fixture.clock().advance(Duration::from_secs(1));
    let copy = area.conversations.duplicate(id).await.unwrap();
    assert_eq!(area.conversations.find(copy.id).await.unwrap().as_ref(), Some(&copy));
    assert_eq!((copy.next_sequence, copy.created_at), (2, fixture.clock().now()));
    assert_eq!(copy.target, Some(Identifier::of_class("T")));
    let (mut of, copied) =
        (messages(&*area.conversations, id).await, messages(&*area.conversations, copy.id).await);
    for (of, copied) in of.iter_mut().zip(&copied) {
        of.conversation = copy.id;
        for (of, copied) in of.pieces.iter_mut().zip(&copied.pieces) {
            // The original of a piece stays its original.
            assert_ne!(of.id, copied.id);
            of.id = copied.id;
            of.conversation = copy.id;
            of.created_at = copy.created_at;
        }
    }
    assert_eq!(of, copied);
    say(&area, copy.id, ChatRole::User, "only here").await;
    assert_eq!(messages(&*area.conversations, id).await.len(), 2);
    assert_eq!(messages(&*area.conversations, copy.id).await.len(), 3);
    // What is copied is found by its labels, too.
    let labelled = PieceFilter::conversation(copy.id).label("a", "a");
    assert_eq!(super::all(&*area.pieces, &labelled).await.len(), 1);
}

pub async fn a_duplicate_of_a_duplicate_is_of_the_original(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let original = say(&area, conversation(1), ChatRole::User, "x").await.pieces[0].id;
    let first = area.conversations.duplicate(conversation(1)).await.unwrap();
    let second = area.conversations.duplicate(first.id).await.unwrap();
    let copies = PieceFilter { original_pieces: Some(vec![original]), ..PieceFilter::default() };
    let copies = super::all(&*area.pieces, &copies).await;
    assert_eq!(copies.len(), 3);
    assert_eq!(copies.iter().filter(|piece| piece.conversation == second.id).count(), 1);
    // They outlive what they are duplicates of.
    assert!(area.conversations.delete(conversation(1)).await.unwrap());
    assert_eq!(messages(&*area.conversations, second.id).await[0].pieces[0].original_piece, original);
}

pub async fn a_duplicate_without_the_last_turn_ends_before_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let (system, user) = (ChatRole::System, ChatRole::User);
    let (assistant, simulated) = (ChatRole::Assistant, ChatRole::SimulatedAssistant);
    let cases: [(&[ChatRole], &[&str]); 8] = [
        (&[system], &[]),
        (&[user], &[]),
        (&[user, assistant], &[]),
        (&[assistant], &[]),
        (&[system, user, assistant], &["0"]),
        (&[user, assistant, user], &["0", "1"]),
        (&[user, assistant, user, assistant], &["0", "1"]),
        (&[user, assistant, user, simulated], &["0", "1"]),
    ];
    for (n, (roles, left)) in (0..).zip(cases) {
        for (turn, role) in roles.iter().enumerate() {
            say(&area, conversation(n), *role, &turn.to_string()).await;
        }
        let copy = area.conversations.duplicate_without_last_turn(conversation(n)).await.unwrap();
        let said = messages(&*area.conversations, copy.id).await;
        assert_eq!(texts(&said), left, "{roles:?}");
        assert_eq!(say(&area, copy.id, user, "again").await.sequence, i64::try_from(left.len()).unwrap());
        assert_eq!(messages(&*area.conversations, conversation(n)).await.len(), roles.len());
    }
}

pub async fn the_parts_of_the_last_turn_go_together(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 1).await;
    for role in [ChatRole::User, ChatRole::Assistant] {
        let parts = ["a", "b"].map(|text| NewPiece::text(role, text)).into();
        area.pieces.append(NewMessage::new(conversation(1), parts)).await.unwrap();
    }
    let copy = area.conversations.duplicate_without_last_turn(conversation(1)).await.unwrap();
    let said = messages(&*area.conversations, copy.id).await;
    assert_eq!(
        (texts(&said), sequences(&said)),
        (vec!["question 0".to_owned(), "answer 0".to_owned()], vec![0, 1])
    );
}

pub async fn nothing_is_duplicated_of_a_conversation_that_is_not_there(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    assert_eq!(kind(area.conversations.duplicate(conversation(1)).await), ErrorKind::NotFound);
    let without = area.conversations.duplicate_without_last_turn(conversation(1)).await;
    assert_eq!(kind(without), ErrorKind::NotFound);
    area.conversations.register(conversation(1), None).await.unwrap();
    let copy = area.conversations.duplicate(conversation(1)).await.unwrap();
    assert_eq!((copy.next_sequence, copy.target), (0, None));
}

pub async fn a_duplicate_made_while_others_append_is_whole(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 2).await;
    let appending = async {
        for n in 0..4 {
            say(&area, conversation(1), ChatRole::User, &n.to_string()).await;
        }
    };
    let ((), copy) = at_once::both(appending, area.conversations.duplicate(conversation(1))).await;
    let copy = copy.unwrap();
    let said = messages(&*area.conversations, copy.id).await;
    assert_eq!(sequences(&said), (0..copy.next_sequence).collect::<Vec<_>>());
    assert!((4..=8).contains(&said.len()));
}
