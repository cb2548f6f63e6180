//! Futures that make progress side by side, with no runtime's help.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Runs both to their ends.
pub(super) async fn both<A, B>(
    left: impl Future<Output = A> + Send,
    right: impl Future<Output = B> + Send,
) -> (A, B)
where
    A: Send,
    B: Send,
{
    let (mut left, mut right) = (Box::pin(left), Box::pin(right));
    let (mut left_done, mut right_done) = (None, None);
    poll_fn(move |context| {
        if left_done.is_none()
            && let Poll::Ready(done) = left.as_mut().poll(context)
        {
            left_done = Some(done);
        }
        if right_done.is_none()
            && let Poll::Ready(done) = right.as_mut().poll(context)
        {
            right_done = Some(done);
        }
        match (left_done.take(), right_done.take()) {
            (Some(left), Some(right)) => Poll::Ready((left, right)),
            (left, right) => {
                (left_done, right_done) = (left, right);
                Poll::Pending
            }
        }
    })
    .await
}

/// Runs all to their ends.
pub(super) async fn all<F>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send,
{
    let mut running: Vec<Option<Pin<Box<F>>>> = futures.into_iter().map(|f| Some(Box::pin(f))).collect();
    let mut done: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(move |context| {
        for (slot, result) in running.iter_mut().zip(&mut done) {
            if let Some(future) = slot
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
                *slot = None;
            }
        }
        match running.iter().all(Option::is_none) {
            true => Poll::Ready(done.drain(..).flatten().collect()),
            false => Poll::Pending,
        }
    })
    .await
}
