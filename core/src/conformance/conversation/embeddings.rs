use uuid::Uuid;

use super::given::{assert_names, everything, piece, spoil, talk};
use crate::conformance::at_once::both;
use crate::conformance::{Fixture, is_lost_race, kind, text};
use crate::id::PieceId;
use crate::model::conversation::{Embedding, NewEmbedding};
use crate::{Clock as _, Conversation, ErrorKind};

fn new(piece: PieceId, type_name: &str, vector: &[f32]) -> NewEmbedding {
    NewEmbedding { piece, type_name: type_name.to_owned(), vector: vector.to_vec() }
}

async fn put(area: &Conversation, piece: PieceId, type_name: &str, vector: &[f32]) {
    area.embeddings.put(vec![new(piece, type_name, vector)]).await.unwrap();
}

async fn pieces<const N: usize>(area: &Conversation) -> [PieceId; N] {
    let mut all = [PieceId(Uuid::nil()); N];
    for (n, one) in all.iter_mut().enumerate() {
        *one = piece(area, talk(1), &n.to_string()).await;
    }
    all
}

async fn listed(area: &Conversation, type_name: Option<&str>) -> Vec<Embedding> {
    everything(|page| async move { area.embeddings.list(type_name, &page).await }).await
}

async fn similar(
    area: &Conversation,
    vector: &[f32],
    most: u32,
    type_name: Option<&str>,
) -> Vec<(PieceId, f64)> {
    let found = area.embeddings.most_similar(vector, most, type_name).await.unwrap();
    found.into_iter().map(|one| (one.piece, one.similarity)).collect()
}

pub async fn an_embedding_comes_back_bit_for_bit(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a, b] = pieces(&area).await;
    let vector = [-0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, f32::MIN, 1.0 / 3.0, 1.0 + f32::EPSILON];
    put(&area, a, "model", &vector).await;
    let read = area.embeddings.get(a).await.unwrap().unwrap();
    let bits = |vector: &[f32]| vector.iter().map(|one| one.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read.vector), bits(&vector));
    assert_eq!((read.piece, read.type_name.as_str()), (a, "model"));
    assert_eq!(read.created_at, fixture.clock().now());
    assert_eq!(area.embeddings.get(b).await.unwrap(), None);
    for hostile in text::HOSTILE {
        put(&area, b, hostile, &vector).await;
        assert_eq!(area.embeddings.get(b).await.unwrap().unwrap().type_name, *hostile);
        assert_eq!(listed(&area, Some(hostile)).await.len(), 1, "{hostile:?}");
    }
}

pub async fn an_embedding_put_again_is_replaced(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a, b] = pieces(&area).await;
    put(&area, a, "old", &[1.0]).await;
    area.embeddings
        .put(vec![new(b, "new", &[9.0]), new(a, "new", &[2.0, 3.0]), new(b, "new", &[4.0])])
        .await
        .unwrap();
    let all = listed(&area, None).await;
    let said: Vec<_> = all.iter().map(|one| (one.piece, one.type_name.as_str(), &one.vector[..])).collect();
    assert_eq!(said, [(a, "new", &[2.0, 3.0][..]), (b, "new", &[4.0][..])]);
}

pub async fn an_embedding_needs_a_piece(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a] = pieces(&area).await;
    let both = vec![new(a, "m", &[1.0]), new(PieceId(Uuid::max()), "m", &[1.0])];
    assert_eq!(kind(area.embeddings.put(both).await), ErrorKind::NotFound);
    assert_eq!(area.embeddings.get(a).await.unwrap(), None);
}

pub async fn a_vector_that_can_not_be_compared_is_refused(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a] = pieces(&area).await;
    for wrong in [&[][..], &[f32::NAN], &[1.0, f32::INFINITY], &[0.0, -0.0], &vec![1.0; 65_537]] {
        assert_eq!(kind(area.embeddings.put(vec![new(a, "m", wrong)]).await), ErrorKind::Invalid);
        assert_eq!(kind(area.embeddings.most_similar(wrong, 1, None).await), ErrorKind::Invalid);
    }
    for most in [0, 1_001] {
        assert_eq!(kind(area.embeddings.most_similar(&[1.0], most, None).await), ErrorKind::Invalid);
    }
}

pub async fn the_most_similar_come_first_and_of_equals_the_lower_id(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a, b, c, d, e] = pieces(&area).await;
    assert!(similar(&area, &[1.0, 0.0], 3, None).await.is_empty());
    put(&area, a, "m", &[0.0, 7.0]).await;
    put(&area, b, "m", &[-3.0, 0.0]).await;
    put(&area, c, "m", &[5.0, 0.0]).await;
    put(&area, d, "m", &[3.0, 4.0]).await;
    put(&area, e, "m", &[1e-20, 0.0]).await;
    assert_eq!(
        similar(&area, &[2.0, 0.0], 9, None).await,
        [(c, 1.0), (e, 1.0), (d, 0.6), (a, 0.0), (b, -1.0)]
    );
    assert_eq!(similar(&area, &[2.0, 0.0], 1, None).await, [(c, 1.0)]);
    assert_eq!(similar(&area, &[2.0, 0.0], 3, None).await, [(c, 1.0), (e, 1.0), (d, 0.6)]);
}

