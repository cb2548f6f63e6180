use std::time::Duration;

use super::{all, conversation, full, messages, piece_id, say, sequences, talk, texts};
use crate::conformance::{Fixture, at_once, kind, text};
use crate::model::{
    ChatRole, Identifier, NewMessage, Piece, PieceFilter, PieceValue, ResponseError, WholeConversation,
};
use crate::{Clock as _, ErrorKind, PageRequest};

/// A conversation as an import brings it: two messages, the second of two parts, far apart.
fn whole(fixture: &dyn Fixture) -> WholeConversation {
    let piece = |n: u128, sequence, position| {
        let new = full(&n.to_string());
        Piece {
            id: piece_id(n),
            conversation: conversation(1),
            sequence,
            position,
            role: ChatRole::User,
            original: new.original,
            converted: PieceValue::text("x"),
            original_piece: piece_id(n),
            labels: new.labels,
            metadata: new.metadata,
            target: new.target,
            attack: new.attack,
            converters: new.converters,
            error: ResponseError::None,
            created_at: fixture.clock().now(),
        }
    };
    WholeConversation {
        id: conversation(1),
        target: Some(Identifier::of_class("Target")),
        pieces: vec![piece(3, 7, 1), piece(1, 2, 0), piece(2, 7, 0)],
    }
}

pub async fn a_conversation_comes_to_be_with_its_first_message(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap(), None);
    assert_eq!(messages(&*area.conversations, conversation(1)).await, []);
    talk(&area, conversation(1), 1).await;
    let record = area.conversations.find(conversation(1)).await.unwrap().unwrap();
    assert_eq!((record.id, record.target, record.next_sequence), (conversation(1), None, 2));
    assert_eq!(record.created_at, fixture.clock().now());
}

pub async fn conversations_are_listed_in_the_order_of_ids(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for n in [3, 1, 2, 5, 4] {
        say(&area, conversation(n), ChatRole::User, "x").await;
    }
    let first = area.conversations.list(&PageRequest::first(3).unwrap()).await.unwrap();
    let rest = PageRequest::first(3).unwrap().after(first.next.unwrap());
    let rest = area.conversations.list(&rest).await.unwrap();
    let ids: Vec<_> = first.items.iter().chain(&rest.items).map(|record| record.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5].map(conversation));
    assert_eq!(rest.next, None);
}

pub async fn a_conversation_is_held_with_one_target(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let target = |text: &str| Identifier { module: Some(text.to_owned()), ..Identifier::of_class(text) };
    for (n, hostile) in (0..).zip(text::HOSTILE) {
        let made = area.conversations.register(conversation(n), Some(target(hostile))).await.unwrap();
        assert_eq!((made.next_sequence, made.target.as_ref()), (0, Some(&target(hostile))));
        for same in [Some(target(hostile)), None] {
            assert_eq!(area.conversations.register(conversation(n), same).await.unwrap(), made);
        }
        let other = area.conversations.register(conversation(n), Some(target("another"))).await;
        assert_eq!(kind(other), ErrorKind::Conflict);
        assert_eq!(area.conversations.find(conversation(n)).await.unwrap(), Some(made));
    }
    // What was not known may be said later.
    talk(&area, conversation(100), 1).await;
    area.conversations.register(conversation(100), Some(target("T"))).await.unwrap();
    let record = area.conversations.find(conversation(100)).await.unwrap().unwrap();
    assert_eq!((record.target, record.next_sequence), (Some(target("T")), 2));
}

pub async fn one_of_many_that_register_different_targets_at_once_wins(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let registering = (0..6).map(|n: u32| {
        let conversations = &area.conversations;
        let target = Identifier::of_class((n % 2).to_string());
        async move { (target.clone(), conversations.register(conversation(1), Some(target)).await) }
    });
    let outcomes = at_once::all(registering).await;
    let held = area.conversations.find(conversation(1)).await.unwrap().unwrap().target.unwrap();
    for (target, outcome) in outcomes {
        match outcome {
            Ok(record) => assert_eq!((record.target, &target), (Some(target.clone()), &held)),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Conflict);
                assert_ne!(target, held);
            }
        }
    }
}

pub async fn a_whole_conversation_is_added_as_it_is_given(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let whole = whole(fixture);
    assert!(area.conversations.add(&whole).await.unwrap());
    let record = area.conversations.find(conversation(1)).await.unwrap().unwrap();
    assert_eq!((record.target, record.next_sequence), (whole.target, 8));
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(sequences(&said), [2, 7]);
    let pieces: Vec<_> = said.into_iter().flat_map(|message| message.pieces).collect();
    assert_eq!(pieces, [1, 2, 0].map(|n| whole.pieces[n].clone()));
    assert_eq!(say(&area, conversation(1), ChatRole::Assistant, "next").await.sequence, 8);
}

pub async fn the_same_conversation_is_added_once_and_another_is_a_conflict(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let first = whole(fixture);
    assert!(area.conversations.add(&first).await.unwrap());
    assert!(!area.conversations.add(&first).await.unwrap());
    let mut reordered = first.clone();
    reordered.pieces.reverse();
    assert!(!area.conversations.add(&reordered).await.unwrap());
    let changes: [fn(&mut WholeConversation); 8] = [
        |whole| whole.target = None,
        |whole| drop(whole.pieces.pop()),
        |whole| whole.pieces[0].sequence += 1,
        |whole| whole.pieces[0].role = ChatRole::System,
        |whole| whole.pieces[0].converted = PieceValue::text("y"),
        |whole| drop(whole.pieces[0].labels.insert("more".to_owned(), String::new())),
        |whole| whole.pieces[0].attack = None,
        |whole| whole.pieces[0].created_at += chrono::TimeDelta::microseconds(1),
    ];
    for change in changes {
        let mut other = first.clone();
        change(&mut other);
        assert_eq!(kind(area.conversations.add(&other).await), ErrorKind::Conflict);
    }
    assert!(!area.conversations.add(&first).await.unwrap());
    // A piece of another one has the id.
    let mut taken = first.clone();
    taken.id = conversation(2);
    taken.pieces.iter_mut().for_each(|piece| piece.conversation = conversation(2));
    assert_eq!(kind(area.conversations.add(&taken).await), ErrorKind::Conflict);
    assert_eq!(area.conversations.find(conversation(2)).await.unwrap(), None);
}

