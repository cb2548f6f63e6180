use serde_json::json;

use super::{all, append, conversation, full, messages, piece_id, say, sequences, talk, texts};
use crate::conformance::{Fixture, at_once, text};
use crate::model::{ChatRole, Labels, Metadata, PieceFilter, PieceSelection};

fn labels<const N: usize>(labels: [(&str, &str); N]) -> Labels {
    labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

pub async fn labels_are_put_in_the_place_of_what_pieces_have(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let (first, second) =
        (append(&area, conversation(1), full("a")).await, append(&area, conversation(1), full("b")).await);
    let selection = PieceSelection::Pieces(vec![first.id, piece_id(9)]);
    assert_eq!(area.pieces.set_labels(&selection, &labels([("x", "1"), ("y", "2")])).await.unwrap(), 1);
    let found = area.pieces.find(first.id).await.unwrap().unwrap();
    assert_eq!(found.labels, labels([("x", "1"), ("y", "2")]));
    assert_eq!((&found.metadata, &found.attack), (&first.metadata, &first.attack));
    assert_eq!(all(&*area.pieces, &PieceFilter::default().label("x", "1")).await, [found]);
    assert_eq!(all(&*area.pieces, &PieceFilter::default().label("a", "a")).await, []);
    assert_eq!(area.pieces.find(second.id).await.unwrap(), Some(second));
    assert_eq!(area.pieces.set_labels(&selection, &labels([("x", "2")])).await.unwrap(), 1);
    assert_eq!(area.pieces.set_labels(&selection, &labels([])).await.unwrap(), 1);
    assert_eq!(area.pieces.find(first.id).await.unwrap().unwrap().labels, labels([]));
    let nobody = PieceSelection::Pieces(Vec::new());
    assert_eq!(area.pieces.set_labels(&nobody, &labels([])).await.unwrap(), 0);
}

pub async fn labels_and_metadata_of_a_whole_conversation_are_changed(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 2).await;
    let other = append(&area, conversation(2), full("other")).await;
    let all_of_it = PieceSelection::Conversation(conversation(1));
    let metadata: Metadata = [("seen".to_owned(), json!(true))].into();
    for hostile in text::HOSTILE {
        assert_eq!(area.pieces.set_labels(&all_of_it, &labels([(hostile, hostile)])).await.unwrap(), 4);
        assert_eq!(
            all(&*area.pieces, &PieceFilter::default().label(*hostile, *hostile)).await.len(),
            4 + usize::from(*hostile == "other")
        );
    }
    assert_eq!(area.pieces.set_metadata(&all_of_it, &metadata).await.unwrap(), 4);
    for message in messages(&*area.conversations, conversation(1)).await {
        assert_eq!(message.pieces[0].metadata, metadata);
        assert_eq!(message.pieces[0].labels.len(), 1);
    }
    assert_eq!(area.pieces.find(other.id).await.unwrap(), Some(other));
    let nothing = PieceSelection::Conversation(conversation(3));
    assert_eq!(area.pieces.set_metadata(&nothing, &metadata).await.unwrap(), 0);
}

pub async fn labels_set_at_once_are_those_of_one_of_the_callers(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 2).await;
    let all_of_it = PieceSelection::Conversation(conversation(1));
    let setting = (0..5).map(|n: u32| {
        let (pieces, all_of_it) = (&area.pieces, &all_of_it);
        let labels = labels([("who", &n.to_string()), (&format!("only {n}"), "x")]);
        async move { pieces.set_labels(all_of_it, &labels).await }
    });
    for outcome in at_once::all(setting).await {
        assert_eq!(outcome.unwrap(), 4);
    }
    let said = messages(&*area.conversations, conversation(1)).await;
    let who = said[0].pieces[0].labels.clone();
    assert_eq!((who.len(), who.contains_key(&format!("only {}", who["who"]))), (2, true));
    assert!(said.iter().all(|message| message.pieces[0].labels == who));
}

pub async fn deleted_pieces_are_gone_with_what_belongs_to_them(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let first = append(&area, conversation(1), full("a")).await;
    let second = append(&area, conversation(1), full("b")).await;
    assert_eq!(area.pieces.delete(&[first.id, first.id, piece_id(9)]).await.unwrap(), 1);
    assert_eq!(area.pieces.delete(&[first.id]).await.unwrap(), 0);
    assert_eq!(area.pieces.delete(&[]).await.unwrap(), 0);
    assert_eq!(area.pieces.find(first.id).await.unwrap(), None);
    assert_eq!(all(&*area.pieces, &PieceFilter::default()).await, [second]);
    assert_eq!(area.conversations.labels().await.unwrap().keys().collect::<Vec<_>>(), ["b", "plain"]);
    assert_eq!(area.conversations.attack_classes().await.unwrap(), ["b attack".to_owned()].into());
    // Nobody else's place changes.
    assert_eq!(sequences(&messages(&*area.conversations, conversation(1)).await), [1]);
    assert_eq!(say(&area, conversation(1), ChatRole::User, "next").await.sequence, 2);
    // The id is free again.
    let again = crate::model::NewPiece { id: Some(first.id), ..full("c") };
    assert_eq!(append(&area, conversation(1), again).await.labels.len(), 2);
}