pub async fn embeddings_of_one_type_are_compared_with_their_like(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a, b] = pieces(&area).await;
    put(&area, a, "two", &[1.0, 0.0]).await;
    put(&area, b, "three", &[1.0, 0.0, 0.0]).await;
    assert_eq!(similar(&area, &[1.0, 0.0], 9, Some("two")).await, [(a, 1.0)]);
    assert_eq!(similar(&area, &[1.0, 0.0, 0.0], 9, Some("three")).await, [(b, 1.0)]);
    assert!(similar(&area, &[1.0], 9, Some("one")).await.is_empty());
    let error = area.embeddings.most_similar(&[1.0, 0.0], 9, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.next_step().is_some());
}

pub async fn the_most_similar_of_many_are_those_of_an_exact_comparison(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let mut all = Vec::new();
    for n in 0..60_u8 {
        let id = piece(&area, talk(1), &n.to_string()).await;
        let angle = f32::from(n) * 0.05;
        all.push(new(id, "m", &[angle.cos(), angle.sin()]));
    }
    area.embeddings.put(all.clone()).await.unwrap();
    let found = similar(&area, &[1.5_f32.cos(), 1.5_f32.sin()], 5, None).await;
    let mut nearest: Vec<_> = found.iter().map(|(piece, _)| *piece).collect();
    nearest.sort_unstable();
    assert_eq!(nearest, [28, 29, 30, 31, 32].map(|n: usize| all[n].piece));
    assert_eq!(found[0].0, all[30].piece);
}

pub async fn embeddings_go_with_their_piece_or_alone(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a, b, c] = pieces(&area).await;
    for piece in [a, b, c] {
        put(&area, piece, "m", &[1.0]).await;
    }
    assert!(area.embeddings.delete(a).await.unwrap());
    assert!(!area.embeddings.delete(a).await.unwrap());
    area.conversations.delete_after(talk(1), 1).await.unwrap();
    let left: Vec<_> = listed(&area, None).await.into_iter().map(|one| one.piece).collect();
    assert_eq!(left, [b]);
}

pub async fn embeddings_are_paged_by_type(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a, b, c, d, e] = pieces(&area).await;
    for (piece, type_name) in [(a, "x"), (b, "y"), (c, "x"), (d, "x"), (e, "X")] {
        put(&area, piece, type_name, &[1.0]).await;
    }
    let of = |all: Vec<Embedding>| all.into_iter().map(|one| one.piece).collect::<Vec<_>>();
    assert_eq!(of(listed(&area, None).await), [a, b, c, d, e]);
    assert_eq!(of(listed(&area, Some("x")).await), [a, c, d]);
}

pub async fn two_that_put_the_same_embedding_leave_one(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a] = pieces(&area).await;
    let (left, right) = both(
        area.embeddings.put(vec![new(a, "left", &[1.0])]),
        area.embeddings.put(vec![new(a, "right", &[2.0])]),
    )
    .await;
    for outcome in [left, right] {
        assert!(outcome.is_ok() || outcome.is_err_and(|error| is_lost_race(&error)));
    }
    assert_eq!(listed(&area, None).await.len(), 1);
}

pub async fn a_tenant_s_embeddings_are_nobody_else_s(fixture: &dyn Fixture) {
    let (mine, theirs) = (fixture.conversation(), fixture.other_tenant().conversation().unwrap());
    let [a] = pieces(&mine).await;
    put(&mine, a, "m", &[1.0]).await;
    assert_eq!(theirs.embeddings.get(a).await.unwrap(), None);
    assert!(listed(&theirs, None).await.is_empty());
    assert!(similar(&theirs, &[1.0], 9, None).await.is_empty());
    assert!(!theirs.embeddings.delete(a).await.unwrap());
    assert_eq!(kind(theirs.embeddings.put(vec![new(a, "m", &[2.0])]).await), ErrorKind::NotFound);
    assert_eq!(mine.embeddings.get(a).await.unwrap().unwrap().vector, [1.0]);
}

pub async fn an_embedding_that_can_t_be_read_is_an_error_that_names_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let [a] = pieces(&area).await;
    put(&area, a, "m", &[1.0]).await;
    let three_bytes = match fixture.tenant().engine() {
        crate::Engine::Postgres => r"'\x000000'::bytea",
        crate::Engine::Sqlite => "x'000000'",
        crate::Engine::Duckdb => r"'\x00\x00\x00'::BLOB",
    };
    spoil(fixture, &format!("UPDATE embedding SET vector = {three_bytes}")).await;
    assert_names(area.embeddings.get(a).await, "embedding", "vector", a.0);
    assert_names(area.embeddings.most_similar(&[1.0], 1, None).await, "embedding", "vector", a.0);
}
