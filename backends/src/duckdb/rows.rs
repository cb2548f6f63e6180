//! Rows as they come, from a session's thread to whoever takes them.
//!
//! They cross in pieces of bounded size, and the thread waits while two of them are not taken: so a stream holds what
//! DuckDB holds of it, and a few pieces. A stream that is dropped ends its query.

use futures_util::StreamExt as _;
use futures_util::stream;
use sea_orm::{QueryResult, Statement};
use tokio::sync::mpsc::{self, Receiver};
use trimaran_core::{Error, ErrorKind, Result};

use super::cancel::Waiting;
use super::pool::Lease;
use super::run;
use super::worker::Worker;
use crate::connection::RowStream;

enum Piece {
    Rows(Vec<QueryResult>),
    /// There are no more; without it the thread has died.
    End,
    Failed(Error),
}

struct Rows {
    ready: std::vec::IntoIter<QueryResult>,
    pieces: Receiver<Piece>,
    ended: bool,
    /// Dropped after the receiver.
    _waiting: Waiting,
}

/// Runs a query on `worker` and gives its rows as they come. A `lease` that comes with it is given back at the end.
///
/// # Errors
/// What the query fails with before its first rows.
pub(super) async fn stream<'a>(
    worker: &Worker,
    lease: Option<Lease>,
    statement: Statement,
    by_position: bool,
) -> Result<RowStream<'a>> {
    let (sender, pieces) = mpsc::channel(1);
    let pending = worker.submit(lease, move |connection| {
        let result = run::stream(connection, statement, by_position, &mut |rows| {
            sender.blocking_send(Piece::Rows(rows)).is_ok()
        });
        let last = match result {
            Ok(()) => Piece::End,
            Err(error) => Piece::Failed(error),
        };
        // Whoever has dropped the stream doesn't want it.
        drop(sender.blocking_send(last));
        Ok(())
    });
    let mut rows =
        Rows { ready: Vec::new().into_iter(), pieces, ended: false, _waiting: pending.into_waiting() };
    // What a query is refused for comes before the stream does.
    rows.receive().await?;
    Ok(stream::unfold(rows, |mut rows| async move {
        loop {
            if let Some(row) = rows.ready.next() {
                return Some((Ok(row), rows));
            }
            if rows.ended {
                return None;
            }
            if let Err(error) = rows.receive().await {
                return Some((Err(error), rows));
            }
        }
    })
    .boxed())
}

impl Rows {
    /// Waits for the next piece. After an error there is none.
    async fn receive(&mut self) -> Result<()> {
        match self.pieces.recv().await {
            Some(Piece::Rows(rows)) => {
                self.ready = rows.into_iter();
                return Ok(());
            }
            Some(Piece::End) => self.ended = true,
            Some(Piece::Failed(error)) => {
                self.ended = true;
                return Err(error);
            }
            None => {
                self.ended = true;
                return Err(Error::new(ErrorKind::Unavailable, "read a DuckDB stream")
                    .context("the session's thread has ended"));
            }
        }
        Ok(())
    }
}
