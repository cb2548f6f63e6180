//! Several processes that share a Redis: each test's second layer is another process, whose writes this one's versions know nothing of.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use trimaran_core::config::CacheSettings;
use trimaran_core::secret::{Keyring, SecretKey};
use trimaran_core::{ErrorKind, Result, TenantId};

use super::super::redis::RedisLayer;
use super::super::shared::SharedLayer as _;
use super::super::version::{TenantVersion, Writing};
use super::super::{CacheCounts, ResultCache};
use super::{Counter, HOUR, keyring, settings, somebody};
use crate::testing::TestRedis;

async fn redis() -> TestRedis {
    // Starting a server blocks.
    tokio::task::spawn_blocking(TestRedis::start).await.unwrap()
}

fn shared(redis: &TestRedis, lives: Duration) -> CacheSettings {
    CacheSettings { redis: Some(SecretString::from(redis.url())), time_to_live: lives, ..settings() }
}

fn cache(redis: &TestRedis) -> ResultCache {
    ResultCache::new(&shared(redis, HOUR), keyring()).unwrap()
}

fn another_process(redis: &TestRedis, lives: Duration) -> RedisLayer {
    RedisLayer::new(&SecretString::from(redis.url()), lives, keyring()).unwrap()
}

async fn write_elsewhere(layer: &RedisLayer, tenant: TenantId) {
    let write = layer.begin_write(tenant).await;
    layer.end_write(tenant, &write).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_computed_is_given_to_another() {
    let (redis, tenant, counter) = (redis().await, somebody(), Counter::default());
    let (one, other) = (cache(&redis), cache(&redis));
    assert_eq!(counter.ask(&one.of(tenant)).await, 1);
    assert_eq!(counter.ask(&other.of(tenant)).await, 1);
    assert_eq!(other.counts(), CacheCounts { hits: 1, misses: 0, bypassed: 0 });
    assert_eq!(counter.ask(&other.of(somebody())).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_s_write_is_seen_at_once() {
    let (redis, tenant, counter) = (redis().await, somebody(), Counter::default());
    let (here, elsewhere) = (cache(&redis), another_process(&redis, HOUR));
    let results = here.of(tenant);
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (1, 1));
    write_elsewhere(&elsewhere, tenant).await;
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (2, 2));
    write_elsewhere(&elsewhere, somebody()).await;
    assert_eq!(counter.ask(&results).await, 2);
    // And this one's by the other.
    let before = elsewhere.version(tenant).await.unwrap();
    Writing::begin(&TenantVersion::of(tenant)).await.end().await;
    assert_ne!(elsewhere.version(tenant).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_write_is_in_hand_elsewhere_nothing_is_kept_or_given() {
    let (redis, tenant, counter) = (redis().await, somebody(), Counter::default());
    let (here, elsewhere) = (cache(&redis), another_process(&redis, HOUR));
    let results = here.of(tenant);
    assert_eq!(counter.ask(&results).await, 1);
    let (first, second) = (elsewhere.begin_write(tenant).await, elsewhere.begin_write(tenant).await);
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (2, 3));
    elsewhere.end_write(tenant, &first).await;
    assert_eq!(counter.ask(&results).await, 4);
    elsewhere.end_write(tenant, &second).await;
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_while_it_writes_stops_the_others_only_for_a_time() {
    let (redis, tenant, counter) = (redis().await, somebody(), Counter::default());
    let brief = Duration::from_millis(100);
    let here = ResultCache::new(&shared(&redis, brief), keyring()).unwrap();
    let results = here.of(tenant);
    let elsewhere = another_process(&redis, brief);
    elsewhere.begin_write(tenant).await;
    drop(elsewhere);
    counter.ask(&results).await;
    assert_eq!(here.counts().bypassed, 1);
    while here.counts().misses == 0 {
        tokio::time::sleep(brief / 2).await;
        counter.ask(&results).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_all_is_computed_and_with_it_again_all_is_kept_anew() {
    let (mut redis, tenant, counter) = (redis().await, somebody(), Counter::default());
    let here = cache(&redis);
    let results = here.of(tenant);
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (1, 1));
    redis.kill();
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (2, 3));
    // A write goes on all the same; Redis is told later.
    Writing::begin(&TenantVersion::of(tenant)).await.end().await;
    assert_eq!(counter.ask(&results).await, 4);
    let redis = tokio::task::spawn_blocking(move || {
        redis.start_again();
        redis
    });
    let redis = redis.await.unwrap();
    let (mut last, mut again) = (counter.ask(&results).await, counter.ask(&results).await);
    while last != again {
        tokio::time::sleep(Duration::from_millis(50)).await;
        (last, again) = (again, counter.ask(&results).await);
    }
    write_elsewhere(&another_process(&redis, HOUR), tenant).await;
    assert_eq!(counter.ask(&results).await, again + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_holds_nothing_that_can_be_read_and_gives_nothing_that_was_not_put_there() {
    let (redis, tenant) = (redis().await, somebody());
    let here = cache(&redis);
    let results = here.of(tenant);
    let answer = results.answer("a text", "", async { Ok("attack at dawn".to_owned()) });
    assert_eq!(answer.await.unwrap(), "attack at dawn");

    let client = ::redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> =
        ::redis::cmd("KEYS").arg("*:result:*").query_async(&mut connection).await.unwrap();
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    let kept: Vec<u8> = ::redis::cmd("GET").arg(key).query_async(&mut connection).await.unwrap();
    assert!(!kept.windows(6).any(|part| part == b"attack"));

    // Forged, cut short, or another answer's: it is computed.
    let counter = Counter::default();
    assert_eq!(counter.ask(&cache(&redis).of(tenant)).await, 1);
    let keys: Vec<String> =
        ::redis::cmd("KEYS").arg("*:result:*").query_async(&mut connection).await.unwrap();
    let own = keys.iter().find(|other| *other != key).unwrap();
    for wrong in [kept.clone(), kept[..20].to_vec(), Vec::new()] {
        let () = ::redis::cmd("SET").arg(own).arg(wrong).query_async(&mut connection).await.unwrap();
        let before = counter.0.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(counter.ask(&cache(&redis).of(tenant)).await, before + 1);
    }

    // Who has another key has other answers.
    let other_key = Arc::new(Keyring::new(SecretKey::from_bytes(&[4; 32]).unwrap(), []));
    let stranger = ResultCache::new(&shared(&redis, HOUR), other_key).unwrap();
    let before = counter.0.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(counter.ask(&stranger.of(tenant)).await, before + 1);
}

#[tokio::test]
async fn what_is_no_url_of_redis_is_refused_without_showing_it() {
    let settings = CacheSettings { redis: Some("redis://:hunter2@host:port/x".into()), ..settings() };
    let error = ResultCache::new(&settings, keyring()).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!error.report().contains("hunter2") && error.next_step().is_some(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_this_program_does_not_understand_is_computed_anew() {
    let (redis, tenant) = (redis().await, somebody());
    let text = cache(&redis).of(tenant).answer("how often", "", async { Ok("once".to_owned()) }).await;
    assert_eq!(text.unwrap(), "once");
    assert_eq!(Counter::default().ask(&cache(&redis).of(tenant)).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_not_shared() {
    let (redis, tenant, counter) = (redis().await, somebody(), Counter::default());
    counter.fail(&cache(&redis).of(tenant)).await;
    let answer: Result<u64> = cache(&redis).of(tenant).answer("how often", "", async { Ok(7) }).await;
    assert_eq!(answer.unwrap(), 7);
}

/// What would compute a value like this, if it were not there.
async fn not_asked<T: Sync>(_like: &T) -> Result<T> {
    panic!("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_come_back_from_redis_to_the_last_bit() {
    use trimaran_core::id::{ConversationId, PieceId};
    use trimaran_core::model::conversation::analytics::{
        Group, GroupKey, GroupedFigures, GroupedOutcomes, LongPrompt, OutcomeGroup, RankedGroup, Ranking,
    };
    use trimaran_core::model::conversation::{AttackOutcome, ScoreType};

    let mut figures = GroupedFigures::empty();
    figures.total.pieces = u64::MAX;
    for (value, times) in [("0.1", 3), ("1e-300", 1), ("0.30000000000000004", 7), ("no number", 2)] {
        figures.total.add_scores(ScoreType::FloatScale, Some(value), true, times);
        figures.others.add_scores(ScoreType::TrueFalse, Some("true"), true, times);
    }
    let key = GroupKey::Label { name: "op \0".to_owned(), value: "\u{1a}\u{fffd}".to_owned() };
    let keys = [GroupKey::Absent, key, GroupKey::Time(trimaran_core::Timestamp::UNIX_EPOCH)];
    for key in &keys {
        figures.groups.push(Group { key: key.clone(), figures: figures.total.clone() });
    }
    let mut outcomes = GroupedOutcomes::default();
    outcomes.total.add(AttackOutcome::Success, 5);
    outcomes.groups.push(OutcomeGroup { key: keys[1].clone(), outcomes: outcomes.total });
    let groups = keys.iter().map(|key| RankedGroup { key: key.clone(), pieces: 3 }).collect();
    let ranking = Ranking { groups, is_cut: true };
    let long = vec![LongPrompt {
        piece: PieceId(uuid::Uuid::max()),
        conversation: ConversationId(uuid::Uuid::nil()),
        characters: 1 << 40,
        preview: "a \0 b".to_owned(),
        created_at: trimaran_core::Timestamp::UNIX_EPOCH,
    }];

    let (redis, tenant) = (redis().await, somebody());
    let (one, other) = (cache(&redis).of(tenant), cache(&redis).of(tenant));
    macro_rules! comes_back {
        ($($value:ident)*) => {$(
            one.answer(stringify!($value), "", async { Ok($value.clone()) }).await.unwrap();
            assert_eq!(other.answer(stringify!($value), "", not_asked(&$value)).await.unwrap(), $value);
        )*};
    }
    comes_back!(figures outcomes ranking long);
}
