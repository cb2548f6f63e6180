//! What is kept, for how long, and for whom.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Barrier;
use trimaran_core::config::CacheSettings;
use trimaran_core::{ErrorKind, Result};

use super::super::CacheCounts;
use super::super::version::{TenantVersion, Writing};
use super::{Counter, cache, settings, somebody};

#[tokio::test]
async fn an_answer_is_computed_once_and_again_after_a_write() {
    let (cache, tenant, counter) = (cache(&settings()), somebody(), Counter::default());
    let results = cache.of(tenant);
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (1, 1));
    assert_eq!(cache.counts(), CacheCounts { hits: 1, misses: 1, bypassed: 0 });
    // Of another subject it is another answer, of another tenant, too.
    assert_eq!(counter.ask_about(&results, "x").await, 2);
    assert_eq!(counter.ask(&cache.of(somebody())).await, 3);

    Writing::begin(&TenantVersion::of(tenant)).await.end().await;
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (4, 4));
    Writing::begin(&TenantVersion::of(somebody())).await.end().await;
    assert_eq!(counter.ask(&results).await, 4);
}

#[tokio::test]
async fn two_caches_of_one_process_see_each_other_s_writes() {
    let (one, other, tenant) = (cache(&settings()), cache(&settings()), somebody());
    let (one, other) = (one.of(tenant), other.of(tenant));
    let (first, second) = (Counter::default(), Counter::default());
    assert_eq!((first.ask(&one).await, second.ask(&other).await), (1, 1));
    Writing::begin(&TenantVersion::of(tenant)).await.end().await;
    assert_eq!((first.ask(&one).await, second.ask(&other).await), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_ask_at_once_wait_for_one_computation() {
    const CALLERS: u64 = 50;
    let (cache, tenant) = (cache(&settings()), somebody());
    let counter = Arc::new(Counter::default());
    let here = Arc::new(Barrier::new(CALLERS as usize));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (results, counter, here) = (cache.of(tenant), Arc::clone(&counter), Arc::clone(&here));
            tokio::spawn(async move {
                here.wait().await;
                counter.ask(&results).await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(cache.counts(), CacheCounts { hits: CALLERS - 1, misses: 1, bypassed: 0 });
}

#[tokio::test]
async fn who_waits_for_a_computation_that_is_cut_off_takes_it_over() {
    let (cache, tenant) = (cache(&settings()), somebody());
    let (results, counter) = (cache.of(tenant), Counter::default());
    let begun = Arc::new(tokio::sync::Notify::new());
    let first = tokio::spawn({
        let (results, begun) = (cache.of(tenant), Arc::clone(&begun));
        async move {
            let compute = async {
                begun.notify_one();
                std::future::pending::<Result<u64>>().await
            };
            results.answer("how often", "", compute).await
        }
    });
    begun.notified().await;
    let (asked, ()) = tokio::join!(counter.ask(&results), async {
        tokio::task::yield_now().await;
        first.abort();
    });
    assert_eq!((asked, counter.ask(&results).await), (1, 1));
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let (cache, counter) = (cache(&settings()), Counter::default());
    let results = cache.of(somebody());
    let error = counter.fail(&results).await;
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().contains("busy"), "{error}");
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (2, 2));
}

#[tokio::test]
async fn an_answer_computed_while_something_was_written_is_given_to_nobody_else() {
    let (cache, tenant) = (cache(&settings()), somebody());
    let results = cache.of(tenant);
    let compute = async {
        Writing::begin(&TenantVersion::of(tenant)).await.end().await;
        Ok(0)
    };
    assert_eq!(results.answer("how often", "", compute).await.unwrap(), 0);
    assert_eq!(Counter::default().ask(&results).await, 1);
}

#[tokio::test]
async fn a_write_of_unknown_outcome_puts_its_tenant_in_doubt_until_all_from_before_is_gone() {
    let tenant = somebody();
    let brief = cache(&CacheSettings { time_to_live: Duration::from_millis(1), ..settings() });
    let long = cache(&settings());
    let (brief_results, long_results) = (brief.of(tenant), long.of(tenant));
    let (first, second) = (Counter::default(), Counter::default());
    assert_eq!((first.ask(&long_results).await, second.ask(&brief_results).await), (1, 1));

    drop(Writing::begin(&TenantVersion::of(tenant)).await);
    assert_eq!((first.ask(&long_results).await, first.ask(&long_results).await), (2, 3));
    assert_eq!(long.counts().bypassed, 2);
    // Others are not concerned.
    let other = long.of(somebody());
    assert_eq!((first.ask(&other).await, first.ask(&other).await), (4, 4));
    // Twice the time to live later it is over.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(second.ask(&brief_results).await, 2);
    assert_eq!(brief.counts(), CacheCounts { hits: 0, misses: 2, bypassed: 0 });
}

#[tokio::test]
async fn an_answer_lives_no_longer_than_it_may() {
    let cache = cache(&CacheSettings { time_to_live: Duration::from_millis(1), ..settings() });
    let (results, counter) = (cache.of(somebody()), Counter::default());
    assert_eq!(counter.ask(&results).await, 1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(counter.ask(&results).await, 2);
}

#[tokio::test]
async fn what_is_kept_of_one_tenant_is_bounded_and_of_all_tenants() {
    // Room for two tenants, and for fewer than 64 answers of a kibibyte each.
    let cache = cache(&CacheSettings { memory: 128 << 10, tenant_memory: 64 << 10, ..settings() });
    let results = cache.of(somebody());
    let kibibyte = "x".repeat(1 << 10);
    for number in 0..200_u32 {
        results.answer("a text", &number, async { Ok(kibibyte.clone()) }).await.unwrap();
    }
    assert!(results.weight().await <= 64 << 10);
    // What is too large to be kept is given all the same.
    let large = "x".repeat(1 << 20);
    for _ in 0..2 {
        assert_eq!(results.answer("a text", "large", async { Ok(large.clone()) }).await.unwrap(), large);
    }

    let counter = Counter::default();
    let tenants = [somebody(), somebody(), somebody()];
    for tenant in tenants {
        counter.ask(&cache.of(tenant)).await;
    }
    assert_eq!(counter.ask(&cache.of(tenants[2])).await, 3);
    assert_eq!(counter.ask(&cache.of(tenants[1])).await, 2);
    assert_eq!(counter.ask(&cache.of(tenants[0])).await, 4);
    assert_eq!(counter.0.load(Ordering::SeqCst), 4);
}