pub async fn what_comes_after_a_sequence_is_deleted_and_said_anew(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 2).await;
    talk(&area, conversation(2), 2).await;
    assert_eq!(area.conversations.delete_after(conversation(1), 3).await.unwrap(), 0);
    assert_eq!(area.conversations.delete_after(conversation(1), 1).await.unwrap(), 2);
    assert_eq!(say(&area, conversation(1), ChatRole::User, "instead").await.sequence, 2);
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(texts(&said), ["question 0", "answer 0", "instead"]);
    assert_eq!(area.conversations.delete_after(conversation(1), -1).await.unwrap(), 3);
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap().unwrap().next_sequence, 0);
    assert_eq!(say(&area, conversation(1), ChatRole::User, "first").await.sequence, 0);
    assert_eq!(area.conversations.delete_after(conversation(9), 0).await.unwrap(), 0);
    assert_eq!(messages(&*area.conversations, conversation(2)).await.len(), 4);
}

pub async fn a_deleted_conversation_is_gone_with_all_that_belongs_to_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    append(&area, conversation(1), full("a")).await;
    append(&area, conversation(2), full("b")).await;
    assert!(area.conversations.delete(conversation(1)).await.unwrap());
    assert!(!area.conversations.delete(conversation(1)).await.unwrap());
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap(), None);
    assert_eq!(all(&*area.pieces, &PieceFilter::conversation(conversation(1))).await, []);
    assert_eq!(area.conversations.labels().await.unwrap().keys().collect::<Vec<_>>(), ["b", "plain"]);
    assert_eq!(say(&area, conversation(1), ChatRole::User, "anew").await.sequence, 0);
}

pub async fn a_tenant_s_data_is_deleted_for_good(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let other = fixture.other_tenant().conversation().unwrap();
    for n in 0..3 {
        append(&area, conversation(n), full("mine")).await;
        append(&other, conversation(n), full("theirs")).await;
    }
    area.conversations.delete_everything().await.unwrap();
    area.conversations.delete_everything().await.unwrap();
    assert_eq!(all(&*area.pieces, &PieceFilter::default()).await, []);
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap(), None);
    assert_eq!(area.conversations.labels().await.unwrap(), Default::default());
    assert_eq!(all(&*other.pieces, &PieceFilter::default().label("theirs", "theirs")).await.len(), 3);
    assert_eq!(say(&area, conversation(1), ChatRole::User, "anew").await.sequence, 0);
}

pub async fn an_append_and_a_deletion_at_once_leave_no_piece_without_its_conversation(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for round in 0..6 {
        let id = conversation(round);
        say(&area, id, ChatRole::User, "first").await;
        let append = say(&area, id, ChatRole::Assistant, "second");
        let (appended, deleted) = at_once::both(append, area.conversations.delete(id)).await;
        assert!(deleted.unwrap());
        let said = messages(&*area.conversations, id).await;
        match area.conversations.find(id).await.unwrap() {
            // The deletion was last.
            None => assert_eq!(said, []),
            // The append was last: it made the conversation anew.
            Some(record) => {
                assert_eq!((record.next_sequence, appended.sequence), (1, 0));
                assert_eq!(texts(&said), ["second"]);
            }
        }
        assert_eq!(all(&*area.pieces, &PieceFilter::conversation(id)).await.len(), said.len());
    }
}

pub async fn changes_in_a_unit_take_effect_with_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 2).await;
    let all_of_it = PieceSelection::Conversation(conversation(1));
    for commit in [false, true] {
        let unit = fixture.tenant().begin().await.unwrap();
        let within = unit.conversation().unwrap();
        within.pieces.set_labels(&all_of_it, &labels([("x", "1")])).await.unwrap();
        assert_eq!(within.conversations.delete_after(conversation(1), 0).await.unwrap(), 3);
        assert_eq!(all(&*within.pieces, &PieceFilter::default().label("x", "1")).await.len(), 1);
        let copy = within.conversations.duplicate(conversation(1)).await.unwrap();
        assert!(within.conversations.delete(copy.id).await.unwrap());
        if commit {
            unit.commit().await.unwrap()
        } else {
            unit.rollback().await.unwrap()
        }
        let said = messages(&*area.conversations, conversation(1)).await;
        assert_eq!(said.len(), if commit { 1 } else { 4 });
        assert_eq!(said[0].pieces[0].labels.len(), usize::from(commit));
    }
}