pub async fn of_many_that_add_the_same_conversation_at_once_one_adds_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let whole = whole(fixture);
    let adding = (0..5).map(|_| area.conversations.add(&whole));
    let outcomes: Vec<bool> = at_once::all(adding).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|added| **added).count(), 1);
    assert_eq!(all(&*area.pieces, &PieceFilter::default()).await.len(), 3);
}

pub async fn a_conversation_that_contradicts_itself_is_refused(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let changes: [fn(&mut WholeConversation); 6] = [
        |whole| whole.pieces[0].conversation = conversation(2),
        |whole| whole.pieces[0].position = 0,
        |whole| whole.pieces[0].position = -1,
        |whole| whole.pieces[1].sequence = -1,
        |whole| whole.pieces[1].sequence = i64::MAX,
        |whole| whole.pieces[1].id = piece_id(2),
    ];
    for change in changes {
        let mut wrong = whole(fixture);
        change(&mut wrong);
        assert_eq!(kind(area.conversations.add(&wrong).await), ErrorKind::Invalid);
    }
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap(), None);
}

pub async fn statistics_tell_what_a_conversation_amounts_to(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let start = fixture.clock().now();
    talk(&area, conversation(1), 2).await;
    fixture.clock().advance(Duration::from_secs(9));
    let mut labelled = full("labelled");
    labelled.converted = Some(PieceValue::text("€".repeat(150)));
    let second = full("second");
    area.pieces.append(NewMessage::new(conversation(1), vec![labelled.clone(), second])).await.unwrap();
    say(&area, conversation(2), ChatRole::System, "short").await;
    area.conversations.register(conversation(3), None).await.unwrap();
    let ids = [1, 2, 3, 4].map(conversation);
    let found = area.conversations.statistics(&ids).await.unwrap();
    assert_eq!(found.len(), 2);
    let statistics = &found[&conversation(1)];
    assert_eq!((statistics.messages, statistics.pieces), (5, 6));
    assert_eq!(statistics.by_role, [(ChatRole::User, 2), (ChatRole::Assistant, 4)].into());
    assert_eq!((statistics.first_at, statistics.last_at), (start, start + Duration::from_secs(9)));
    assert_eq!((&statistics.labels, &statistics.preview), (&labelled.labels, &"€".repeat(100)));
    let statistics = &found[&conversation(2)];
    assert_eq!((statistics.messages, statistics.pieces, statistics.preview.as_str()), (1, 1, "short"));
    assert!(statistics.labels.is_empty());
    assert_eq!(area.conversations.statistics(&[]).await.unwrap(), Default::default());
}

pub async fn facets_are_every_different_label_converter_and_attack(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    assert_eq!(area.conversations.labels().await.unwrap(), Default::default());
    let mut pieces = Vec::new();
    for hostile in text::HOSTILE {
        pieces.push(full(hostile));
        pieces.push(full(hostile));
    }
    area.pieces.append(NewMessage::new(conversation(1), pieces)).await.unwrap();
    let labels = area.conversations.labels().await.unwrap();
    assert_eq!(labels.len(), text::HOSTILE.len() + 1);
    for hostile in text::HOSTILE {
        assert_eq!(labels[*hostile], [(*hostile).to_owned()].into());
    }
    let converters = area.conversations.converter_classes().await.unwrap();
    let mut wanted: std::collections::BTreeSet<_> =
        text::HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    wanted.insert("second".to_owned());
    assert_eq!(converters, wanted);
    let attacks = area.conversations.attack_classes().await.unwrap();
    assert_eq!(attacks, text::HOSTILE.iter().map(|text| format!("{text} attack")).collect());
}

pub async fn another_tenant_neither_sees_nor_changes_conversations(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let other = fixture.other_tenant().conversation().unwrap();
    let whole = whole(fixture);
    area.conversations.add(&whole).await.unwrap();
    let id = conversation(1);
    assert_eq!(other.conversations.find(id).await.unwrap(), None);
    assert_eq!(messages(&*other.conversations, id).await, []);
    assert_eq!(other.conversations.statistics(&[id]).await.unwrap(), Default::default());
    assert_eq!(other.conversations.labels().await.unwrap(), Default::default());
    assert_eq!(kind(other.conversations.duplicate(id).await), ErrorKind::NotFound);
    assert_eq!(other.conversations.delete_after(id, -1).await.unwrap(), 0);
    assert!(!other.conversations.delete(id).await.unwrap());
    // The same ids are another's own.
    assert!(other.conversations.add(&whole).await.unwrap());
    say(&other, id, ChatRole::User, "theirs").await;
    assert_eq!(other.conversations.delete_after(id, 2).await.unwrap(), 3);
    assert_eq!(area.conversations.find(id).await.unwrap().unwrap().next_sequence, 8);
    assert!(other.conversations.delete(id).await.unwrap());
    other.conversations.delete_everything().await.unwrap();
    assert_eq!(texts(&messages(&*area.conversations, id).await), ["x", "x+x"]);
    assert_eq!(area.conversations.labels().await.unwrap().len(), 4);
}
