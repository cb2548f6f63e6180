use super::{all, conversation, messages, piece_id, sequences, talk, texts};
use crate::conformance::{Fixture, at_once, kind};
use crate::model::{ChatRole, ExportFormat, NewMessage, NewPiece, PieceFilter, PieceSelection};
use crate::{Clock as _, Conversation, ErrorKind};

fn message(n: u128, text: &str) -> NewMessage {
    NewMessage::text(conversation(n), ChatRole::User, text)
}

async fn put(area: &Conversation, n: u128, text: &str) -> crate::id::PieceId {
    area.pieces.append_buffered(message(n, text)).await.unwrap()[0]
}

pub async fn what_was_put_aside_is_there_after_a_flush_in_its_order(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let said_at = fixture.clock().now();
    for n in 0..20 {
        put(&area, n % 2, &n.to_string()).await;
    }
    fixture.clock().advance(std::time::Duration::from_secs(5));
    area.pieces.flush().await.unwrap();
    area.pieces.flush().await.unwrap();
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(sequences(&said), (0..10).collect::<Vec<_>>());
    assert_eq!(texts(&said), (0..10).map(|n| (2 * n + 1).to_string()).collect::<Vec<_>>());
    // It was said when it was put aside.
    assert_eq!(said[0].pieces[0].created_at, said_at);
}

pub async fn whoever_reads_a_conversation_finds_what_was_put_aside(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = put(&area, 1, "one").await;
    assert_eq!(area.pieces.find(id).await.unwrap().unwrap().original.value, "one");
    put(&area, 1, "two").await;
    assert_eq!(messages(&*area.conversations, conversation(1)).await.len(), 2);
    put(&area, 1, "three").await;
    assert_eq!(all(&*area.pieces, &PieceFilter::conversation(conversation(1))).await.len(), 3);
    put(&area, 1, "four").await;
    assert_eq!(all(&*area.pieces, &PieceFilter::default()).await.len(), 4);
    put(&area, 1, "five").await;
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap().unwrap().next_sequence, 5);
    put(&area, 1, "six").await;
    assert_eq!(
        area.conversations.statistics(&[conversation(1)]).await.unwrap()[&conversation(1)].messages,
        6
    );
    put(&area, 1, "seven").await;
    let export = area.pieces.export(&PieceFilter::default(), ExportFormat::JsonLines).await.unwrap();
    let chunks: Vec<_> = futures_util::StreamExt::collect(export).await;
    assert!(
        chunks
            .into_iter()
            .map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap())
            .collect::<String>()
            .contains("seven")
    );
    put(&area, 1, "eight").await;
    let copy = area.conversations.duplicate(conversation(1)).await.unwrap();
    assert_eq!(copy.next_sequence, 8);
}

pub async fn whoever_changes_a_conversation_changes_what_was_put_aside(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    put(&area, 1, "first").await;
    assert_eq!(area.pieces.append(message(1, "second")).await.unwrap().sequence, 1);
    put(&area, 1, "third").await;
    assert_eq!(area.pieces.append_all(vec![message(1, "fourth")]).await.unwrap()[0].sequence, 3);
    put(&area, 1, "fifth").await;
    let all_of_it = PieceSelection::Conversation(conversation(1));
    assert_eq!(area.pieces.set_labels(&all_of_it, &Default::default()).await.unwrap(), 5);
    put(&area, 1, "sixth").await;
    assert_eq!(area.conversations.delete_after(conversation(1), 4).await.unwrap(), 1);
    let id = put(&area, 1, "seventh").await;
    assert_eq!(area.pieces.delete(&[id]).await.unwrap(), 1);
    put(&area, 1, "eighth").await;
    assert!(area.conversations.delete(conversation(1)).await.unwrap());
    put(&area, 1, "ninth").await;
    area.conversations.delete_everything().await.unwrap();
    area.pieces.flush().await.unwrap();
    assert_eq!(all(&*area.pieces, &PieceFilter::default()).await, []);
}

pub async fn what_is_wrong_with_a_message_is_said_when_it_is_put_aside(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let none = NewMessage::new(conversation(1), Vec::new());
    assert_eq!(kind(area.pieces.append_buffered(none).await), ErrorKind::Invalid);
    area.pieces.flush().await.unwrap();
    assert_eq!(area.conversations.find(conversation(1)).await.unwrap(), None);
}

pub async fn a_message_whose_id_is_taken_is_let_go_alone_and_said_so(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let taken = |text: &str| {
        let piece = NewPiece { id: Some(piece_id(1)), ..NewPiece::text(ChatRole::User, text) };
        NewMessage::new(conversation(1), vec![piece])
    };
    area.pieces.append(taken("first")).await.unwrap();
    put(&area, 1, "before").await;
    area.pieces.append_buffered(taken("again")).await.unwrap();
    put(&area, 1, "after").await;
    put(&area, 2, "elsewhere").await;
    assert_eq!(kind(area.pieces.flush().await), ErrorKind::Conflict);
    area.pieces.flush().await.unwrap();
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(texts(&said), ["first", "before", "after"]);
    assert_eq!(sequences(&said), [0, 1, 2]);
    assert_eq!(messages(&*area.conversations, conversation(2)).await.len(), 1);
    // Whoever reads the conversation first is told.
    area.pieces.append_buffered(taken("again")).await.unwrap();
    assert_eq!(kind(area.conversations.find(conversation(1)).await), ErrorKind::Conflict);
    assert!(area.conversations.find(conversation(1)).await.unwrap().is_some());
}

pub async fn nothing_is_put_aside_in_a_unit(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let unit = fixture.tenant().begin().await.unwrap();
    let within = unit.conversation().unwrap();
    assert_eq!(kind(within.pieces.append_buffered(message(1, "x")).await), ErrorKind::Invalid);
    assert_eq!(kind(within.pieces.flush().await), ErrorKind::Invalid);
    // Nothing was touched, so that nothing is doomed.
    talk(&within, conversation(1), 1).await;
    unit.commit().await.unwrap();
    assert_eq!(messages(&*area.conversations, conversation(1)).await.len(), 2);
}

pub async fn all_handles_of_a_tenant_share_what_was_put_aside(fixture: &dyn Fixture) {
    let other = fixture.other_tenant().conversation().unwrap();
    put(&fixture.conversation(), 1, "one").await;
    put(&other, 1, "theirs").await;
    put(&fixture.conversation(), 1, "two").await;
    let said = messages(&*fixture.conversation().conversations, conversation(1)).await;
    assert_eq!(texts(&said), ["one", "two"]);
    other.pieces.flush().await.unwrap();
    assert_eq!(texts(&messages(&*other.conversations, conversation(1)).await), ["theirs"]);
}

pub async fn many_that_put_aside_and_read_at_once_lose_nothing(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let working = (0..8_u32).map(|worker| {
        let area = &area;
        async move {
            for n in 0..5 {
                put(area, 1, &format!("{worker}.{n}")).await;
                if worker % 2 == 0 {
                    messages(&*area.conversations, conversation(1)).await;
                }
            }
        }
    });
    at_once::all(working).await;
    let said = messages(&*area.conversations, conversation(1)).await;
    assert_eq!(sequences(&said), (0..40).collect::<Vec<_>>());
    for worker in 0..8 {
        let mine: Vec<_> =
            texts(&said).into_iter().filter(|text| text.starts_with(&format!("{worker}."))).collect();
        assert_eq!(mine, (0..5).map(|n| format!("{worker}.{n}")).collect::<Vec<_>>());
    }
}
